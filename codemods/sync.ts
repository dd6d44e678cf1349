/**
 * Keeps the owned device tree in sync with the embedded one, from which the codemod generates it.
 *
 *     node dist/codemods/sync.js --write    rewrites emulator/hw/owned
 *     node dist/codemods/sync.js --check    compares both ways, byte for byte; exits with 1 if a file differs
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "#host";
import { optimiseLess } from "./engine.ts";
import { ExitCode } from "./errors.ts";
import { count, remarks, statisticsOf } from "./passes/6-report.ts";
import { projectRoot } from "./project-root.ts";
import {
  checkTrees,
  type TreeDifference,
  type TreeReport,
  type Trees,
  type TreesWritten,
  writeOwnedTree,
} from "./trees.ts";

/** Number of lines shown of each diff. */
const diffLines = 12;

const usage = "use --write to rewrite emulator/hw/owned, or --check to compare the trees";

/** The project's own trees. */
export function projectTrees(): Trees {
  const root = projectRoot();
  return { embedded: join(root, "emulator/hw/embedded"), owned: join(root, "emulator/hw/owned") };
}

/** Runs the command; returns the exit code. @throws CommandError for usage errors and unreadable input. */
export function sync(args: readonly string[], trees: Trees, print: (text: string) => void): ExitCode {
  const [mode, ...rest] = args;
  if (rest.length > 0 || (mode !== "--write" && mode !== "--check")) {
    throw new CommandError(`${args.join(" ") || "no option"}: ${usage}`);
  }
  optimiseLess();
  const started = performance.now();
  const report: TreeReport & Partial<TreesWritten> =
    mode === "--write" ? writeOwnedTree(trees) : checkTrees(trees);
  print(remarks(report.toOwned));
  for (const file of report.written ?? []) print(`wrote ${file}\n`);
  for (const file of report.removed ?? []) print(`removed ${file}\n`);
  for (const difference of report.differences) print(describe(difference));
  print(`${closing(report)} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
  if (report.differences.length > 0) return ExitCode.No;
  return statisticsOf(report.toOwned).refused > 0 ? ExitCode.Refused : ExitCode.Done;
}

function describe({ file, what, diff }: TreeDifference): string {
  const lines = diff.split("\n");
  const shownLines = lines.slice(0, diffLines).join("\n");
  const more = lines.length > diffLines ? `\n… ${lines.length - diffLines} more lines` : "";
  return diff === "" ? `${file}: ${what}\n` : `${file}: ${what}\n${shownLines}${more}\n`;
}

function closing(report: TreeReport & Partial<TreesWritten>): string {
  const { differences, toOwned } = report;
  const { regions, dropped, kept } = statisticsOf(toOwned);
  const files = `${count(toOwned.files.length, "file")}, ${count(regions, "region")} (owned: ${dropped} without a field, ${kept} with one)`;
  if (report.written !== undefined) {
    const state =
      differences.length === 0 ? "the inverse is exact" : "not in canonical form: see docs/codemods.md";
    return `${files}: ${report.written.length} written, ${report.removed?.length ?? 0} removed; ${state}`;
  }
  return differences.length === 0
    ? `${files}: to-owned(embedded) = owned, to-embedded(owned) = embedded`
    : `${files}: ${differences.length} differ; run npm run codemods:sync`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = sync(process.argv.slice(2), projectTrees(), (text) => process.stdout.write(text));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`codemods: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
