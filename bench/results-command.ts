import type { Command } from "commander";
import { inOneLine } from "#host";
import { loadRun, type Output, type Run, render, saveRun, writeText } from "#results";
import { mergeRuns, missingParts } from "./merge.ts";
import { quoted } from "./quoted.ts";
import { checkStored } from "./stored-files.ts";

/** Adds `regionlab results merge F.json F.json … -o F.json`. */
export function addResultsCommand(program: Command, output: Output = process.stdout): void {
  const results = program.command("results").description("work with stored benchmark runs");
  results
    .command("merge")
    .description("merge parts that were measured with --shard, or on several machines, into one run")
    .argument("<files...>", "runs that `regionlab bench -o` wrote")
    .requiredOption("-o, --output <file>", "where to store the merged run, as JSON or .json.gz")
    .action(async (files: string[], { output: file }: { output: string }) => {
      const inputs = files.map((path) => ({ option: "the run", path }));
      const page = checkStored(file, inputs);
      const parts: { readonly file: string; readonly run: Run }[] = [];
      for (const each of files) parts.push({ file: each, run: await loadRun(each) });
      const run = mergeRuns(
        parts,
        `npx regionlab results merge ${files.map(quoted).join(" ")} -o ${quoted(file)}`,
      );
      const missing = parts.length < 2 ? [] : missingParts(parts);
      if (missing.length > 0) {
        const [subject, verb] = missing.length === 1 ? ["Part", "is"] : ["Parts", "are"];
        output.write(
          `${subject} ${missing.join(", ")} ${verb} missing: the merged run has less than was planned.\n\n`,
        );
      }
      await saveRun(file, run);
      await writeText(page, await render([run], "html", false));
      output.write(await render([run], "table", true));
      output.write(`\nStored in ${inOneLine(file)}; the page is ${inOneLine(page)}\n`);
    });
}
