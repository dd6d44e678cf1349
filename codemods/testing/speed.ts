/**
 * Measures how long the codemods and the audit take on many files and on long classes, each in a process of its own.
 *
 *     npm run bench:codemods               the table in docs/codemods.md
 *     npm run bench:codemods -- 1000 20000 these numbers of files, and of lines of one class
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAudit } from "../lifetime/run.ts";
import { runCodemod } from "../run.ts";
import { deviceSource, longSource, temporaryPackage } from "./many-devices.ts";

const script = fileURLToPath(import.meta.url);
const root = join(dirname(script), "../../..");
/** Above this, a number is one of lines. */
const mostFiles = 10_000;

const steps = ["to-owned", "to-embedded", "audit"] as const;

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
  else await runCodemod(step === "to-owned" ? "to-owned" : "to-embedded", [path], write, ignore);
  const { user, system } = process.cpuUsage();
  const taken: Taken = {
    seconds: process.uptime(),
    processor: (user + system) / 1e6,
    megabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  process.stdout.write(JSON.stringify(taken));
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

const [first, second] = process.argv.slice(2);
if (first !== undefined && second !== undefined && steps.some((step) => step === first)) {
  await measureHere(first, second);
} else {
  const wanted = process.argv.slice(2).map(Number);
  const numbers = wanted.length > 0 ? wanted : [10, 100, 300, 1000, 3000, 20_000];
  process.stdout.write(`| | ${steps.join(" | ")} |\n|---|---|---|---|\n`);
  const growth = steps.map((): [number, number][] => []);
  for (const number of numbers) {
    if (number <= mostFiles) {
      const names = Array.from({ length: number }, (_, index) => index);
      const sources = names.map((index) => [`devices/device-${index}.ts`, deviceSource(index)] as const);
      const taken = measure(`${number} files`, new Map(sources));
      for (const [step, each] of taken.entries())
        if (each !== undefined) growth[step]?.push([number, each.processor]);
      continue;
    }
    for (const share of [0.05, 0.9]) {
      const what = `one class of ${number} lines, ${share * 100} % regions`;
      measure(what, new Map([["devices/long.ts", longSource(number, share)]]));
    }
  }
  const exponents = growth.map((points) => exponentOf(points));
  process.stdout.write(`| exponent of processor time | ${exponents.join(" | ")} |\n`);
}
