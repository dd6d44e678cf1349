/** Judges samples: the only place that computes comparisons, both when a run ends and when it is read back. */
import type {
  Arm,
  Comparison,
  Effect,
  Metric,
  MetricDefinition,
  PerArm,
  ProcessEntry,
  SelfTest,
  Sequential,
} from "../schema.ts";
import {
  classifyOutliers,
  holm,
  kruskalWallis,
  LEVEL,
  type Look,
  leastOfKruskalWallis,
  lookOf,
  oneAgainstOthers,
  pairedDifference,
} from "../statistics/index.ts";
import { standingsOf } from "./deciding.ts";
import { SLICE_ESTIMATOR } from "./questions.ts";
import { ALPHA, decide, decideControl, isDecided, spreadOf } from "./verdict.ts";

export interface Measured {
  readonly definition: MetricDefinition;
  /** Values at the same index belong to the same process. */
  readonly samples: PerArm<readonly number[]>;
  /** The machine for each index. */
  readonly machines: readonly number[];
  readonly look: Look;
  /** Why a figure that does not decide is only shown, as the end of a sentence. */
  readonly onlyShown?: string | null;
}

/** Fewer processes give no figure: a single pair shows no spread. */
export const LEAST_PROCESSES = 2;

/** A metric before it is judged; its definition says whether it would decide on its own. */
export type Unjudged = Pick<Metric, "samples" | "processes" | "distributions"> & {
  readonly definition: MetricDefinition;
};

/** For metrics that are looked at once. */
const ONE_LOOK: Look = { level: LEVEL, looks: 1 };
/** For counts, and for values that repeat as exactly. */
export const EXACT_LOOK: Look = { ...ONE_LOOK, exact: true };

/**
 * How strict the look at a metric has to be. Times of slices are looked at as often as the stopping rule of the run
 * says; boots are measured a fixed number of times, and counts and heaps repeat exactly.
 */
export function lookFor(
  { quantity, estimator }: Pick<MetricDefinition, "quantity" | "estimator">,
  sequential: Sequential,
): Look {
  if (quantity !== "time") return EXACT_LOOK;
  return estimator === SLICE_ESTIMATOR ? lookOf(sequential) : ONE_LOOK;
}

/** Pairs from which on the sign test, at each of so many looks, can show a difference at all: its chance is 2 in 2^n. */
export function fewestToClaim({ looks }: Look): number {
  let pairs = LEAST_PROCESSES;
  while (looks * 2 ** (1 - pairs) >= ALPHA) pairs++;
  return pairs;
}

/**
 * Determines which metrics of a run decide their questions, and judges all metrics.
 * @param processes of the run
 * @param run its stopping rule and self-test
 * @returns in the order of the input
 */
export function judgeRun(
  figures: readonly Unjudged[],
  processes: readonly ProcessEntry[],
  { sequential, selfTest }: { readonly sequential: Sequential; readonly selfTest: SelfTest | null },
): Metric[] {
  const standings = standingsOf(figures, selfTest);
  const standing = figures.map((each, i) => {
    const { onlyShown = null, ...decided } = standings[i] ?? {};
    return { ...each, definition: { ...each.definition, ...decided }, onlyShown };
  });
  const comparisons = judge(
    standing.map(({ definition, samples, processes: places, onlyShown }) => ({
      definition,
      samples,
      onlyShown,
      machines: machinesAt(places, processes),
      look: lookFor(definition, sequential),
    })),
  );
  return standing.map(({ definition, samples, processes: places, distributions }, i) => {
    const comparison = comparisons[i];
    if (comparison === undefined) throw new RangeError("one comparison per metric");
    const outliers = (arm: Arm) => classifyOutliers(samples[arm]);
    return {
      ...definition,
      samples,
      processes: places,
      distributions,
      outliers: { A: outliers("A"), B: outliers("B"), A2: outliers("A2") },
      comparison,
    };
  });
}

/** The machine of each of the processes that a metric comes from. */
export function machinesAt(places: readonly number[], processes: readonly ProcessEntry[]): number[] {
  return places.map((index) => processes[index]?.machine ?? 0);
}

/** Significance level of the test whether machines differ. */
const MACHINES_ALPHA = 0.01;

/**
 * Compares B with A, and A2 with A, for all metrics of a run at once, because Holm's correction needs them all.
 * Deciding headline metrics form one family and all others another, so that more details do not weaken the headline
 * verdicts; each source has its own two, so that figures of QEMU do not change verdicts about this emulator.
 *
 * @returns in the order of the input
 */
export function judge(metrics: readonly Measured[]): Comparison[] {
  const families = metrics.map(({ definition }) => familyOf(definition));
  const ab = corrected(
    metrics.map((metric) => effect(metric, "B")),
    families,
  );
  const aa = corrected(
    metrics.map((metric) => effect(metric, "A2")),
    families,
  );
  return metrics.map((metric, i) => {
    const [found, control] = [ab[i], aa[i]];
    if (!found || !control) throw new RangeError("one effect per metric");
    const { definition } = metric;
    const verdict = decide({ ab: found.effect, aa: control.effect }, definition);
    const comparison = {
      ab: found.effect,
      aa: control.effect,
      aaSpread: spreadOf(control.effect),
      verdict,
      aaVerdict: decideControl({ aa: control.effect }, definition.margin),
      machines: found.machines,
    };
    return { ...comparison, reason: isDecided({ verdict }) ? null : whyOpen(metric, comparison) };
  });
}

/** Figures of one family are corrected for each other's number. */
export function familyOf({
  role,
  decides,
  source,
}: Pick<MetricDefinition, "role" | "decides" | "source">): string {
  return `${source}/${role === "headline" && decides}`;
}

interface Found {
  readonly effect: Effect;
  readonly machines: string | null;
}

function effect({ definition: { scale, unit }, samples, machines, look }: Measured, arm: "B" | "A2"): Found {
  const whole = pairedDifference(samples.A, samples[arm], scale, look.level, look.exact);
  const pooled: Effect = { ...whole, adjustedPValue: Math.min(1, whole.pValue * look.looks) };
  const blocks = blocksOf(machines).map((places) =>
    pairedDifference(at(samples.A, places), at(samples[arm], places), scale, look.level, look.exact),
  );
  const measure = scale === "percent" ? "%" : unit;
  if (blocks.length < 2 || !machinesDiffer(samples, arm, scale, machines, look))
    return { effect: pooled, machines: null };
  // The machines disagree: what holds for one need not hold for another, so the interval covers all of them.
  const estimates = blocks.map(({ estimate }) => estimate);
  return {
    effect: {
      ...pooled,
      low: Math.min(pooled.low, ...blocks.map(({ low }) => low)),
      high: Math.max(pooled.high, ...blocks.map(({ high }) => high)),
    },
    machines:
      `The ${blocks.length} machines differ: their estimates range from ${Math.min(...estimates).toFixed(2)} to ` +
      `${Math.max(...estimates).toFixed(2)} ${measure}. The interval covers those of all machines.`,
  };
}

/** Indices by machine, for machines that have at least two. */
function blocksOf(machines: readonly number[]): number[][] {
  const blocks = new Map<number, number[]>();
  machines.forEach((machine, place) => {
    blocks.set(machine, [...(blocks.get(machine) ?? []), place]);
  });
  return [...blocks.values()].filter(({ length }) => length >= 2);
}

/**
 * Whether the differences of at least one machine are shifted against those of the others: of times by their ranks, and
 * of counts, of which a few are enough, by their means.
 */
function machinesDiffer(
  samples: PerArm<readonly number[]>,
  arm: "B" | "A2",
  scale: "percent" | "absolute",
  machines: readonly number[],
  { exact }: Look,
): boolean {
  const difference = (place: number) => {
    const [a, b] = [samples.A[place] ?? Number.NaN, samples[arm][place] ?? Number.NaN];
    return scale === "percent" ? Math.log(b / a) : b - a;
  };
  const groups = blocksOf(machines).map((places) => places.map(difference));
  return (exact === true ? oneAgainstOthers(groups) : kruskalWallis(groups)) < MACHINES_ALPHA;
}

/**
 * Whether there are enough processes on each machine to tell that machines differ.
 * @param machines of the processes of a metric
 */
export function canCompareMachines(machines: readonly number[], { exact }: Look): boolean {
  const sizes = blocksOf(machines).map(({ length }) => length);
  if (exact === true) return sizes.length >= 2;
  return leastOfKruskalWallis(sizes) < MACHINES_ALPHA;
}

function at(values: readonly number[], places: readonly number[]): number[] {
  return places.map((place) => values[place] ?? Number.NaN);
}

/** Why a verdict is open or not judged, and what would have to change. */
function whyOpen(
  { definition, samples, machines: places, look, onlyShown }: Measured,
  { ab, aa, verdict, aaVerdict, machines }: Omit<Comparison, "reason">,
): string {
  const { margin, scale, unit } = definition;
  const measure = scale === "percent" ? "%" : unit;
  const width = (value: number) => `${Number(value.toPrecision(3))} ${measure}`;
  // Exact counts come from processes of their own, which the load of the machine does not disturb.
  const isCount = definition.quantity === "count";
  if (verdict === "not judged") return `Only shown: ${onlyShown ?? "it was not meant to decide"}.`;
  if (verdict === "no difference") {
    return `B differs from A by ${width(Math.abs(ab.estimate))}, but A differs from itself by up to ${width(spreadOf(aa))}: the difference says nothing about the forms.`;
  }
  if (aaVerdict === "faster" || aaVerdict === "slower") {
    return `The control fails: A differs from itself by ${width(Math.abs(aa.estimate))}, which by the same rule is no chance, so no verdict can be trusted here. ${isCount ? "More rounds or a longer warm-up would be needed" : "Measure on a quieter machine"}.`;
  }
  if (machines !== null) {
    return "The machines disagree, and the interval covers all of them: measure on machines of one kind, or make one run for each kind.";
  }
  const half = (ab.high - ab.low) / 2;
  if (spreadOf(ab) < margin && spreadOf(aa) >= margin) {
    return `The control is too wide: A may differ from itself by up to ${width(spreadOf(aa))}, and the margin is ${width(margin)}, so B is known no better than that. ${isCount ? "Count" : "Measure"} more processes.`;
  }
  const fewest = look.exact === true ? LEAST_PROCESSES : fewestToClaim(look);
  const count = samples.A.length;
  const fewWords = `${count} processes give an interval of ±${width(half)}, and the margin is ${width(margin)}`;
  const needed = "more processes are needed, with more time or more repeats";
  if (count < fewest)
    return `${fewWords}; fewer than ${fewest} cannot show a difference, however large: ${needed}.`;
  const distance = Math.abs(ab.estimate);
  if ((ab.low > 0 || ab.high < 0) && ab.adjustedPValue >= ALPHA) {
    const chance = Number((100 * ab.adjustedPValue).toPrecision(2));
    const beyond =
      ab.low > margin || ab.high < -margin
        ? `is larger than the margin of ${width(margin)}`
        : "has an interval without zero";
    return `The difference, ${width(distance)}, ${beyond}, but among as many questions as this run asks its chance is still ${chance} %, and at most ${100 * ALPHA} % would do: more processes are needed, with --repeats or --seconds.`;
  }
  if (count < 4) return `${fewWords}: ${needed}.`;
  if (new Set(places).size > 1) {
    return `The interval is ±${width(half)}, because pairs differ within machines or between them: only more processes on each machine can tell which.`;
  }
  const ofControl = (aa.high - aa.low) / 2;
  if (isCount && ofControl > margin)
    return `The control is known to ±${width(ofControl)} only, whatever the form: a decision needs more counted processes, or more rounds in each.`;
  return ofControl > margin
    ? `The control is known to ±${width(ofControl)} only, whatever the form: a decision needs more processes, from a longer run or a quieter machine, or an exact count.`
    : `B against A is known to ±${width(half)} only, and A may differ from itself by up to ${width(spreadOf(aa))}; the margin is ${width(margin)}: only ${isCount ? "more counted processes can tell" : "a longer run can tell"} a difference from this variation.`;
}

/** Applies Holm's correction within each family. */
function corrected(found: readonly Found[], families: readonly string[]): Found[] {
  const adjusted = found.map(() => 1);
  for (const family of new Set(families)) {
    const members = found.flatMap((_, i) => (families[i] === family ? [i] : []));
    const probabilities = holm(members.map((i) => found[i]?.effect.adjustedPValue ?? 1));
    members.forEach((i, rank) => {
      adjusted[i] = probabilities[rank] ?? 1;
    });
  }
  return found.map(({ effect: item, machines }, i) => ({
    effect: { ...item, adjustedPValue: adjusted[i] ?? 1 },
    machines,
  }));
}
