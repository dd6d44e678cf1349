import { writeFileSync } from "node:fs";
import { Argument, type Command, Option } from "commander";
import { auditRegions, renderAudit } from "./audit.ts";
import { CommandError, ExitCode, systemErrorCode } from "./errors.ts";
import { type Plan, planConversion } from "./passes/4-plan.ts";
import { applyPlan, changedFiles } from "./passes/5-apply.ts";
import { jsonReport, statisticsOf, summary, unifiedDiff } from "./passes/6-report.ts";
import type { Direction } from "./regions/facts.ts";
import { discoverSources } from "./source/discover.ts";

export interface CodemodOptions {
  readonly write?: boolean;
  readonly check?: boolean;
  readonly json?: string;
  readonly allowDirty?: boolean;
}

/** Where a command's text goes; standard output unless a test listens. */
export type Print = (text: string) => void;

const toStandardOutput: Print = (text) => {
  process.stdout.write(text);
};

/** Adds `regionlab codemod to-owned|to-embedded PATH…`. Its exit code goes to `process.exitCode`. */
export function addCodemodCommand(program: Command): void {
  program
    .command("codemod")
    .description("convert memory regions between embedded and owned; without --write only show the diff")
    .addArgument(new Argument("<direction>", "form to convert to").choices(["to-owned", "to-embedded"]))
    .argument("<path...>", "device sources, or directories of them")
    .addOption(new Option("--write", "rewrite the files").conflicts("check"))
    .addOption(new Option("--check", "write nothing; exit 1 when a file would change").conflicts("write"))
    .option("--json <file>", "write the report to a file, - for standard output")
    .option("--allow-dirty", "rewrite files that git could not bring back")
    .action((direction: Direction, paths: string[], options: CodemodOptions) => {
      process.exitCode = runCodemod(direction, paths, options);
    });
}

/** Adds `regionlab audit PATH…`. Its exit code goes to `process.exitCode`. */
export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("list every memory region, how hard it is to convert, and the hazards found")
    .argument("<path...>", "device sources, or directories of them")
    .option("--json <file>", "write the findings to a file, - for standard output")
    .action((paths: string[], options: { json?: string }) => {
      process.exitCode = runAudit(paths, options);
    });
}

/** The codemod command; returns the exit code. @throws CommandError for wrong use and unreadable input. */
export function runCodemod(
  direction: Direction,
  paths: readonly string[],
  options: CodemodOptions,
  print: Print = toStandardOutput,
): ExitCode {
  const plan = planConversion(discoverSources(paths), direction);
  requireDevices(plan, paths);
  if (options.write) applyPlan(plan, { allowDirty: options.allowDirty ?? false });
  if (options.json !== undefined) writeJson(options.json, jsonReport(plan), print);
  if (options.json !== "-") {
    if (!options.write) print(unifiedDiff(plan));
    print(summary(plan));
  }
  if (statisticsOf(plan).refused > 0) return ExitCode.Refused;
  return options.check && changedFiles(plan).length > 0 ? ExitCode.No : ExitCode.Done;
}

/** The audit command; returns the exit code. @throws CommandError for wrong use and unreadable input. */
export function runAudit(
  paths: readonly string[],
  options: { readonly json?: string },
  print: Print = toStandardOutput,
): ExitCode {
  const plan = planConversion(discoverSources(paths), "to-owned");
  requireDevices(plan, paths);
  const findings = auditRegions(plan);
  if (options.json !== undefined) writeJson(options.json, { version: 1, regions: findings }, print);
  if (options.json !== "-") print(renderAudit(findings));
  return findings.some(({ effort }) => effort === "STOP") ? ExitCode.No : ExitCode.Done;
}

function requireDevices({ files }: Plan, paths: readonly string[]): void {
  if (files.some(({ deviceCount, sites }) => deviceCount > 0 || sites.length > 0)) return;
  throw new CommandError(
    `${paths.join(", ")}: no device here: no class derives from a QOM object; check the path`,
  );
}

function writeJson(path: string, value: unknown, print: Print): void {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  if (path === "-") {
    print(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown error";
    throw new CommandError(
      `--json ${path}: cannot be written (${code}); name a file in a directory you may write`,
    );
  }
}
