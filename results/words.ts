/** Numbers and verdicts as every renderer words them. */
import {
  type Comparison,
  type Effect,
  type Environment,
  type Form,
  type Interval,
  type Metric,
  type Run,
  VERDICTS,
  type Verdict,
} from "./schema.ts";

/** Non-breaking, so that a figure never parts from its unit. */
const GAP = "\u00a0";
const MINUS = "\u2212";

/** Three significant digits; thousands apart by narrow spaces. */
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

/** A difference with its sign, without unit: whole, or with as many decimals as its size needs. */
export function formatSigned(value: number): string {
  const size = Math.abs(value);
  if (Number(size.toFixed(2)) === 0) return "0";
  const digits =
    size >= 99.5 || Number.isInteger(value)
      ? formatNumber(Math.round(size))
      : size.toFixed(size < 9.95 ? 2 : 1);
  return (value < 0 ? MINUS : "+") + digits;
}

/** The unit in which differences of this metric are given. */
export function differenceUnit(metric: Pick<Metric, "scale" | "unit">): string {
  return metric.scale === "percent" ? "%" : metric.unit;
}

export function formatInterval({ low, high }: Interval): string {
  return `${formatSigned(low)} to ${formatSigned(high)}`;
}

/** For instance `+0.3 % (−0.4 … +0.9)`. */
export function formatEffect(effect: Interval, unit: string): string {
  return `${formatSigned(effect.estimate)}${GAP}${unit} (${formatInterval(effect)})`;
}

export function formatDate(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** `mmioTraceSha256` and the like, short enough for a table, long enough to tell two apart. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}

/** The verdict as said of this metric: memory is not faster or slower but less or more. */
export function verdictWord(verdict: Verdict, quantity: Metric["quantity"]): string {
  if (quantity === "time") return verdict;
  if (verdict === "faster") return "less";
  return verdict === "slower" ? "more" : verdict;
}

/** A sign beside the word, so that colour is never the only carrier. */
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
  }
}

export function metricTitle({ workload, name }: Pick<Metric, "workload" | "name">): string {
  return `${workload}: ${name}`;
}

/** B as a reader knows it; two arms of one form are told apart by their letters. */
export function formNames(run: Run): { A: string; B: string } {
  const { A, B } = run.options.forms;
  return A === B ? { A: `${A} (A)`, B: `${B} (B)` } : { A, B };
}

/** What a metric says about B, in one sentence with its figures. */
export function verdictSentence(metric: Metric, names: { A: string; B: string }): string {
  const { ab, aa } = metric.comparison;
  const unit = differenceUnit(metric);
  return `${verdictClaim(metric, names)}: ${formatEffect(ab, unit)}; A against itself ${formatEffect(aa, unit)}.`;
}

/** The same without its figures. */
export function verdictClaim(metric: Metric, { A, B }: { A: string; B: string }): string {
  const { verdict } = metric.comparison;
  switch (verdict) {
    case "faster":
    case "slower":
      return metric.quantity === "time"
        ? `${capital(B)} is ${verdict} than ${A}`
        : `${capital(B)} retains ${verdictWord(verdict, metric.quantity)} than ${A}`;
    case "equivalent":
      return `${capital(B)} and ${A} are equivalent within \u00b1${formatQuantity(metric.margin, differenceUnit(metric))}`;
    case "no difference":
      return `No difference between ${B} and ${A} beyond that of ${A} to itself`;
    case "inconclusive":
      return `Inconclusive${repeatsHint(metric.comparison)}`;
  }
}

/** A text as a sentence: capital letter, full stop. */
export function sentence(text: string): string {
  return capital(text.endsWith(".") ? text : `${text}.`);
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** In how many pairs of processes an arm has the larger value: more time, more memory. */
export function formatPairs({ above, pairs }: Effect): string {
  return `${above} of ${pairs}`;
}

/** How many repeats it would take, where that can be said. */
function repeatsHint({ repeatsNeeded }: Comparison): string {
  return repeatsNeeded === null
    ? ", and more repeats will not settle it"
    : `, about ${formatNumber(repeatsNeeded)} repeats would settle it`;
}

/** Sign and word. */
export function verdictChip({ comparison: { verdict }, quantity }: Metric): string {
  return `${verdictSign(verdict)}${GAP}${verdictWord(verdict, quantity)}`;
}

/** The verdict as it stands in a table: for an open one with the repeats that would settle it. */
export function verdictLabel(metric: Metric): string {
  const { repeatsNeeded } = metric.comparison;
  return (
    verdictChip(metric) + (repeatsNeeded === null ? "" : `, ~${formatNumber(repeatsNeeded)}${GAP}repeats`)
  );
}

export function countVerdicts(verdicts: readonly Verdict[]): Map<Verdict, number> {
  const counts = new Map<Verdict, number>();
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return counts;
}

/** The answer to the run's question in a few plain sentences, the control included. */
export function answer(run: Run): string[] {
  const failed = run.equivalence.filter((proof) => !proof.equal);
  if (failed.length > 0) {
    return [
      `The two forms are not equivalent: ${failed.map((proof) => proof.workload).join(", ")} behaved differently. ` +
        "No time is reported, because it would compare different work.",
    ];
  }
  const headlines = run.metrics.filter((metric) => metric.role === "headline");
  const counts = countVerdicts(headlines.map((metric) => metric.comparison.verdict));
  const said = VERDICTS.flatMap((verdict) => {
    const count = counts.get(verdict);
    return count === undefined ? [] : [`${count} ${verdict}`];
  }).join(", ");
  const { A, B } = formNames(run);
  const claimed = run.metrics.filter(({ comparison: { aaVerdict } }) => isDifference(aaVerdict)).length;
  const sentences = [
    `${capital(B)} against ${A}, ${headlines.length} headline metrics: ${said || "none measured"}.`,
  ];
  if (run.metrics.length > 0) {
    sentences.push(
      `Control: the same rule, applied to ${A} against itself, claims a difference in ` +
        `${claimed} of ${run.metrics.length} metrics.`,
    );
  }
  return sentences;
}

/** Whether a verdict claims that one arm is better than the other. */
export function isDifference(verdict: Verdict): boolean {
  return verdict === "faster" || verdict === "slower";
}

/** One count per process: a single figure when all agree, else the range. */
export function formatCounts(counts: readonly number[]): string {
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  if (counts.length === 0) return "not counted";
  return low === high ? formatNumber(low) : `${formatNumber(low)} to ${formatNumber(high)}`;
}

/** Environment as label and text, in the order in which it is shown. */
export function environmentRows(environment: Environment): [label: string, text: string][] {
  const e = environment;
  const known = (value: boolean | null, yes: string, no: string) =>
    value === null ? "not shown by the system" : value ? yes : no;
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(", ");
  return [
    ["Date", formatDate(e.date)],
    ["Duration", formatQuantity(Math.round(e.seconds), "s")],
    [
      "Commit",
      e.commit === null
        ? "not in a repository"
        : `${e.commit.slice(0, 12)}${e.dirty ? ", with changes" : ""}`,
    ],
    ["regionlab", e.regionlab],
    ["Runtime", `Node ${e.node}, V8 ${e.v8}`],
    ["Runtime options", e.execArgv.length === 0 ? "none" : e.execArgv.join("; ")],
    ["Processor", `${e.cpuModel}, ${e.cpuCount} logical, ${e.arch}`],
    ["Hypervisor", known(e.virtualised, "yes: neighbours can disturb", "none seen")],
    ["Governor", e.governor ?? "not shown by the system"],
    ["Memory", formatBytes(e.memoryBytes)],
    ["System", `${e.platform} ${e.kernel}`],
    ["Load before", load(e.loadBefore)],
    ["Load after", load(e.loadAfter)],
  ];
}

/** What to beware of when reading this run; each line says cause and remedy. */
export function warnings(run: Run): string[] {
  const list: string[] = [];
  const { environment, options } = run;
  if (run.synthetic) list.push("SYNTHETIC DATA: generated to test the report, measured nowhere.");
  const load = environment.loadBefore[0] ?? 0;
  if (load > environment.cpuCount / 2) {
    list.push(
      `The machine was busy when the run began (load ${load.toFixed(1)} on ${environment.cpuCount} processors): ` +
        "intervals are wider than they need be. Measure on an idle machine.",
    );
  }
  if (environment.dirty)
    list.push("The working tree had changes: the commit does not say what was measured. Commit first.");
  if (options.quick)
    list.push("A quick run: few repeats, wide intervals. Leave out --quick for figures to quote.");
  const severe = run.metrics.filter((m) =>
    Object.values(m.outliers).some((arm) => arm.includes("severe")),
  ).length;
  if (severe > 0) {
    list.push(
      `${severe} of ${run.metrics.length} metrics have severe outliers (shown, not dropped): ` +
        "something else ran on the machine. Medians resist them; repeat on an idle machine to be rid of them.",
    );
  }
  return list;
}

export function formOfArm(run: Run, arm: "A" | "B" | "A2"): Form {
  return arm === "B" ? run.options.forms.B : run.options.forms.A;
}
