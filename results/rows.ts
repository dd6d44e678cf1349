/** The figures of one question side by side: a time, the count of the same work, and the same from QEMU in C. */
import type { Metric, MetricIdentity, Omission, Question, Role, Run, Source, Verdict } from "./schema.ts";

/** A question with all figures that answer it, and with those that are missing. */
export interface ReportRow extends Question {
  readonly role: Role;
  /** The figure that decides; null if it is missing. */
  readonly deciding: Metric | null;
  /** All figures, the deciding one first. */
  readonly figures: readonly Metric[];
  readonly omissions: readonly Omission[];
  /** The verdict of the deciding figure. Without one, `inconclusive`, or for a detail that none would decide, `not judged`. */
  readonly verdict: Verdict;
}

/** The questions of a run in the order of its metrics, for one source. */
export function rowsOf(
  { metrics, omissions }: Pick<Run, "metrics" | "omissions">,
  source: Source = "regionlab",
): ReportRow[] {
  const rows = new Map<string, { figures: Metric[]; omissions: Omission[] }>();
  const rowOf = (question: Question) => {
    const key = questionKey(question);
    const known = rows.get(key) ?? { figures: [], omissions: [] };
    rows.set(key, known);
    return known;
  };
  for (const metric of metrics) if (metric.source === source) rowOf(metric).figures.push(metric);
  for (const omission of omissions) if (omission.source === source) rowOf(omission).omissions.push(omission);
  return [...rows.values()].flatMap(({ figures, omissions: missing }) => {
    const deciding = figures.find(({ decides }) => decides) ?? null;
    const [first = missing[0]] = deciding === null ? figures : [deciding];
    if (first === undefined) return [];
    return [
      {
        suite: first.suite,
        workload: first.workload,
        name: first.name,
        role: first.role,
        deciding,
        figures: deciding === null ? figures : [deciding, ...figures.filter((each) => each !== deciding)],
        omissions: missing,
        verdict:
          deciding?.comparison.verdict ?? (isAsked(first.role, missing) ? "inconclusive" : "not judged"),
      },
    ];
  });
}

/** Whether a question without a deciding figure is open: a headline, or one whose deciding figure is missing. */
function isAsked(role: Role, missing: readonly Omission[]): boolean {
  return role === "headline" || missing.some(({ decides }) => decides);
}

export function questionKey({ suite, workload, name }: Question): string {
  return `${suite}/${workload}/${name}`;
}

export function metricKey(metric: MetricIdentity): string {
  return `${questionKey(metric)}/${metric.quantity}/${metric.source}`;
}
