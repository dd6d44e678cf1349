import type { Command } from "commander";
import { CommandError, writeOutput } from "#host";
import { FORMS, type Form, type GrowthRecord, growthTable, type Output, renderTables } from "#results";

interface ScalingOptions {
  readonly most: string;
  readonly repeats: string;
  readonly regions: string;
  readonly json?: string;
}

const LEAST_SIZE = 10;
/** Three sizes from 1 000 on are the fewest that give an exponent an interval. */
const LEAST_MOST = 100_000;
const GREATEST_MOST = 1_000_000;

/** Adds `scaling [works…] [--most N] [--repeats N] [--regions A,B] [--json F]` to a command. */
export function addScalingCommand(bench: Command, output: Output): void {
  bench
    .command("scaling")
    .description("measure how costs grow with the number of regions, devices and address spaces")
    .argument("[works...]", "only these (default: all)")
    .option("--most <n>", `greatest number of things, a power of ten from ${LEAST_MOST}`, String(LEAST_MOST))
    .option("--repeats <n>", "measurements of each size", "3")
    .option("--regions <forms>", "embedded, owned or both", "embedded,owned")
    .option("--json <file>", "write all points and fits to a file")
    .action(async (names: string[], options: ScalingOptions) => {
      const { WORKS } = await import("./works.ts");
      const { measureGrowth } = await import("./measure.ts");
      const known = WORKS.map(({ name }) => name);
      const unknown = names.find((name) => !known.includes(name));
      if (unknown !== undefined)
        throw new CommandError(`there is no scaling work "${unknown}"; give some of ${known.join(", ")}`);
      const works = WORKS.filter(({ name }) => names.length === 0 || names.includes(name));
      const sizes = sizesTo(options.most);
      const repeats = Number(options.repeats);
      if (!Number.isInteger(repeats) || repeats < 1 || repeats > 100)
        throw new CommandError(`--repeats ${options.repeats}: give a whole number from 1 to 100`);
      const forms = formsOf(options.regions);
      const growths = works.flatMap((work) => forms.map((form) => measureGrowth(work, form, sizes, repeats)));
      const facts = works.map(({ prepare: _, ...fact }) => fact);
      const record: GrowthRecord = { node: process.version, works: facts, growths };
      if (options.json !== undefined)
        await writeOutput("--json", options.json, `${JSON.stringify(record, null, 1)}\n`);
      output.write(renderTables([growthTable(record)], true));
    });
}

/** Powers of ten from {@link LEAST_SIZE} on. @throws CommandError when `most` is none, too small or too large */
export function sizesTo(most: string): number[] {
  const limit = Number(most);
  const sizes: number[] = [];
  for (let size = LEAST_SIZE; size <= limit && size <= GREATEST_MOST; size *= 10) sizes.push(size);
  if (sizes.at(-1) === limit && limit >= LEAST_MOST) return sizes;
  throw new CommandError(`--most ${most}: give ${LEAST_MOST} or ${GREATEST_MOST}`);
}

/** @throws CommandError when `text` does not name one or both forms */
export function formsOf(text: string): Form[] {
  const forms = text.split(",").map((name) => FORMS.find((form) => form === name));
  const known = forms.filter((form) => form !== undefined);
  if (known.length === forms.length && new Set(known).size === known.length) return known;
  throw new CommandError(`--regions ${text}: give embedded, owned, or embedded,owned`);
}
