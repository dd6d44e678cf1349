/** Against a program whose allocations are known. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AllocationCounter, type Allocations, REGION_BYTES } from "./allocations.ts";

/** Does what its arguments say: `m0=272`, `c1=16`, `r0=300` allocate into a slot, `f0` frees it. */
const PROGRAM = `
#include <stdlib.h>
static void *volatile slots[8];
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int slot = argv[i][1] - '0';
        size_t size = argv[i][2] ? (size_t)atol(argv[i] + 3) : 0;
        switch (argv[i][0]) {
        case 'm': slots[slot] = malloc(size); break;
        case 'c': slots[slot] = calloc(1, size); break;
        case 'r': slots[slot] = realloc(slots[slot], size); break;
        case 'f': free(slots[slot]); slots[slot] = NULL; break;
        }
    }
    return 0;
}
`;

interface Step {
  readonly what: "m" | "c" | "r" | "f";
  readonly slot: number;
  readonly size: number;
}

const NOTHING: Allocations = { calls: 0, bytes: 0, live: 0, regions: 0, liveRegions: 0 };
const SIZES = [1, 16, REGION_BYTES - 1, REGION_BYTES, REGION_BYTES + 1, 100_000];

/** What should be counted. A slot that is allocated again leaks. */
function modelOf(steps: readonly Step[]): Allocations {
  const slots = new Map<number, number>();
  let { calls, bytes, live, regions, liveRegions } = NOTHING;
  const forget = (slot: number): void => {
    const size = slots.get(slot);
    if (size === undefined) return;
    live -= size;
    if (size === REGION_BYTES) liveRegions--;
    slots.delete(slot);
  };
  for (const { what, slot, size } of steps) {
    if (what === "f" || what === "r") forget(slot);
    if (what === "f") continue;
    slots.set(slot, size);
    calls++;
    bytes += size;
    live += size;
    if (size === REGION_BYTES) {
      regions++;
      liveRegions++;
    }
  }
  return { calls, bytes, live, regions, liveRegions };
}

describe("counting allocations", () => {
  let folder = "";
  let counter: AllocationCounter;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "regionlab-allocations-test-"));
    writeFileSync(join(folder, "program.c"), PROGRAM);
    execFileSync("cc", ["-O0", "-o", "program", "program.c"], { cwd: folder });
    counter = new AllocationCounter();
  });
  afterAll(() => {
    counter.remove();
    rmSync(folder, { recursive: true });
  });

  function count(steps: readonly Step[]): Allocations {
    const args = steps.map(({ what, slot, size }) => `${what}${slot}${what === "f" ? "" : `=${size}`}`);
    execFileSync(join(folder, "program"), args, { env: { ...process.env, ...counter.environment } });
    return counter.read();
  }

  it("counts what a program allocates and frees", () => {
    const before = count([]); // of the C library itself
    const step = fc.record({
      what: fc.constantFrom("m", "c", "r", "f"),
      slot: fc.nat(7),
      size: fc.constantFrom(...SIZES),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const found = count(steps);
        const expected = modelOf(steps);
        for (const key of Object.keys(NOTHING) as (keyof Allocations)[])
          expect(found[key] - before[key], key).toBe(expected[key]);
      }),
      { numRuns: 30 },
    );
  });

  it("says that a process left no counts", () => {
    count([]);
    expect(() => counter.read()).toThrow(/no allocation was counted: the emulator was killed, or is linked/);
  });
});
