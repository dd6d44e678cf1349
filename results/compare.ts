import { CommandError, cleanText } from "#host";
import { metricKey } from "./rows.ts";
import { ARMS, type Environment, type Form, type Interval, type Metric, type Run } from "./schema.ts";
import { differenceUnit, figureTitle, formatEffect, formatNumber, formOfArm } from "./words.ts";

/** Estimates the change from one group of processes to another; provided by the caller. */
export type Estimator = (
  baseline: readonly number[],
  current: readonly number[],
  scale: Metric["scale"],
  label: string,
) => Interval;

export interface CompareOptions {
  readonly estimate: Estimator;
  /** Percent by which a metric may get worse. */
  readonly maxRegression: number;
  /** Compare even if machine or runtime differ; the result then says so. */
  readonly force: boolean;
  /** File name of the baseline, for messages. */
  readonly baselineFile: string;
}

export interface Change {
  readonly metric: Metric;
  readonly form: Form;
  /** Change since the baseline, on the metric's scale; more is worse. */
  readonly change: Interval;
  /** Whether a regression of it may fail a build. */
  readonly judged: boolean;
  readonly regressed: boolean;
}

export interface BaselineComparison {
  readonly changes: readonly Change[];
  /** Metrics of this run that the baseline lacks. */
  readonly missing: readonly string[];
  /** Figures that decide a question in the baseline and that this run lacks, although it measured their suite. */
  readonly absent: readonly string[];
  /** Ways in which the two environments differ; non-empty only when forced. */
  readonly differences: readonly string[];
}

/** With fewer times, the median is too uncertain to judge. */
const LEAST_TIMES = 4;

/** Properties of the environment that times depend on, with their names in messages. */
const DECISIVE = {
  cpuModel: "processor",
  cpuCount: "logical processors",
  arch: "architecture",
  platform: "system",
  node: "Node",
  v8: "V8",
} as const;
type DecisiveKey = keyof typeof DECISIVE;
const DECISIVE_KEYS = [
  "cpuModel",
  "cpuCount",
  "arch",
  "platform",
  "node",
  "v8",
] as const satisfies DecisiveKey[];

/** The part of an environment that decides whether figures may be compared; known before anything is measured. */
export type DecisiveEnvironment = Pick<Environment, DecisiveKey | "execArgv">;

/**
 * Checks that measurements in an environment may be compared with a stored run. To be called before measuring.
 *
 * @param file name of the baseline, for messages
 * @returns the ways in which the environments differ; non-empty only when forced
 * @throws CommandError (exit code 2) when machines or runtimes differ and `force` is not set, or when the baseline was
 *   merged from machines that differ among themselves
 */
export function checkComparable(
  baseline: Pick<Run, "machines" | "synthetic">,
  environment: DecisiveEnvironment,
  force: boolean,
  file = "the baseline",
): string[] {
  return checkDifferences(baseline, [environment], { force, file, synthetic: false });
}

function checkDifferences(
  baseline: Pick<Run, "machines" | "synthetic">,
  environments: readonly DecisiveEnvironment[],
  { force, file, synthetic }: { force: boolean; file: string; synthetic: boolean },
): string[] {
  const [first, ...others] = baseline.machines;
  if (first === undefined) throw new CommandError(`${file}: names no machine; measure it again`);
  const among = others.flatMap((other) => environmentDifferences(first, other, ["on one", "on another"]));
  if (among.length > 0) {
    throw new CommandError(
      `${file}: was merged from machines that differ (${unique(among).join("; ")}), so there is no single figure to compare ` +
        "with; give the run of a single machine",
    );
  }
  const differences = environments.flatMap((environment) => environmentDifferences(first, environment));
  if (baseline.synthetic !== synthetic) differences.push("one of them is synthetic");
  if (differences.length > 0 && !force) {
    throw new CommandError(
      `${file}: was measured elsewhere (${unique(differences).join("; ")}), so a comparison would say nothing ` +
        "about the code; measure a baseline here, or add --force to compare anyway",
    );
  }
  return unique(differences);
}

/**
 * Compares every figure of both forms with a stored run: times, counts, reads and memory.
 *
 * A metric has regressed when it decides its question, its estimate is worse by more than the limit, and its interval
 * excludes zero. A large change that may be chance does not fail a build, nor does a certain but small one, nor a time
 * that no run judges. On the absolute scale, where percentages mean nothing, the limit is the metric's own margin.
 * Controls always run the same code: if they move, the machine has changed, so they never count as regressions.
 *
 * @throws CommandError (exit code 2) as {@link checkComparable} does
 */
export function compareRuns(baseline: Run, current: Run, options: CompareOptions): BaselineComparison {
  const { force, baselineFile: file } = options;
  const differences = checkDifferences(baseline, current.machines, {
    force,
    file,
    synthetic: current.synthetic,
  });
  const known = new Map(baseline.metrics.map((metric) => [metricKey(metric), metric]));
  const changes: Change[] = [];
  const missing: string[] = [];
  for (const metric of current.metrics) {
    const old = known.get(metricKey(metric));
    if (!old) missing.push(`${metric.suite}/${figureTitle(metric)}`);
    else if (!isSameMeasure(old, metric)) {
      missing.push(
        `${metric.suite}/${figureTitle(metric)} (the baseline has another unit, scale or estimator)`,
      );
    } else changes.push(...compareMetric(old, metric, baseline, current, options));
  }
  const present = new Set(current.metrics.map(metricKey));
  const absent = baseline.metrics
    .filter((metric) => metric.decides && current.options.suites.includes(metric.suite))
    .filter((metric) => !present.has(metricKey(metric)))
    .map(figureTitle);
  return { changes, missing, absent, differences };
}

function isSameMeasure(a: Metric, b: Metric): boolean {
  return a.unit === b.unit && a.scale === b.scale && a.estimator === b.estimator;
}

function compareMetric(
  old: Metric,
  metric: Metric,
  baseline: Run,
  current: Run,
  options: CompareOptions,
): Change[] {
  const changes: Change[] = [];
  const seen = new Set<Form>();
  for (const arm of ["A", "B"] as const) {
    const form = formOfArm(current, arm);
    const before = ARMS.find((other) => formOfArm(baseline, other) === form);
    if (!before || seen.has(form)) continue;
    seen.add(form);
    const label = `${metricKey(metric)}/${form}`;
    const change = options.estimate(old.samples[before], metric.samples[arm], metric.scale, label);
    const limit = metric.scale === "percent" ? options.maxRegression : metric.margin;
    const judged = isJudged(old) && isJudged(metric);
    changes.push({
      metric,
      form,
      change,
      judged,
      regressed: judged && change.low > 0 && change.estimate > limit,
    });
  }
  return changes;
}

/** Whether a figure may fail a build: it decides its question and, if a time, has enough processes. */
function isJudged({ role, decides, quantity, samples }: Metric): boolean {
  return role !== "control" && decides && (quantity !== "time" || samples.A.length >= LEAST_TIMES);
}

/** Differences between two environments that times depend on; empty if their figures may be compared. */
export function environmentDifferences(
  then: DecisiveEnvironment,
  now: DecisiveEnvironment,
  [thereWord, hereWord]: readonly [string, string] = ["then", "now"],
): string[] {
  const differences = DECISIVE_KEYS.flatMap((key) =>
    then[key] === now[key]
      ? []
      : [
          `${DECISIVE[key]}: ${cleanText(String(then[key]))} ${thereWord}, ${cleanText(String(now[key]))} ${hereWord}`,
        ],
  );
  // There are kinds of processes with some twenty options each, of which hardly any differ.
  const only = ({ execArgv }: DecisiveEnvironment, other: DecisiveEnvironment) =>
    cleanText(
      execArgv
        .filter((each) => !other.execArgv.includes(each))
        .map((each) => lacking(each, other.execArgv))
        .join("; ") || "none",
    );
  if (then.execArgv.join("\n") !== now.execArgv.join("\n"))
    differences.push(
      `runtime options: ${only(then, now)} only ${thereWord}, ${only(now, then)} only ${hereWord}`,
    );
  return differences;
}

/** Of the options of a kind of process, as `kind: --option …`, those that the same kind lacks among `others`. */
function lacking(options: string, others: readonly string[]): string {
  const [kind = ""] = options.split(" ");
  const theirs = new Set(others.find((each) => each.startsWith(`${kind} `))?.split(" ") ?? []);
  return [
    kind,
    ...options
      .split(" ")
      .slice(1)
      .filter((word) => !theirs.has(word)),
  ].join(" ");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** One line per regression, notes on what limits the comparison, and a summary line. */
export function describeComparison(comparison: BaselineComparison, options: CompareOptions): string[] {
  const { changes, differences, missing, absent } = comparison;
  const lines: string[] = [];
  for (const difference of differences) lines.push(`FORCED COMPARISON, ${difference}`);
  for (const { metric, form, change } of changes.filter(({ regressed }) => regressed)) {
    lines.push(
      `regression: ${form}, ${figureTitle(metric)}: ${formatEffect(change, differenceUnit(metric))}`,
    );
  }
  for (const { metric, form, change } of changes.filter(({ metric: { role } }) => role === "control")) {
    if (change.low > 0 || change.high < 0) {
      lines.push(
        `the control ${figureTitle(metric)} (${form}) moved too: ${formatEffect(change, differenceUnit(metric))}; ` +
          "the machine has changed",
      );
    }
  }
  if (absent.length > 0) {
    lines.push(
      `not compared, because this run did not measure what decides in the baseline: ${absent.join(", ")}`,
    );
  }
  if (missing.length > 0) lines.push(`not in the baseline: ${missing.join(", ")}`);
  const judged = changes.filter((change) => change.judged);
  const beside = changes.length - judged.length;
  if (beside > 0) {
    lines.push(
      `${beside} of ${changes.length} changes are not judged: they are controls, do not decide their question, or are times ` +
        `of fewer than ${LEAST_TIMES} processes`,
    );
  }
  const count = judged.filter(({ regressed }) => regressed).length;
  lines.push(
    `${count} of ${judged.length} judged figures regressed by more than ${formatNumber(options.maxRegression)} % ` +
      `against ${options.baselineFile}`,
  );
  return lines.map(cleanText);
}
