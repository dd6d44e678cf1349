/** How costs grow with the number of things: what `regionlab bench scaling --json` writes, beside the growth in QEMU. */
import { CommandError } from "#host";
import { parseJson } from "./parse.ts";
import { isRecord, JsonReader } from "./reader.ts";
import { plainTable, type Table } from "./renderers/table-model.ts";
import { FORMS, type Form } from "./schema.ts";
import { fitPower, type GrowthFit, type GrowthPoint } from "./statistics/power.ts";

export type { GrowthFit, GrowthPoint };

/** Below this size, costs that do not depend on n hide the growth. */
export const ASYMPTOTIC = 1000;

/** How a cost can grow with n. */
export const GROWTH_LAWS = ["1", "log n", "n", "n log n", "n^2"] as const;
export type GrowthLaw = (typeof GROWTH_LAWS)[number];

/** What was made larger and larger. */
export interface GrowthWork {
  readonly name: string;
  /** One change, of which the cost is shown. */
  readonly change: string;
  /** How the cost of one change should grow with n, in words and as the greatest exponent that is called that. */
  readonly aim: string;
  readonly most: number;
  /** How it grows in QEMU 10.2.2, and where its source says so. */
  readonly qemu: GrowthLaw;
  readonly source: string;
}

export const GROWTH_VERDICTS = ["reached", "missed", "open"] as const;

/** The growth of one work in one form. */
export interface Growth {
  readonly work: string;
  readonly form: Form;
  /** One for each repeat of each size. */
  readonly points: readonly GrowthPoint[];
  /** From {@link ASYMPTOTIC} things on. */
  readonly fit: GrowthFit;
  readonly verdict: (typeof GROWTH_VERDICTS)[number];
}

/** Whether the exponent is at most `most`: settled only if the whole interval says the same. */
export function growthVerdict({ low, high }: GrowthFit, most: number): Growth["verdict"] {
  if (high <= most) return "reached";
  return low > most ? "missed" : "open";
}

/**
 * The growth of points, from {@link ASYMPTOTIC} things on.
 * @throws RangeError when there are fewer than three such sizes
 */
export function growthFit(points: readonly GrowthPoint[]): GrowthFit {
  return fitPower(points.filter(({ size }) => size >= ASYMPTOTIC));
}

export interface GrowthRecord {
  /** Version of Node. */
  readonly node: string;
  readonly works: readonly GrowthWork[];
  readonly growths: readonly Growth[];
}

/**
 * Reads what was written by `bench scaling --json`.
 * @param file name for messages
 * @throws CommandError (exit code 2) when the text is not that, or is damaged
 */
export function parseGrowth(text: string, file: string): GrowthRecord {
  const writer = "`regionlab bench scaling --json`";
  const json = parseJson(text, file, writer);
  if (!isRecord(json) || !Array.isArray(json.works) || !Array.isArray(json.growths))
    throw new CommandError(`${file}: is JSON without works and growths; give a file that ${writer} wrote`);
  const root = new JsonReader(file, json, "$", writer);
  const works = root.at("works").array(readWork);
  return {
    node: root.at("node").string(),
    works,
    growths: readGrowths(root.at("growths"), works),
  };
}

function readGrowths(reader: JsonReader, works: readonly GrowthWork[]): Growth[] {
  const seen = new Set<string>();
  const growths = reader.array((each) => {
    const growth = readGrowth(each, works);
    const key = `${growth.work}, ${growth.form}`;
    if (seen.has(key)) each.fail(`each work once in each form, not again ${key}`);
    seen.add(key);
    return growth;
  });
  if (growths.length === 0) reader.fail("the growth of at least one work");
  return growths;
}

function readWork(reader: JsonReader): GrowthWork {
  return {
    name: reader.at("name").string(),
    change: reader.at("change").string(),
    aim: reader.at("aim").string(),
    most: reader.at("most").number(),
    qemu: reader.at("qemu").oneOf(GROWTH_LAWS),
    source: reader.at("source").string(),
  };
}

/** Reads a growth, and computes again what follows from its points. */
function readGrowth(reader: JsonReader, works: readonly GrowthWork[]): Growth {
  const points = reader.at("points").array((point) => ({
    size: point.at("size").positive(),
    cost: point.at("cost").positive(),
  }));
  const sizes = new Set(points.map(({ size }) => size).filter((size) => size >= ASYMPTOTIC));
  if (sizes.size < 3) reader.at("points").fail(`points of at least three sizes from ${ASYMPTOTIC} on`);
  const fit = growthFit(points);
  for (const member of ["exponent", "low", "high"] as const) {
    const stored = reader.at("fit").at(member);
    if (!isNear(stored.number(), fit[member])) stored.fail(`${fit[member]}, which follows from the points`);
  }
  const work = reader.at("work").oneOf(works.map(({ name }) => name));
  const verdict = growthVerdict(fit, works.find(({ name }) => name === work)?.most ?? Number.NaN);
  const stored = reader.at("verdict");
  if (stored.oneOf(GROWTH_VERDICTS) !== verdict) stored.fail(`"${verdict}", which follows from the interval`);
  return { work, form: reader.at("form").oneOf(FORMS), points, fit, verdict };
}

/** Equal in the digits that are shown: files hold rounded exponents. */
function isNear(stored: number, computed: number): boolean {
  return Math.abs(stored - computed) <= 1e-3;
}

/** What a law gives at a size, as a multiple of what it gives at another one; both are above 1. */
export function growthOf(law: GrowthLaw, from: number, to: number): number {
  switch (law) {
    case "1":
      return 1;
    case "log n":
      return Math.log(to) / Math.log(from);
    case "n":
      return to / from;
    case "n log n":
      return (to / from) * growthOf("log n", from, to);
    case "n^2":
      return (to / from) ** 2;
  }
}

/** The least cost at each size, in ascending order of size: what is added by chance is never negative. */
export function leastCosts({ points }: Pick<Growth, "points">): GrowthPoint[] {
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b);
  return sizes.map((size) => {
    const costs = points.filter((point) => point.size === size).map(({ cost }) => cost);
    return { size, cost: Math.min(...costs) };
  });
}

/** One row for each work and form. */
export function growthTable({ works, growths }: Pick<GrowthRecord, "works" | "growths">): Table {
  const sizes = growths.flatMap(({ points }) => points.map(({ size }) => size));
  const ends = [Math.min(...sizes.filter((size) => size >= ASYMPTOTIC)), Math.max(...sizes)];
  return plainTable(
    "Cost of one change among n things (the least of all repeats), its growth, and QEMU’s",
    [
      "Work",
      "Form",
      ...ends.map((size) => `n = ${formatSize(size)}`),
      "Exponent (95 %)",
      "Aim",
      "Verdict",
      "QEMU 10.2.2",
    ],
    [2, 3, 4],
    growths.map((growth) => {
      const { work, form, fit, verdict } = growth;
      const { aim = "", qemu } = works.find(({ name }) => name === work) ?? {};
      const costs = ends.map((end) => {
        const at = leastCosts(growth).find(({ size }) => size === end);
        return at === undefined ? "" : formatCost(at.cost);
      });
      const exponent = `${exponentText(fit.exponent)} (${exponentText(fit.low)} to ${exponentText(fit.high)})`;
      return [work, form, ...costs, exponent, aim, verdict, qemu === undefined ? "" : lawText(qemu)];
    }),
    growths.flatMap(({ verdict }, i) => (verdict === "missed" ? [i] : [])),
  );
}

/** A law as people write it: `n²`. */
export function lawText(law: GrowthLaw): string {
  return law.replace("^2", "²");
}

function exponentText(exponent: number): string {
  const rounded = exponent.toFixed(2);
  return rounded === "-0.00" ? "0.00" : rounded;
}

/** A size with its thousands apart: `100 000`. */
export function formatSize(size: number): string {
  return String(size).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** @param nanoseconds above 0 */
export function formatCost(nanoseconds: number): string {
  const units = ["ns", "µs", "ms", "s"];
  const step = Math.min(Math.max(Math.floor(Math.log10(nanoseconds) / 3), 0), units.length - 1);
  const value = nanoseconds / 1000 ** step;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))}\u00a0${units[step]}`;
}
