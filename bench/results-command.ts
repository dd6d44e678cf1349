import type { Command } from "commander";
import {
  CommandError,
  checkWritable,
  loadRun,
  type Output,
  pageNameOf,
  render,
  saveRun,
  writeAtomically,
} from "#results";
import { mergeRuns } from "./merge.ts";

/** Adds `regionlab results merge F.json F.json … -o F.json`. */
export function addResultsCommand(program: Command, output: Output = process.stdout): void {
  const results = program.command("results").description("work with stored benchmark runs");
  results
    .command("merge")
    .description("make one run of parts that were measured with --shard, or on several machines")
    .argument("<files...>", "runs that `regionlab bench -o` wrote")
    .requiredOption("-o, --output <file>", "where to store the merged run, as JSON or .json.gz")
    .action(async (files: string[], { output: file }: { output: string }) => {
      if (!/\.json(\.gz)?$/.test(file)) {
        throw new CommandError(2, `-o ${file}: a run is stored as JSON; end the name in .json or .json.gz`);
      }
      await checkWritable(file);
      const parts = await Promise.all(files.map(async (each) => ({ file: each, run: await loadRun(each) })));
      const run = mergeRuns(parts, `npx regionlab results merge ${files.join(" ")} -o ${file}`);
      await saveRun(file, run);
      const page = pageNameOf(file);
      await writeAtomically(page, await render([run], "html", false));
      output.write(await render([run], "table", true));
      output.write(`\nStored in ${file}; the page is ${page}\n`);
    });
}
