/**
 * Measures how long the codemods and the audit take on many files and on long classes, each in a process of its own.
 *
 *     node dist/codemods/testing/speed.js           the table in docs/codemods.md
 *     node dist/codemods/testing/speed.js 1000 20000 these numbers of files, and of lines of one class
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

/** Runs one step in this process and prints seconds, those of them that the processor worked, and megabytes. */
async function measureHere(step: string, path: string): Promise<void> {
  const write = { write: true, allowDirty: true };
  const ignore = () => {};
  if (step === "audit") await runAudit([path], {}, ignore);
  else await runCodemod(step === "to-owned" ? "to-owned" : "to-embedded", [path], write, ignore);
  const seconds = process.uptime().toFixed(1);
  const { user, system } = process.cpuUsage();
  const processor = ((user + system) / 1e6).toFixed(1);
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(`${seconds} s (${processor}) ${megabytes} MB`);
}

function measure(what: string, sources: ReadonlyMap<string, string>): void {
  const devices = temporaryPackage(root, sources);
  try {
    const results = steps.map((step) => {
      const args = [...process.execArgv, script, step, join(devices.path, "devices")];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
      return status === 0 ? stdout : `failed: ${stderr.split("\n")[0]}`;
    });
    process.stdout.write(`| ${[what, ...results].join(" | ")} |\n`);
  } finally {
    devices.remove();
  }
}

const [first, second] = process.argv.slice(2);
if (first !== undefined && second !== undefined && steps.some((step) => step === first)) {
  await measureHere(first, second);
} else {
  const wanted = process.argv.slice(2).map(Number);
  const numbers = wanted.length > 0 ? wanted : [100, 300, 1000, 3000, 20_000];
  process.stdout.write(`| | ${steps.join(" | ")} |\n|---|---|---|---|\n`);
  for (const number of numbers) {
    if (number <= mostFiles) {
      const names = Array.from({ length: number }, (_, index) => index);
      const sources = names.map((index) => [`devices/device-${index}.ts`, deviceSource(index)] as const);
      measure(`${number} files`, new Map(sources));
      continue;
    }
    for (const share of [0.05, 0.9]) {
      const what = `one class of ${number} lines, ${share * 100} % regions`;
      measure(what, new Map([["devices/long.ts", longSource(number, share)]]));
    }
  }
}
