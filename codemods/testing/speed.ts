/**
 * Measures how long the codemods and the audit take on many files and on long classes, each in a process of its own.
 *
 *     npm run bench:codemods                      the table in docs/codemods.md
 *     npm run bench:codemods -- 1000 20000-lines  these numbers of files, and of lines of one class
 *
 * "compiler" is what the compiler alone takes to check the converted sources, which each conversion does at its end.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAudit } from "../lifetime/run.ts";
import { runCodemod } from "../run.ts";
import { Configurations } from "../source/compiler-options.ts";
import { Compiler, TextSource } from "../verify/compiler.ts";
import { deviceSource, longSource, temporaryPackage } from "./many-devices.ts";

const script = fileURLToPath(import.meta.url);
const root = join(dirname(script), "../../..");

const usualSizes = [
  ...["125", "250", "500", "1000"],
  ...["1250-lines", "2500-lines", "5000-lines", "10000-lines", "20000-lines"],
];

const steps = ["to-owned", "compiler", "to-embedded", "audit"] as const;

/** What one process took: seconds, those of them that the processor worked in all threads, and the most mebibytes. */
interface Taken {
  readonly seconds: number;
  readonly processor: number;
  readonly megabytes: number;
}

/** Runs one step in this process and prints what it took. */
async function measureHere(step: string, path: string): Promise<void> {
  const write = { write: true, allowDirty: true };
  const ignore = () => {};
  if (step === "audit") await runAudit([path], {}, ignore);
  else if (step === "compiler") compile(path);
  else await runCodemod(step === "to-owned" ? "to-owned" : "to-embedded", [path], write, ignore);
  const { user, system } = process.cpuUsage();
  const taken: Taken = {
    seconds: process.uptime(),
    processor: (user + system) / 1e6,
    megabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  process.stdout.write(JSON.stringify(taken));
}

/** Checks the sources in a folder, as `tsc` does. @throws Error if they have errors */
function compile(path: string): void {
  const sources = readdirSync(path).map((name) => join(path, name));
  const configuration = new Configurations().forFile(sources[0] ?? path);
  const { found } = new Compiler(configuration, new TextSource(new Map())).check(sources, new Map());
  if (found[0] !== undefined) throw new Error(`${found[0].path}: ${found[0].message}`);
}

/** Prints a row of the table. Returns what each step took; undefined for one that failed. */
function measure(what: string, sources: ReadonlyMap<string, string>): (Taken | undefined)[] {
  const devices = temporaryPackage(root, sources);
  try {
    const results = steps.map((step): Taken | string => {
      const args = [...process.execArgv, script, step, join(devices.path, "devices")];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
      return status === 0 ? JSON.parse(stdout) : `failed: ${stderr.split("\n")[0]}`;
    });
    const cells = results.map((each) => (typeof each === "string" ? each : cellOf(each)));
    process.stdout.write(`| ${[what, ...cells].join(" | ")} |\n`);
    return results.map((each) => (typeof each === "string" ? undefined : each));
  } finally {
    devices.remove();
  }
}

function cellOf({ seconds, processor, megabytes }: Taken): string {
  return `${seconds.toFixed(1)} s (${processor.toFixed(1)}) ${megabytes} MB`;
}

/** The exponent with which processor time grows: the slope of its logarithm over that of the number, by least squares. */
function exponentOf(points: readonly (readonly [number, number])[]): string {
  if (points.length < 2) return "–";
  const logs = points.map(([number, time]) => [Math.log(number), Math.log(time)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, each) => sum + each[axis], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const slope =
    logs.reduce((sum, each) => sum + (each[0] - x) * (each[1] - y), 0) /
    logs.reduce((sum, each) => sum + (each[0] - x) ** 2, 0);
  return slope.toFixed(2);
}

/** Prints rows for growing numbers, then a row with the exponents. */
function measureGrowth(
  numbers: readonly number[],
  what: (number: number) => string,
  sourcesFor: (number: number) => ReadonlyMap<string, string>,
): void {
  const growth = steps.map((): [number, number][] => []);
  for (const number of numbers) {
    for (const [step, taken] of measure(what(number), sourcesFor(number)).entries())
      if (taken !== undefined) growth[step]?.push([number, taken.processor]);
  }
  const exponents = growth.map((points) => exponentOf(points));
  if (numbers.length > 1) process.stdout.write(`| exponent of processor time | ${exponents.join(" | ")} |\n`);
}

function manyFiles(number: number): Map<string, string> {
  const names = Array.from({ length: number }, (_, index) => index);
  return new Map(names.map((index) => [`devices/device-${index}.ts`, deviceSource(index)]));
}

const [first, second] = process.argv.slice(2);
if (first !== undefined && second !== undefined && steps.some((step) => step === first)) {
  await measureHere(first, second);
} else {
  const wanted = process.argv.slice(2);
  const sizes = wanted.length > 0 ? wanted : usualSizes;
  const files = sizes.filter((each) => !each.endsWith("-lines")).map(Number);
  const lines = sizes.filter((each) => each.endsWith("-lines")).map((each) => Number.parseInt(each, 10));
  process.stdout.write(`| | ${steps.join(" | ")} |\n|---|${"---|".repeat(steps.length)}\n`);
  measureGrowth(files, (number) => `${number} files`, manyFiles);
  for (const share of [0.05, 0.9]) {
    const what = (number: number) => `one class of ${number} lines, ${share * 100} % regions`;
    measureGrowth(lines, what, (number) => new Map([["devices/long.ts", longSource(number, share)]]));
  }
}
