/**
 * Converts sources that exist only in memory, for tests of devices and of the codemods themselves.
 *
 * The names are paths relative to `directory`, from where imports such as `#memory` or `regionlab/memory` resolve.
 * Imports among the given files resolve to the given texts. Nothing is read from or written to these paths.
 */
import { join, relative } from "node:path";
import type { Project } from "ts-morph";
import type { FilePlan, Plan, Site } from "./passes/4-plan.ts";
import { type PipelineOptions, planConversion } from "./pipeline.ts";
import type { Direction } from "./regions/facts.ts";
import { withinStack } from "./source/too-deep.ts";

export interface HarnessOptions {
  /** Directory that the files pretend to be in; the current one by default. */
  readonly directory?: string;
  /** Parsed files to reuse: several conversions in one process share them. */
  readonly project?: Project;
  readonly verify?: PipelineOptions["verify"];
  /** What is converted; memory regions by default. */
  readonly subject?: PipelineOptions["subject"];
}

/** What became of the sources. */
export interface Converted {
  /** The texts after the conversion, by the names given; unchanged ones too. */
  readonly texts: ReadonlyMap<string, string>;
  /** Every region found, in source order. */
  readonly sites: readonly Site[];
  /** The regions that were not converted, as `line class.region reason`. */
  readonly refusals: readonly string[];
  readonly plan: Plan;
}

/** Runs one codemod over sources given by name. @throws CommandError if one does not parse. */
export function runCodemodOn(
  files: Readonly<Record<string, string>>,
  direction: Direction,
  options: HarnessOptions = {},
): Converted {
  const { directory = process.cwd(), ...rest } = options;
  const overlay = new Map(Object.entries(files).map(([name, text]) => [join(directory, name), text]));
  const paths = [...overlay.keys()];
  const plan = withinStack(
    paths,
    () => planConversion(paths, direction, { ...rest, overlay, searchPackage: false }),
    (path) => overlay.get(path),
  );
  const sites = plan.files.flatMap((file) => file.sites);
  return {
    texts: new Map(plan.files.map(({ path, after }) => [relative(directory, path), after])),
    sites,
    refusals: plan.files.flatMap(refusalsOf),
    plan,
  };
}

/** The refused regions of a file, as `line class.region reason`. */
export function refusalsOf({ sites }: FilePlan): string[] {
  return sites
    .filter(({ reason }) => reason !== undefined)
    .map(({ line, className, region, reason }) => `${line} ${className}.${region} ${reason}`);
}
