import type { Command } from "commander";
import { CommandError, writeOutputs } from "#host";
import { AllocationCounter, type Allocations } from "./allocations.ts";
import { answersOf, differencesOf } from "./compare.ts";
import {
  allocationsOf,
  createAndDestroy,
  instructionsOf,
  plugAndUnplug,
  startOf,
  type Work,
} from "./figures.ts";
import { OPENSBI, SET_UPS } from "./set-ups.ts";

interface QemuOptions {
  readonly a: string;
  readonly b: string;
  readonly instructions: boolean;
  readonly repeats: string;
  readonly json?: string;
}

/** A figure of both builds; the instructions are the least of several processes, the wait of QEMU's RCU thread being random. */
interface Row {
  readonly work: string;
  readonly rounds: number;
  readonly a: Allocations & { readonly instructions: number | null };
  readonly b: Allocations & { readonly instructions: number | null };
}

const TYPES = [
  "riscv.sifive.uart",
  "sifive_soc.gpio",
  "riscv.aclint.mtimer",
  "edu",
  "e1000",
  "nvme",
  "virtio-net-pci",
];
const PLUGGED = ["edu", "e1000", "virtio-net-pci"];

/** Everything that is counted. */
export function worksOf(): Work[] {
  return [
    ...["virt", "sifive_u", "microchip-icicle-kit"].map((name) =>
      startOf(name, ["-M", name, ...(name.startsWith("microchip") ? ["-m", "2G", "-bios", OPENSBI] : [])]),
    ),
    ...TYPES.map(createAndDestroy),
    ...PLUGGED.map(plugAndUnplug),
  ];
}

/** Adds `qemu --a BUILD --b BUILD` to a command. */
export function addQemuCommand(bench: Command): void {
  bench
    .command("qemu")
    .description(
      "compare two builds of QEMU for riscv64: the machines that they make, then allocations and instructions",
    )
    .requiredOption("--a <build>", "build folder with embedded regions")
    .requiredOption("--b <build>", "build folder with owned regions")
    .option("--repeats <n>", "processes per count of instructions", "3")
    .option("--no-instructions", "do not count instructions, which takes minutes")
    .option("--json <file>", "write the figures to a file")
    .action(async (options: QemuOptions) => {
      process.exitCode = await compareBuilds(options);
    });
}

async function compareBuilds({ a, b, instructions, repeats, json }: QemuOptions): Promise<number> {
  const count = Number(repeats);
  if (!Number.isInteger(count) || count < 1) {
    throw new CommandError(`--repeats ${repeats}: not a number of processes; use 1 or more`);
  }
  let different = 0;
  for (const setUp of SET_UPS) {
    const [left, right] = [await answersOf(a, setUp), await answersOf(b, setUp)];
    const differences = differencesOf(left, right);
    different += differences.length;
    const words =
      differences.length === 0 ? "the same" : differences.map(({ question }) => question).join(", ");
    print(
      `${setUp.name.padEnd(24)} ${left.monitor.size} answers${left.console === undefined ? "" : " and a console"}: ${words}`,
    );
  }
  const rows: Row[] = [];
  const counter = new AllocationCounter();
  try {
    for (const work of worksOf()) {
      const sides = { a: await sideOf(a, work), b: await sideOf(b, work) };
      const rounds = work.rounds[1] - work.rounds[0];
      rows.push({ work: work.name, rounds, ...sides });
      print(`${work.name.padEnd(40)} ${wordsOf(sides.a, rounds)} | ${wordsOf(sides.b, rounds)}`);
    }
  } finally {
    counter.remove();
  }
  if (json !== undefined)
    writeOutputs(new Map([[json, `${JSON.stringify({ different, rows }, undefined, 1)}\n`]]));
  return different === 0 ? 0 : 1;

  /** Figures of the rounds alone; of the whole process for a start. */
  async function sideOf(build: string, work: Work): Promise<Row["a"]> {
    const [few, many] = work.rounds;
    const long = await allocationsOf(counter, build, work, many);
    const short = few === 0 ? zero : await allocationsOf(counter, build, work, few);
    let total: number | null = null;
    if (instructions) {
      total = await least(build, work, many);
      if (few > 0) total -= await least(build, work, few);
    }
    return { ...difference(long, short), instructions: total };
  }

  async function least(build: string, work: Work, rounds: number): Promise<number> {
    let result = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < count; repeat++) {
      result = Math.min(result, await instructionsOf(build, work, rounds));
    }
    return result;
  }
}

const zero: Allocations = { calls: 0, bytes: 0, live: 0, regions: 0, liveRegions: 0 };

function difference(a: Allocations, b: Allocations): Allocations {
  return {
    calls: a.calls - b.calls,
    bytes: a.bytes - b.bytes,
    live: a.live - b.live,
    regions: a.regions - b.regions,
    liveRegions: a.liveRegions - b.liveRegions,
  };
}

function wordsOf(side: Row["a"], rounds: number): string {
  const per = (value: number): string => (value / rounds).toFixed(rounds === 1 ? 0 : 2);
  const counted =
    side.instructions === null ? "" : `, ${(side.instructions / rounds / 1e6).toFixed(4)} M instructions`;
  return `${per(side.calls)} mallocs, ${per(side.bytes)} B, live ${per(side.live)} B, of a region's size ${per(side.regions)}, live ${per(side.liveRegions)}${counted}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
