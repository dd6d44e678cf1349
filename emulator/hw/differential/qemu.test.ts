/**
 * Compares our devices with QEMU's, using the same seeded sequences of accesses: every value read, the interrupts after
 * every step (at the hart for odd seeds, at the PLIC for even ones), every byte sent through the UART, and the flat views
 * and regions after each step that may change them.
 *
 * `REGIONLAB_SEEDS` gives the number of sequences of each kind (default 4), `REGIONLAB_STEPS` their length.
 *
 * Not compared, because the two cannot agree:
 * - commands to the test finisher, which end QEMU (sequences/storm.ts excludes them);
 * - alarms of the RTC beyond the year 2116: signed 64-bit nanoseconds overflow in QEMU, and the alarm fires whenever
 *   its main loop gets to it (also excluded there);
 * - the reset vector, which QEMU writes for other images, and devices that our board does not have yet (board.ts).
 * Host time is no exception: both sides run on a virtual clock, and QEMU's determines how far ours advances.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, it, type TestContext } from "vitest";
import { BoardUnderTest } from "./board-under-test.ts";
import { firstDifference, report, shrink } from "./difference.ts";
import { Qtest } from "./qtest.ts";
import { Random } from "./random.ts";
import type { Observation, Step, Watch } from "./script.ts";
import { SEQUENCES } from "./sequences/index.ts";
import { maps } from "./sequences/maps.ts";
import { loadTrees, type NamedTree } from "./trees.ts";

const SEEDS = Number(process.env.REGIONLAB_SEEDS ?? 4);
const STEPS = Number(process.env.REGIONLAB_STEPS ?? 1500);
const trees = await loadTrees();

/** Milliseconds spent on shrinking a failing sequence. */
const SHRINKING = 20_000;

/** QEMU's behaviour: its observations after each step, and the bytes that it sent through the UART. */
interface Reference {
  readonly seen: readonly Observation[];
  readonly sent: readonly number[];
}

async function onQemu(script: readonly Step[], watch: Watch): Promise<Reference> {
  const qemu = new Qtest(watch);
  try {
    return { seen: await qemu.run(script), sent: qemu.sent };
  } finally {
    await qemu.close(); // after which `sent` is complete
  }
}

function onBoard({ tree }: NamedTree, script: readonly Step[], reference: Reference, watch: Watch) {
  const board = new BoardUnderTest(tree, "transfer", watch);
  const seen = board.run(script, reference.seen);
  expect(board.destroy()).toEqual([]);
  return { seen, sent: board.sent };
}

/** Passes if the board does what QEMU did; otherwise fails with the shortest script that shows a difference. */
async function expectSame(tree: NamedTree, script: readonly Step[], theirs: Reference, watch: Watch) {
  const ours = onBoard(tree, script, theirs, watch);
  const at = firstDifference(ours.seen, theirs.seen);
  if (at >= 0) {
    const again = async (candidate: readonly Step[]) => {
      const reference = await onQemu(candidate, watch);
      return firstDifference(onBoard(tree, candidate, reference, watch).seen, reference.seen);
    };
    const shortest = await shrink(script.slice(0, at + 1), again, SHRINKING);
    const reference = await onQemu(shortest, watch);
    const lines = report(shortest, onBoard(tree, shortest, reference, watch).seen, reference.seen);
    expect.fail(`${tree.name} does not do what QEMU does, at step ${at}; in short:\n${lines}`);
  }
  expect(ours.sent, "bytes sent through the UART").toEqual(theirs.sent);
}

describe.each(SEQUENCES)("%s sequences", (_name, sequence) => {
  it("have the same effect on every tree as on QEMU", { timeout: 60_000 + 10_000 * SEEDS }, async (test) => {
    skipWithoutQemu(test);
    for (let seed = 1; seed <= SEEDS; seed++) {
      const script = sequence(new Random(seed), STEPS);
      const watch = seed % 2 === 0 ? "plic" : "hart";
      const theirs = await onQemu(script, watch);
      for (const tree of trees) await expectSame(tree, script, theirs, watch);
    }
  });

  it("have visible effects: values other than 0, or interrupts that change", async (test) => {
    skipWithoutQemu(test);
    const script = sequence(new Random(1), STEPS);
    const { seen } = await onQemu(script, "hart");
    const marks = seen.filter(
      ({ value, interrupts }, index) => value !== 0n || interrupts !== seen[index - 1]?.interrupts,
    );
    expect(marks.length).toBeGreaterThan(STEPS / 20);
  });
});

it("looks at memory maps that change: with either flash, both and none readable like memory", async (test) => {
  skipWithoutQemu(test);
  const { seen } = await onQemu(maps(new Random(1), STEPS), "hart");
  const looks = seen.flatMap(({ map }) => map ?? []);
  expect(new Set(looks).size).toBe(4);
  expect(looks.length).toBeGreaterThan(STEPS / 20);
});

/** Later versions of QEMU have different devices: the PLIC and the RTC have changed since. */
function skipWithoutQemu(test: TestContext): void {
  const { stdout } = spawnSync("qemu-system-riscv64", ["--version"], { encoding: "utf8" });
  test.skip(!stdout, "qemu-system-riscv64 is not installed (Debian package qemu-system-misc)");
  const version = /version (\S+)/.exec(stdout)?.[1];
  test.skip(!version?.startsWith("7.2."), `our devices are those of QEMU 7.2, which QEMU ${version} is not`);
}
