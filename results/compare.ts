import { CommandError } from "./command-error.ts";
import { ARMS, type Form, type Interval, type Metric, type Run } from "./schema.ts";
import { differenceUnit, formatEffect, formatNumber, formOfArm, metricTitle } from "./words.ts";

/** How to estimate the change from one group of processes to another. Given by the caller: statistics live elsewhere. */
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
  /** Compare although machine or runtime differ; the result then says so. */
  readonly force: boolean;
  /** File name of the baseline, for messages. */
  readonly baselineFile: string;
}

export interface Change {
  readonly metric: Metric;
  readonly form: Form;
  /** Change since the baseline, on the metric's scale; more is worse. */
  readonly change: Interval;
  readonly regressed: boolean;
}

export interface BaselineComparison {
  readonly changes: readonly Change[];
  /** Metrics of this run that the baseline lacks. */
  readonly missing: readonly string[];
  /** Ways in which the two environments differ; not empty only when forced. */
  readonly differences: readonly string[];
}

/**
 * Compares every metric of both forms with a stored run.
 *
 * A metric has regressed when its estimate is worse by more than the limit and its interval excludes zero: a large
 * change that may be chance fails nobody's build, and neither does a certain but small one. On the absolute scale, where
 * percentages mean nothing, the metric's own margin is the limit. Controls run the same code always: when they move,
 * the machine has changed, and they never count as regressions.
 *
 * @throws CommandError (exit code 2) when machines or runtimes differ and `force` is not set
 */
export function compareRuns(baseline: Run, current: Run, options: CompareOptions): BaselineComparison {
  const differences = environmentDifferences(baseline, current);
  if (differences.length > 0 && !options.force) {
    throw new CommandError(
      2,
      `${options.baselineFile}: was measured elsewhere (${differences.join("; ")}), so a comparison would say nothing ` +
        "about the code; measure a baseline here, or add --force to compare all the same",
    );
  }
  const changes: Change[] = [];
  const missing: string[] = [];
  for (const metric of current.metrics) {
    const old = baseline.metrics.find(
      (m) => m.suite === metric.suite && m.workload === metric.workload && m.name === metric.name,
    );
    if (!old) missing.push(`${metric.suite}/${metricTitle(metric)}`);
    else changes.push(...compareMetric(old, metric, baseline, current, options));
  }
  return { changes, missing, differences };
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
    const label = `${metric.suite}/${metric.workload}/${metric.name}/${form}`;
    const change = options.estimate(old.samples[before], metric.samples[arm], metric.scale, label);
    const limit = metric.scale === "percent" ? options.maxRegression : metric.margin;
    const regressed = metric.role !== "control" && change.low > 0 && change.estimate > limit;
    changes.push({ metric, form, change, regressed });
  }
  return changes;
}

/** What differs between the places of two runs that their times depend on; empty when they may be compared. */
export function environmentDifferences(baseline: Run, current: Run): string[] {
  const labels = {
    cpuModel: "processor",
    cpuCount: "logical processors",
    arch: "architecture",
    platform: "system",
    node: "Node",
    v8: "V8",
  } as const;
  const differences: string[] = [];
  for (const key of ["cpuModel", "cpuCount", "arch", "platform", "node", "v8"] as const) {
    const [then, now] = [baseline.environment[key], current.environment[key]];
    if (then !== now) differences.push(`${labels[key]}: ${then} then, ${now} now`);
  }
  const options = (run: Run) => run.environment.execArgv.join(" ");
  if (options(baseline) !== options(current)) differences.push("runtime options");
  if (baseline.synthetic !== current.synthetic) differences.push("one of them is synthetic");
  return differences;
}

/** One line per regression, a summary line, and labels for what limits the comparison. */
export function describeComparison(comparison: BaselineComparison, options: CompareOptions): string[] {
  const { changes, differences, missing } = comparison;
  const lines: string[] = [];
  for (const difference of differences) lines.push(`FORCED COMPARISON, ${difference}`);
  for (const { metric, form, change } of changes.filter(({ regressed }) => regressed)) {
    lines.push(
      `regression: ${form}, ${metricTitle(metric)}: ${formatEffect(change, differenceUnit(metric))}`,
    );
  }
  for (const { metric, form, change } of changes.filter(({ metric: { role } }) => role === "control")) {
    if (change.low > 0 || change.high < 0) {
      lines.push(
        `the control ${metricTitle(metric)} (${form}) moved too: ${formatEffect(change, differenceUnit(metric))}; ` +
          "the machine is not as it was",
      );
    }
  }
  if (missing.length > 0) lines.push(`not in the baseline: ${missing.join(", ")}`);
  const count = changes.filter(({ regressed }) => regressed).length;
  lines.push(
    `${count} of ${changes.length} metrics regressed by more than ${formatNumber(options.maxRegression)} % ` +
      `against ${options.baselineFile}`,
  );
  return lines;
}
