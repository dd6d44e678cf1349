import { type Command, Option } from "commander";
import { CommandError, checkOutput } from "#host";
import { formatOf } from "./format-of.ts";
import { type GrowthRecord, parseGrowth } from "./growth.ts";
import { renderJson, renderSummary } from "./renderers/json.ts";
import { renderMarkdown } from "./renderers/markdown.ts";
import { renderTable } from "./renderers/table.ts";
import type { Run } from "./schema.ts";
import { withQemu } from "./second-source.ts";
import { isSameFile, LARGEST_RUN_BYTES, loadRun, loadRuns, readText, writeText } from "./store.ts";

export const FORMATS = ["table", "markdown", "html", "json", "summary"] as const;
export type Format = (typeof FORMATS)[number];

/** The default file of `bench -o` and of `report`, relative to the working folder. */
export const LATEST_RUN = "results/latest.json";
export const LATEST_PAGE = "results/latest.html";

/** Where a command prints. */
export interface Output {
  write(text: string): unknown;
}

/** Adds `regionlab report [F.json …] [--qemu F.json] [--growth F.json] [--format table|markdown|html|json|summary] [-o F]`. */
export function addReportCommand(program: Command, output: Output = process.stdout): void {
  program
    .command("report")
    .description("show stored benchmark runs")
    .argument("[files...]", `runs that \`regionlab bench -o\` wrote (default: ${LATEST_RUN})`)
    .addOption(new Option("--format <format>", "default: by the ending of -o, else table").choices(FORMATS))
    .option("--qemu <file>", "add the figures of QEMU that `regionlab bench qemu -o` wrote")
    .option("--growth <file>", "add how costs grow, which `regionlab bench scaling` wrote as JSON")
    .option("-o, --output <file>", "write to a file instead of the terminal")
    .action(async (files: string[], options: ReportOptions) => {
      const inputs = files.length === 0 ? [LATEST_RUN] : files;
      const { output: target, qemu, growth } = options;
      const format = options.format ?? formatOf(target, FORMATS);
      if (growth !== undefined && (format === "json" || format === "summary"))
        throw new CommandError(
          `--growth ${growth}: ${format} holds runs only; give --format table, markdown or html`,
        );
      const read = [...inputs, qemu, growth].filter((input) => input !== undefined);
      if (target !== undefined) await checkReport(target, read);
      const stored: Run[] = [];
      // One by one: a pipe that is opened waits for its writer, even if another input has been refused.
      for (const input of inputs) stored.push(...(await loadRuns(input)));
      const second = qemu === undefined ? null : await loadRun(qemu);
      const runs = second === null ? stored : stored.map((run) => withQemu(run, second, `--qemu ${qemu}`));
      const record =
        growth === undefined ? null : parseGrowth(await readText(growth, LARGEST_RUN_BYTES), growth);
      // Colours only on the terminal, never in a file.
      const text = await render(runs, format, target === undefined, record);
      if (target === undefined) output.write(text);
      else await writeText(target, text);
    });
}

interface ReportOptions {
  readonly format?: Format;
  readonly output?: string;
  readonly qemu?: string;
  readonly growth?: string;
}

/** A report written over its own run would destroy the measurement. */
async function checkReport(output: string, inputs: readonly string[]): Promise<void> {
  checkOutput("-o", output, { makeFolders: true });
  for (const input of inputs) {
    if (await isSameFile(output, input)) {
      throw new CommandError(`-o ${output}: is the run ${input} itself; give the report another name`);
    }
  }
}

/**
 * @param colour whether a table may use the terminal's colours
 * @param growth is shown with the first run, by formats for people
 */
export async function render(
  runs: readonly Run[],
  format: Format,
  colour: boolean,
  growth: GrowthRecord | null = null,
): Promise<string> {
  const growthOf = (place: number) => (place === 0 ? growth : null);
  switch (format) {
    case "table":
      return runs.map((run, i) => renderTable(run, colour ? undefined : false, growthOf(i))).join("\n");
    case "markdown":
      return runs.map((run, i) => renderMarkdown(run, growthOf(i))).join("\n");
    case "json":
      return renderJson(runs);
    case "summary":
      return renderSummary(runs);
    case "html": {
      // Plot and its document model take a quarter of a second to load; no other format needs them.
      const { renderHtml } = await import("./renderers/html/index.ts");
      return renderHtml(runs, growth);
    }
  }
}
