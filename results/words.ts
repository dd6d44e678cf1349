/** Wording of numbers and verdicts, shared by all renderers. */
import type {
  Arm,
  Effect,
  Form,
  Interval,
  LifetimeFigures,
  Metric,
  MetricDefinition,
  Quantity,
  Question,
  Run,
  Suite,
  Verdict,
} from "./schema.ts";

/** Titles of the suites, as readers see them. */
export const SUITE_TITLES: Readonly<Record<Suite, string>> = {
  boot: "Boot time",
  dispatch: "Dispatch latency",
  retention: "Heap retention",
};

/** Names of the quantities in running text. */
export const QUANTITY_NAMES: Readonly<Record<Quantity, string>> = {
  time: "time",
  count: "instructions",
  reads: "region fields read",
  memory: "memory",
};

/** A no-break space, so that a number is never separated from its unit. */
const GAP = "\u00a0";
const MINUS = "\u2212";

/** Three significant digits below 1000, integers from there on; thousands are separated by narrow no-break spaces. */
export function formatNumber(value: number): string {
  const sign = value < 0 ? MINUS : "";
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(size)) {
    return (
      sign +
      Math.round(size)
        .toString()
        .replace(/\B(?=(\d{3})+$)/g, "\u202f")
    );
  }
  return sign + size.toPrecision(3);
}

export function formatQuantity(value: number, unit: string): string {
  return unit === "" ? formatNumber(value) : `${formatNumber(value)}${GAP}${unit}`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10)),
  );
  return formatQuantity(bytes / 1024 ** power, units[power] ?? "B");
}

/**
 * Formats two figures with as many digits, three to six, as it takes to show their difference.
 * @returns without unit
 */
export function formatFigures({ a, b }: Effect["figures"]): [string, string] {
  const size = Math.max(Math.abs(a), Math.abs(b));
  const difference = Math.abs(b - a);
  const needed = difference === 0 ? 3 : Math.ceil(Math.log10(size / difference)) + 2;
  const digits = Math.min(6, Math.max(3, needed));
  const format = (value: number) => {
    if (Math.abs(value) >= 1000 || value === 0) return formatNumber(value);
    // Both figures get the number of decimals that the larger one needs.
    const decimals = Math.min(6, Math.max(0, digits - Math.floor(Math.log10(size)) - 1));
    return `${value < 0 ? MINUS : ""}${Math.abs(value).toFixed(decimals)}`;
  };
  return [format(a), format(b)];
}

/** A signed difference without unit: an integer, or with as many decimals as its size needs. */
export function formatSigned(value: number): string {
  const size = Math.abs(value);
  if (Number(size.toFixed(3)) === 0) return "0";
  const decimals = size < 0.0995 ? 3 : size < 9.95 ? 2 : 1;
  const digits =
    size >= 99.5 || Number.isInteger(value) ? formatNumber(Math.round(size)) : size.toFixed(decimals);
  return (value < 0 ? MINUS : "+") + digits;
}

/** The unit in which differences of this metric are given. */
export function differenceUnit({ scale, unit }: Pick<MetricDefinition, "scale" | "unit">): string {
  return scale === "percent" ? "%" : unit;
}

export function formatInterval({ low, high }: Interval): string {
  return `${formatSigned(low)} to ${formatSigned(high)}`;
}

/** For instance `+0.30 % (−0.40 to +0.90)`. */
export function formatEffect(effect: Interval, unit: string): string {
  const gap = unit === "" ? "" : GAP;
  return `${formatSigned(effect.estimate)}${gap}${unit} (${formatInterval(effect)})`;
}

/** For instance `±0.50 %`. */
export function formatMargin({
  margin,
  scale,
  unit,
}: Pick<MetricDefinition, "margin" | "scale" | "unit">): string {
  return `\u00b1${Number(margin.toPrecision(3))}${GAP}${differenceUnit({ scale, unit })}`;
}

/** The confidence level of an interval, for instance `98.3 %`. */
export function formatLevel(level: number): string {
  return `${Number((100 * level).toPrecision(3))}${GAP}%`;
}

export function formatDate(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Shortens a hash such as `mmioTraceSha256`: short enough for a table, long enough to tell two apart. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}

/** One count per process: a single figure when all agree, else the range. */
export function formatCounts(counts: readonly number[]): string {
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  if (counts.length === 0) return "not counted";
  return low === high ? formatNumber(low) : `${formatNumber(low)} to ${formatNumber(high)}`;
}

/** A number with its noun: `1 question`, `3 questions`. */
export function countOf(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Joins texts as a sentence does: `a`, `a and b`, `a, b and c`. */
export function listOf(texts: readonly string[]): string {
  const last = texts.at(-1) ?? "";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} and ${last}`;
}

/** A text as a sentence: capital letter, full stop. */
export function sentence(text: string): string {
  return capital(/[.!?]$/.test(text) ? text : `${text}.`);
}

/** Words that are capitalised only because they open a sentence; names keep their capital. */
const OPENERS = /^(?:A|An|Another|It|Its|No|None|Not|Only|The|These|This|Too)(?= )/;

/** A sentence as part of another: without its full stop, and with an ordinary first word in lower case. */
export function clause(text: string): string {
  return text
    .trim()
    .replace(/\.$/, "")
    .replace(OPENERS, (word) => word.toLowerCase());
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The verdict in terms of the quantity: for counts, reads and memory, less or more instead of faster or slower. */
export function verdictWord(verdict: Verdict, quantity: Quantity): string {
  if (verdict === "no difference") return "not told apart"; // from what A shows against itself
  if (quantity === "time") return verdict;
  if (verdict === "faster") return "less";
  return verdict === "slower" ? "more" : verdict;
}

/** The symbol shown with a verdict, so that colour is never the only cue. */
export function verdictSign(verdict: Verdict): string {
  switch (verdict) {
    case "faster":
      return "\u25bc";
    case "slower":
      return "\u25b2";
    case "equivalent":
      return "=";
    case "no difference":
      return "\u2248";
    case "inconclusive":
      return "?";
    case "not judged":
      return "\u00b7";
  }
}

/** Wording for equal numbers of reads: exact, so without a margin; “by construction” where they cannot differ. */
export function equalReads({ byConstruction }: Pick<MetricDefinition, "byConstruction">): string {
  return `equal in ${QUANTITY_NAMES.reads}${byConstruction === null ? "" : ", by construction"}`;
}

/** Symbol and verdict; for `equivalent`, also the margin in the unit of the difference. */
export function verdictChip(verdict: Verdict, metric: MetricDefinition | null): string {
  if (verdict === "equivalent" && metric?.quantity === "reads") {
    return `${verdictSign(verdict)}${GAP}equal${metric.byConstruction === null ? "" : " by construction"}`;
  }
  const word = `${verdictSign(verdict)}${GAP}${verdictWord(verdict, metric?.quantity ?? "time")}`;
  return verdict === "equivalent" && metric !== null ? `${word} \u00b1${marginOf(metric)}` : word;
}

function marginOf({ margin, scale }: MetricDefinition): string {
  return `${Number(margin.toPrecision(3))}${scale === "percent" ? `${GAP}%` : ""}`;
}

export function questionTitle({ workload, name }: Pick<Question, "workload" | "name">): string {
  return `${workload}: ${name}`;
}

/** Title of one figure: its question, with the quantity unless that is time, and the source if that is QEMU. */
export function figureTitle({ workload, name, quantity, source }: Metric): string {
  const notes = [
    ...(quantity === "time" ? [] : [QUANTITY_NAMES[quantity]]),
    ...(source === "qemu" ? ["QEMU in C"] : []),
  ];
  return questionTitle({ workload, name }) + (notes.length === 0 ? "" : ` (${notes.join(", ")})`);
}

/** Names of the two forms; if both arms have the same form, their letters tell them apart. */
export function formNames(run: Pick<Run, "options">): { A: string; B: string } {
  const { A, B } = run.options.forms;
  return A === B ? { A: `${A} (A)`, B: `${B} (B)` } : { A, B };
}

export function armNames(run: Pick<Run, "options">): Record<Arm, string> {
  const names = formNames(run);
  return { ...names, A2: `${run.options.forms.A} again` };
}

export function formOfArm(run: Pick<Run, "options">, arm: Arm): Form {
  return arm === "B" ? run.options.forms.B : run.options.forms.A;
}

/** What the verdict of a metric says about B, without figures. */
export function verdictClaim(metric: Metric, { A, B }: { A: string; B: string }): string {
  const { quantity, comparison } = metric;
  const { verdict } = comparison;
  switch (verdict) {
    case "faster":
    case "slower": {
      const word = verdictWord(verdict, quantity);
      if (quantity === "time") return `${B} is ${word} than ${A}`;
      if (quantity === "reads")
        return `${B} reads ${word === "less" ? "fewer" : word} region fields than ${A}`;
      return quantity === "count"
        ? `${B} takes ${word === "less" ? "fewer" : word} instructions than ${A}`
        : `${B} retains ${word} memory than ${A}`;
    }
    case "equivalent":
      if (quantity === "reads") return `${B} and ${A} are ${equalReads(metric)}`;
      return `${B} and ${A} are equivalent within ${formatMargin(metric)}`;
    case "no difference":
      return `no difference between ${B} and ${A} beyond what ${A} shows against itself`;
    case "inconclusive":
      return `${B} against ${A} is undecided`;
    case "not judged":
      return `${B} against ${A} is shown but not judged`;
  }
}

/** In how many pairs the arm has the larger value (more time, more memory). */
export function formatPairs({ above, pairs }: Effect): string {
  return `${above} of ${pairs}`;
}

/** Faults that a lifetime scenario can show, worst first. */
export const FAULTS = [
  "abort",
  "use after free",
  "use after finalize",
  "blocks never freed",
  "blocks that pile up",
] as const;
export type Fault = (typeof FAULTS)[number];

/** The faults of a lifetime scenario, worst first, without counts. */
export function faultsOf(figures: LifetimeFigures): Fault[] {
  const counts: Readonly<Record<Fault, number>> = {
    abort: figures.aborts,
    "use after free": figures.usesAfterFree,
    "use after finalize": figures.usesAfterFinalize,
    "blocks never freed": figures.blocksUnfreed,
    "blocks that pile up": figures.blocksHeld,
  };
  return FAULTS.filter((fault) => counts[fault] > 0);
}

/** The faults of a lifetime scenario with their counts, worst first; `clean` if there are none. */
export function outcomeWords({
  aborts,
  usesAfterFree,
  usesAfterFinalize,
  blocksUnfreed,
  bytesUnfreed,
  blocksHeld,
  bytesHeld,
}: LifetimeFigures): string {
  const faults = [
    ...(aborts > 0 ? [`abort (${formatNumber(aborts)})`] : []),
    ...(usesAfterFree > 0 ? [`use after free (${formatNumber(usesAfterFree)})`] : []),
    ...(usesAfterFinalize > 0 ? [`use after finalize (${formatNumber(usesAfterFinalize)})`] : []),
    ...(blocksUnfreed > 0
      ? [`${countOf(blocksUnfreed, "block")} never freed (${formatBytes(bytesUnfreed)})`]
      : []),
    ...(blocksHeld > 0
      ? [`${countOf(blocksHeld, "block")} piled up until the device ends (${formatBytes(bytesHeld)})`]
      : []),
  ];
  return faults.length === 0 ? "clean" : listOf(faults);
}
