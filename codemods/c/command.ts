import type { Command } from "commander";
import { addAddApiCommand } from "./add-api/command.ts";

export interface CTreeOptions {
  readonly write?: boolean;
  readonly json?: string;
  readonly only?: string;
  readonly reason?: string;
  readonly series?: string;
  readonly sarif?: string;
  readonly allowDirty?: boolean;
  readonly reversible?: boolean;
}

export type CDirection = "to-owned" | "to-embedded";

const toStandardOutput = (text: string): void => {
  process.stdout.write(text);
};

/** Adds `regionlab c census|to-owned|to-embedded|audit PATH…`. Exit codes go to `process.exitCode`. */
export function addCCommand(program: Command): void {
  const c = program
    .command("c")
    .description("the codemods for C: convert, count and audit the memory regions of a QEMU tree");
  for (const direction of ["to-owned", "to-embedded"] as const) {
    c.command(direction)
      .description(
        direction === "to-owned"
          ? "convert memory_region_init* to memory_region_new*; without --write, only show the diff"
          : "convert memory_region_new* to memory_region_init*; without --write, only show the diff",
      )
      .argument("<path...>", "a QEMU tree, or sources of one")
      .option("--write", "rewrite the files: all of them or, if one cannot be written, none")
      .option("--json <file>", "write the report to a file, - for standard output")
      .option("--only <glob>", "convert only regions declared in files that match")
      .option("--reason <reason>", "list only regions refused for this reason")
      .option("--series <dir>", "write one patch file for each directory, with a commit message")
      .option("--reversible", "to-owned: only what to-embedded restores byte for byte")
      .option("--allow-dirty", "rewrite files even if git could not restore them")
      .action(async (paths: string[], options: CTreeOptions) => {
        const { runConversion } = await import("./run.ts");
        process.exitCode = await runConversion(direction, paths, options, toStandardOutput);
      });
  }
  c.command("census")
    .description("count regions and uses, and what stands between the tree and either form alone")
    .argument("<path...>", "a QEMU tree, or sources of one")
    .option("--json <file>", "write the counts to a file, - for standard output")
    .action(async (paths: string[], options: CTreeOptions) => {
      const { runCensus } = await import("./run.ts");
      process.exitCode = await runCensus(paths, options, toStandardOutput);
    });
  c.command("audit")
    .description("find lifetime bugs in the regions of a QEMU tree")
    .argument("<path...>", "a QEMU tree, or sources of one")
    .option("--json <file>", "write the bugs to a file, - for standard output")
    .option("--sarif <file>", "write the bugs as SARIF 2.1.0, - for standard output")
    .action(async (paths: string[], options: CTreeOptions) => {
      const { runCAudit } = await import("./run-audit.ts");
      process.exitCode = await runCAudit(paths, options, toStandardOutput);
    });
  addAddApiCommand(c);
}
