/**
 * The instrument, tested on itself: forms that are the same, with nothing planted and with slowdowns and leaks that nobody
 * told it of. What it then claims is how far its other claims can be trusted.
 */
import {
  type AlikeMetric,
  ARMS,
  type Arm,
  type Comparison,
  type Environment,
  isDecided,
  isDifference,
  metricKey,
  type PerArm,
  type Planted,
  type Question,
  questionKey,
  type Rate,
  type SelfTest,
} from "#results";
import { EXACT_LOOK, slopeMetric } from "../assemble.ts";
import { judge, lookOf, median, Random, sequentialRule, theilSenSlope } from "../statistics/index.ts";
import { type Measurement, type ProcessReport, perArm } from "../suites/measurement.ts";

/** Parts of more work that arm B does, in percent; the first is none. */
export const PLANTED_PERCENT = [0, 0.5, 1, 2, 5] as const;

/** Medians of arms, and of slots, that differ by more are not alike. */
export const ALIKE_PERCENT = 0.3;

export interface SelfTestParts {
  readonly environment: Environment;
  /** After so many processes a comparison may be decided, as in a run. */
  readonly looks: readonly number[];
  readonly percents: readonly number[];
  /** Processes that measured slices with work planted, one measurement list per percentage; by what they measured. */
  readonly slices: readonly (readonly ProcessReport[])[];
  /** Comparisons that are drawn of each metric. */
  readonly groups: number;
  /** Processes that followed heaps while B leaked an object a round; {@link heapProcesses} make a comparison. */
  readonly leaks: readonly ProcessReport[];
  readonly heapProcesses: number;
  /** Processes whose three arms are alike, of all works. */
  readonly alike: readonly ProcessReport[];
}

export function summarizeSelfTest(parts: SelfTestParts): SelfTest {
  const { environment, looks, percents, slices, groups: drawn, leaks, heapProcesses, alike } = parts;
  const size = Math.max(...looks);
  const groups = slices.flatMap((kind) => groupsOf(kind, size, drawn));
  const alikeOnes = alikeMetrics(alike);
  const unlike = new Set(alikeOnes.filter((each) => !each.alike).map(questionKey));
  // What is not alike is not judged by its time, in a run or here.
  const verdicts = percents.map((_, variant) =>
    groups.flatMap((group) => comparisonsOf(group, variant, looks)).filter(({ key }) => !unlike.has(key)),
  );
  const rate = (compared: readonly Judged[], is: (comparison: Comparison) => boolean): Rate => ({
    found: compared.filter(({ comparison }) => is(comparison)).length,
    of: compared.length,
  });
  const planted: Planted[] = percents.flatMap((percent, variant) => {
    if (percent === 0) return [];
    const suites = [...new Set((verdicts[variant] ?? []).map(({ suite }) => suite))];
    return suites.map((suite) => ({
      suite,
      percent,
      ...rate(
        (verdicts[variant] ?? []).filter((each) => each.suite === suite),
        ({ verdict }) => verdict === "slower",
      ),
    }));
  });
  const heaps = groupsOf(leaks, heapProcesses, Math.floor(leaks.length / heapProcesses));
  const heapControls = heaps.flatMap((group) => heapComparisons(group, "A2"));
  return {
    date: environment.date,
    cpuModel: environment.cpuModel,
    node: environment.node,
    regionlab: environment.regionlab,
    processes: size,
    falseAlarms: rate([...(verdicts[0] ?? []), ...heapControls], ({ verdict }) => isDifference(verdict)),
    planted,
    leaks: rate(
      heaps.flatMap((group) => heapComparisons(group, "B")),
      ({ verdict }) => verdict === "slower",
    ),
    alike: alikeOnes,
  };
}

interface Judged {
  /** Key of its question. */
  readonly key: string;
  readonly suite: Planted["suite"];
  readonly comparison: Comparison;
}

/**
 * So many groups of processes of a size: each process in one of them, where there are enough; else drawn at random, so that groups
 * share processes and their rates are as right, but less sure, than of groups that do not.
 */
function groupsOf<T>(items: readonly T[], size: number, count: number): T[][] {
  if (items.length < size) return [];
  const random = Random.seeded(items.length, "self-test");
  const disjoint = items.length >= size * count;
  return Array.from({ length: count }, (_, i) =>
    disjoint ? items.slice(i * size, (i + 1) * size) : random.shuffled(items).slice(0, size),
  );
}

/** What a run of these processes would have said of each metric: at the first look at which it is decided, or at the last. */
function comparisonsOf(group: readonly ProcessReport[], variant: number, looks: readonly number[]): Judged[] {
  const open = new Map<string, Judged>();
  const done = new Map<string, Judged>();
  for (const look of looks) {
    for (const [key, judged] of judgeAt(group.slice(0, look), variant, looks)) {
      if (done.has(key)) continue;
      if (isDecided(judged.comparison)) done.set(key, judged);
      else open.set(key, judged);
    }
  }
  for (const [key, judged] of open) if (!done.has(key)) done.set(key, judged);
  return [...done.values()];
}

function judgeAt(
  group: readonly ProcessReport[],
  variant: number,
  looks: readonly number[],
): Map<string, Judged> {
  const byMetric = gather(group, variant);
  const metrics = [...byMetric.values()].map((measurements) => ({
    definition: definitionOf(measurements),
    samples: perArm((arm) => measurements.map(({ estimates }) => estimates[arm])),
    machines: measurements.map(() => 0),
    look: lookOf(sequentialRule(looks)),
  }));
  const comparisons = judge(metrics);
  return new Map(
    metrics.map(({ definition }, i) => [
      metricKey(definition),
      {
        key: questionKey(definition),
        suite: definition.suite,
        comparison: comparisons[i] as Comparison, // one a metric
      },
    ]),
  );
}

function gather(group: readonly ProcessReport[], variant: number): Map<string, Measurement[]> {
  const found = new Map<string, Measurement[]>();
  for (const { measurements } of group) {
    for (const measurement of measurements[variant] ?? []) {
      if (measurement.definition.role === "control") continue;
      const key = metricKey(measurement.definition);
      found.set(key, [...(found.get(key) ?? []), measurement]);
    }
  }
  return found;
}

function definitionOf(measurements: readonly Measurement[]): Measurement["definition"] {
  const [first] = measurements;
  if (first === undefined) throw new RangeError("a metric was measured at least once");
  // Every metric is tested, also those that a run shows beside a count.
  return { ...first.definition, decides: true };
}

/** Compares the heap of an arm with A's: B leaks, and A2 does not. */
function heapComparisons(group: readonly ProcessReport[], compared: "B" | "A2"): Judged[] {
  const scenarios = group[0]?.curves?.A ?? [];
  const metrics = scenarios.map((curve) => ({
    definition: slopeMetric(curve),
    samples: perArm((arm) =>
      group.flatMap(({ curves }) =>
        (curves?.[arm === "B" ? compared : arm] ?? [])
          .filter(({ scenario }) => scenario === curve.scenario)
          .map(({ heap }) => theilSenSlope(heap)),
      ),
    ),
    machines: group.map(() => 0),
    look: EXACT_LOOK,
  }));
  return judge(metrics).map((comparison, i) => ({
    key: scenarios[i]?.scenario ?? "",
    suite: "retention" as const,
    comparison,
  }));
}

/** How far arms and slots lie from the mean of the three, in the median over processes. */
function alikeMetrics(reports: readonly ProcessReport[]): AlikeMetric[] {
  const found = new Map<string, { question: Question; arms: PerArm<number[]>; slots: number[][] }>();
  for (const { measurements, slots } of reports) {
    for (const { definition, estimates } of measurements[0] ?? []) {
      const { suite, workload, name } = definition;
      const key = metricKey(definition);
      const known = found.get(key) ?? {
        question: { suite, workload, name },
        arms: { A: [], B: [], A2: [] },
        slots: slots.map(() => []),
      };
      found.set(key, known);
      const middle = ARMS.reduce((sum, arm) => sum + Math.log(estimates[arm]), 0) / ARMS.length;
      const distance = (arm: Arm) => 100 * (Math.log(estimates[arm]) - middle);
      for (const arm of ARMS) known.arms[arm].push(distance(arm));
      slots.forEach((arm, slot) => {
        known.slots[slot]?.push(distance(arm));
      });
    }
  }
  return [...found.values()].map(({ question, arms, slots }) => {
    const armMedians = perArm((arm) => median(arms[arm]));
    const slotMedians = slots.map(median);
    const farthest = Math.max(...Object.values(armMedians).map(Math.abs), ...slotMedians.map(Math.abs));
    return {
      ...question,
      processes: arms.A.length,
      arms: armMedians,
      slots: slotMedians,
      alike: farthest <= ALIKE_PERCENT,
    };
  });
}
