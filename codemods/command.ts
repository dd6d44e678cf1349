import { Argument, type Command, Option } from "commander";
import type { Direction } from "./regions/facts.ts";

export interface CodemodOptions {
  readonly write?: boolean;
  readonly check?: boolean;
  readonly json?: string;
  readonly allowDirty?: boolean;
  readonly prove?: boolean;
  readonly children?: boolean;
}

export interface AuditOptions {
  readonly json?: string;
  readonly sarif?: string;
  readonly github?: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: boolean;
}

/** Receives a command's output; standard output except in tests. */
export type Print = (text: string) => void;

const toStandardOutput: Print = (text) => {
  process.stdout.write(text);
};

/** Adds `regionlab codemod to-owned|to-embedded PATH…`. Its exit code goes to `process.exitCode`. */
export function addCodemodCommand(program: Command): void {
  program
    .command("codemod")
    .description("convert memory regions between embedded and owned; without --write, only show the diff")
    .addArgument(new Argument("<direction>", "form to convert to").choices(["to-owned", "to-embedded"]))
    .argument("<path...>", "device sources, or directories of them")
    .addOption(new Option("--write", "rewrite the files").conflicts("check"))
    .addOption(new Option("--check", "write nothing; exit with 1 if a file would change").conflicts("write"))
    .option("--children", "convert child objects instead of memory regions")
    .option("--json <file>", "write the report to a file, - for standard output")
    .option("--allow-dirty", "rewrite files even if git could not restore them")
    .option("--prove", "run every converted device in both forms and compare; write nothing if one differs")
    .action(async (direction: Direction, paths: string[], options: CodemodOptions) => {
      const { runCodemod } = await import("./run.ts");
      process.exitCode = await runCodemod(direction, paths, options, toStandardOutput);
    });
}

/** Adds `regionlab audit PATH…`. Its exit code goes to `process.exitCode`. */
export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("find lifetime bugs in devices, and list how hard each memory region is to convert")
    .argument("<path...>", "device sources, or directories of them")
    .option("--json <file>", "write bugs and regions to a file, - for standard output")
    .option("--sarif <file>", "write the bugs as SARIF 2.1.0, - for standard output")
    .option("--github", "print the bugs as annotations of a GitHub workflow")
    .option("--baseline <file>", "report only bugs that this file does not accept")
    .option("--write-baseline", "write the bugs found to the --baseline file, and accept them")
    .action(async (paths: string[], options: AuditOptions) => {
      const { runAudit } = await import("./lifetime/run.ts");
      process.exitCode = await runAudit(paths, options, toStandardOutput);
    });
}
