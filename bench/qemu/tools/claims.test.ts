import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HEAP_GROWTH, questionTitle } from "#results";
import { syntheticQemuRun } from "#results/testing";
import { readQemuFigures } from "#workloads/claims";
import { claimFigures, describeClaims } from "./claims.ts";

const scratch = mkdtempSync(join(tmpdir(), "regionlab-claim-figures-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const counted = syntheticQemuRun().metrics;
const grown = counted
  .slice(0, 2)
  .map((metric) => ({ ...metric, name: HEAP_GROWTH, quantity: "memory" as const }));
const allocations = { calls: 40_000, bytes: 9, live: 0, regions: 10, liveRegions: 0 };
const found = {
  tree: "QEMU 1.2.3, qemu-system-riscv64",
  commands: ["npm run qemu:build"],
  conversion: {
    files: ["hw/a.c", "hw/b.c"],
    statistics: { regions: 40, converted: 37, refused: 3, heap: { sites: 8, converted: 7 } },
  },
  constructors: [13, 17],
  setUps: [7, 8],
  allocations: { a: allocations, b: { ...allocations, regions: 24 } },
  objects: { objects: 500, added: ["x.o: warning"] },
  metrics: [...counted, ...grown],
} as const;

describe("figures for the claims", () => {
  it("are what `regionlab claims` reads, each with its claim", () => {
    const file = join(scratch, "qemu.json");
    writeFileSync(file, describeClaims(found));
    const { tree, commands, figures } = readQemuFigures(file);
    expect({ tree, commands }).toEqual({ tree: found.tree, commands: found.commands });
    const values = figures.map(({ claim, value }) => `${claim} ${value}`);
    for (const value of [
      "C1 7 of 8 (87.5 %)",
      "C2 7 of 8",
      "C4 2",
      "C9 13 of 17",
      "C10 3 of 40 (7.5 %)",
      "C11 37 of 40 (92.5 %)",
      "C11 1",
      "C25 10 and 24",
    ])
      expect(values).toContain(value);
  });

  it("have one for each count in the run, and one for all growths of the heap", () => {
    const { figures } = JSON.parse(describeClaims({ ...found, objects: null }));
    const names: string[] = figures.map(({ name }: { name: string }) => name);
    const counts = found.metrics.filter(({ quantity }) => quantity === "count");
    expect(counts.length).toBeGreaterThan(0);
    expect(names.filter((name) => name.startsWith("instructions, "))).toEqual(
      counts.map((metric) => `instructions, ${questionTitle(metric)}, B against A`),
    );
    const growth = found.metrics.filter(({ name }) => name === HEAP_GROWTH).length;
    expect(growth).toBe(2);
    const leaving: string[] = figures
      .filter(({ name }: { name: string }) => name.startsWith("devices that leave bytes"))
      .map(({ value }: { value: string }) => value);
    expect(leaving).toEqual([expect.stringMatching(new RegExp(`^\\d of ${growth}$`))]);
    expect(names.some((name) => name.startsWith("new errors"))).toBe(false);
  });

  it("need builds", async () => {
    await expect(claimFigures({ run: "run.json", a: scratch, b: scratch })).rejects.toThrow(
      /--a .*: has no qemu-system-riscv64/,
    );
  });
});
