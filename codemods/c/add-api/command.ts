import { type Command, Option } from "commander";
import { ExitCode } from "../../errors.ts";
import { prepareSources } from "../write-sources.ts";
import type { Recommended } from "./manual.ts";

interface AddApiOptions {
  readonly direction: Recommended;
  readonly write?: boolean;
  readonly allowDirty?: boolean;
}

/** Adds `regionlab c add-api TREE`. */
export function addAddApiCommand(c: Command): void {
  c.command("add-api")
    .description(
      "add the constructors memory_region_new* to a QEMU tree that lacks them; without --write, only show the diff",
    )
    .argument("<tree>", "root of a QEMU tree")
    .addOption(
      new Option("--direction <form>", "form that docs/devel/memory.rst is to recommend")
        .choices(["owned", "embedded"])
        .default("owned"),
    )
    .option("--write", "rewrite the files: all of them or, if one cannot be written, none")
    .option("--allow-dirty", "rewrite files even if git could not restore them")
    .action(async (tree: string, options: AddApiOptions) => {
      const { addApi } = await import("./add-api.ts");
      const { added, files } = addApi(tree, options.direction);
      if (options.write) {
        const changes = new Map([...files].map(([path, { after }]) => [path, after]));
        (await prepareSources(tree, changes, options.allowDirty === true)).commit();
      } else {
        const { fileDiff } = await import("../../file-diff.ts");
        const diffs = [...files].map(([path, { before, after }]) => fileDiff(path, before, after));
        process.stdout.write(Buffer.from(diffs.join(""), "latin1"));
      }
      const constructors = added.length === 0 ? "no constructor is missing" : `${added.length} constructors`;
      process.stderr.write(
        `${constructors}, ${files.size} files ${options.write ? "written" : "would change"}\n`,
      );
      process.exitCode = ExitCode.Done;
    });
}
