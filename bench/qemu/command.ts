import { spawnSync } from "node:child_process";
import type { Command } from "commander";
import { CommandError, inOneLine, onEndSignal } from "#host";
import {
  formNames,
  type Metric,
  markdownTable,
  metricFigures,
  plainTable,
  type Quantity,
  questionTitle,
  saveRun,
} from "#results";
import { packageRoot } from "#workloads";
import { locateValgrind, requireScratch, VALGRIND_ADVICE } from "../counts/callgrind.ts";
import { captureEnvironment, completeEnvironment } from "../environment.ts";
import { readWhole } from "../options.ts";
import { quoted } from "../quoted.ts";
import { checkStored } from "../stored-files.ts";
import { AllocationCounter } from "./allocations.ts";
import { answersOf, differencesOf } from "./compare.ts";
import { type AllocationRow, type Measured, measure, type QemuPlan, runOf } from "./measure.ts";
import { checkBuild, emulatorOf } from "./session.ts";
import { SET_UPS } from "./set-ups.ts";
import { type Work, whyImpossible, worksOf } from "./works.ts";

/** Parts of a comparison, and what each of them measures. */
const PARTS = {
  machines: null,
  counts: "count",
  memory: "memory",
  times: "time",
} as const satisfies Record<string, Quantity | null>;
type Part = keyof typeof PARTS;
const isPart = (word: string): word is Part => Object.hasOwn(PARTS, word);
const DEFAULT_PARTS: readonly Part[] = ["machines", "counts", "memory"];

interface QemuOptions {
  readonly a: string;
  readonly b: string;
  readonly only?: string[];
  readonly repeats: string;
  readonly seed: string;
  readonly output?: string;
}

/** Adds `qemu --a BUILD --b BUILD [PART…] [--only TEXT …] [--repeats N] [--seed N] [-o F.json]` to a command. */
export function addQemuCommand(bench: Command): void {
  bench
    .command("qemu")
    .description("compare two builds of QEMU for riscv64: the machines that they make, then what they cost")
    .argument("[parts...]", `any of ${Object.keys(PARTS).join(", ")} (default: ${DEFAULT_PARTS.join(", ")})`)
    .requiredOption("--a <build>", "build folder with embedded regions")
    .requiredOption("--b <build>", "build folder with owned regions")
    .option("--only <text...>", "only works whose title contains one of these texts, such as plug")
    .option("--repeats <n>", "processes of each build per figure", "3")
    .option("--seed <n>", "fixes the order of processes and turns", "1")
    .option("-o, --output <file>", "where to store the figures, as JSON or .json.gz, for `report --qemu`")
    .action(async (words: string[], options: QemuOptions) => {
      process.exitCode = await compareBuilds(words, options);
    });
}

async function compareBuilds(words: readonly string[], options: QemuOptions): Promise<number> {
  const began = performance.now();
  const parts = readParts(words);
  const { a, b, output } = options;
  const all = planOf(parts, words, options);
  checkBuild("--a", a);
  checkBuild("--b", b);
  const plan = { ...all, works: all.works.filter((work) => isPossible(work, [a, b])) };
  if (output !== undefined) {
    if (plan.quantities.length === 0)
      throw new CommandError(
        `-o ${output}: comparing machines gives no figures; leave it out, or add counts`,
      );
    checkStored(output, []);
  }
  const valgrind = await locateValgrind();
  if (parts.includes("counts")) {
    if (valgrind === null) throw new CommandError(`bench qemu counts: ${VALGRIND_ADVICE}`);
    requireScratch();
  }
  // Emulators end with this process, as an exit handler of each ends them.
  const release = onEndSignal((exitCode) => process.exit(exitCode));
  const environment = captureEnvironment(packageRoot(), [a, b].map(versionOf));
  if (parts.includes("machines")) {
    const different = await compareMachines(a, b);
    if (different > 0) {
      throw new CommandError(
        `the builds make different machines (${different} answers differ), so nothing is measured`,
        { exitCode: 1 },
      );
    }
  }
  if (plan.quantities.length === 0) return 0;
  const counter = new AllocationCounter();
  try {
    const runSoFar = (measured: Measured) =>
      runOf(plan, measured, completeEnvironment(environment, (performance.now() - began) / 1000));
    const measured = await measure(plan, {
      valgrind,
      counter,
      onProgress: (what) => process.stderr.write(`${what}\n`),
      onRepeat: async (part) => {
        // An interrupted run leaves what is complete.
        if (output !== undefined) await saveRun(output, runSoFar(part));
      },
    });
    const run = runSoFar(measured);
    print(`\n${figures(run.metrics, formNames(run))}\n`);
    if (measured.allocations.length > 0) print(`${allocations(measured.allocations)}\n`);
    for (const { reason } of run.omissions) print(reason);
    for (const { remark } of plan.works) {
      const text = remark?.();
      if (text !== undefined) print(text);
    }
    if (output !== undefined) {
      print(
        `Stored in ${inOneLine(output)}; \`regionlab report RUN --qemu ${inOneLine(output)}\` shows both`,
      );
    }
    return run.omissions.length === 0 ? 0 : 1;
  } finally {
    counter.remove();
    release();
  }
}

/** Says what is left out, and why. */
function isPossible(work: Work, builds: readonly string[]): boolean {
  const why = whyImpossible(work, builds);
  if (why !== undefined) print(`${questionTitle(work)} is left out: ${why}`);
  return why === undefined;
}

function readParts(words: readonly string[]): readonly Part[] {
  if (words.length === 0) return DEFAULT_PARTS;
  return words.map((word) => {
    if (isPart(word)) return word;
    throw new CommandError(
      `bench qemu ${word}: there is no such part; give any of ${Object.keys(PARTS).join(", ")}`,
    );
  });
}

function planOf(
  parts: readonly Part[],
  words: readonly string[],
  { a, b, only, repeats, seed }: QemuOptions,
): QemuPlan {
  const all = worksOf();
  for (const text of only ?? []) {
    if (!all.some((work) => questionTitle(work).includes(text)))
      throw new CommandError(
        `--only ${text}: no work has that in its title; they are ${all.map(questionTitle).join("; ")}`,
      );
  }
  const works = all.filter((work) => only?.some((text) => questionTitle(work).includes(text)) ?? true);
  const quantities: readonly Quantity[] = [...new Set(parts)].flatMap((part) => PARTS[part] ?? []);
  const given = [
    ...words,
    ...["--a", a, "--b", b],
    ...(only === undefined ? [] : ["--only", ...only]),
    ...["--repeats", repeats, "--seed", seed],
  ];
  return {
    builds: { A: a, B: b, A2: a },
    works: works.filter((work) => work.quantities.some((quantity) => quantities.includes(quantity))),
    quantities,
    repeats: readWhole("--repeats", repeats, 2, 1000),
    seed: readWhole("--seed", seed, 0, 2 ** 32 - 1),
    command: ["npx regionlab bench qemu", ...given.map(quoted)].join(" "),
  };
}

/** @returns the number of answers that differ */
async function compareMachines(a: string, b: string): Promise<number> {
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
  return different;
}

/** What a build says of itself. */
function versionOf(build: string): string {
  const program = emulatorOf(build);
  const { status, stdout, stderr, error } = spawnSync(program, ["--version"], { encoding: "utf8" });
  if (status !== 0) {
    const why = error === undefined ? `ended with ${status}; it said: ${stderr.trim()}` : error.message;
    throw new CommandError(`${program} --version: ${why}; build it again`);
  }
  return `${build}: ${stdout.split("\n")[0] ?? ""}`;
}

function figures(metrics: readonly Metric[], names: { A: string; B: string }): string {
  return markdownTable(
    plainTable(
      "",
      ["Question", "Figure", names.A, names.B, "Difference", "A against itself", "Verdict"],
      [2, 3, 4, 5],
      metrics.map((metric) => [questionTitle(metric), ...metricFigures(metric)]),
    ),
  );
}

function allocations(rows: readonly AllocationRow[]): string {
  const two = (value: number) => value.toFixed(2);
  return markdownTable(
    plainTable(
      "",
      [
        ...["Per round", "mallocs, A", "B", "of a region's size, A", "B", "live of that size, A", "B"],
        ...["live bytes, A", "B"],
      ],
      [1, 2, 3, 4, 5, 6, 7, 8],
      rows.map(({ work, arms: { A, B } }) => [
        questionTitle(work),
        ...[A.calls, B.calls, A.regions, B.regions, A.liveRegions, B.liveRegions, A.live, B.live].map(two),
      ]),
    ),
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
