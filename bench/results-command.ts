import type { Command } from "commander";
import { CommandError, checkOutput } from "#host";
import { isSameFile, loadRun, type Output, pageNameOf, render, saveRun, writeText } from "#results";
import { mergeRuns, missingParts } from "./merge.ts";

/** Adds `regionlab results merge F.json F.json … -o F.json`. */
export function addResultsCommand(program: Command, output: Output = process.stdout): void {
  const results = program.command("results").description("work with stored benchmark runs");
  results
    .command("merge")
    .description("merge parts that were measured with --shard, or on several machines, into one run")
    .argument("<files...>", "runs that `regionlab bench -o` wrote")
    .requiredOption("-o, --output <file>", "where to store the merged run, as JSON or .json.gz")
    .action(async (files: string[], { output: file }: { output: string }) => {
      if (!/\.json(\.gz)?$/.test(file)) {
        throw new CommandError(`-o ${file}: a run is stored as JSON; end the name in .json or .json.gz`);
      }
      checkOutput("", file, { makeFolders: true });
      const parts = await Promise.all(files.map(async (each) => ({ file: each, run: await loadRun(each) })));
      const same = await Promise.all(files.map((each) => isSameFile(each, file)));
      if (same.includes(true)) {
        throw new CommandError(
          `-o ${file}: is one of the runs to merge, and would be lost; name another file`,
        );
      }
      const missing = parts.length < 2 ? [] : missingParts(parts);
      if (missing.length > 0) {
        output.write(
          `Parts ${missing.join(", ")} are missing: the merged run has less than was planned.\n\n`,
        );
      }
      const run = mergeRuns(parts, `npx regionlab results merge ${files.join(" ")} -o ${file}`);
      await saveRun(file, run);
      const page = pageNameOf(file);
      await writeText(page, await render([run], "html", false));
      output.write(await render([run], "table", true));
      output.write(`\nStored in ${file}; the page is ${page}\n`);
    });
}
