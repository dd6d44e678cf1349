/**
 * The self-test of the instrument: arms of the same form, with nothing planted, and with extra work and leaks planted
 * without its knowledge. Its claims about them show how far its other claims can be trusted.
 */
import {
  type AlikeMetric,
  ARMS,
  type Arm,
  areAlike,
  type Comparison,
  type Environment,
  EXACT_LOOK,
  type Interval,
  isDecided,
  isDifference,
  judge,
  type MetricDefinition,
  metricKey,
  type PerArm,
  type Planted,
  type Quantity,
  type Question,
  questionKey,
  type Rate,
  type SelfTest,
  SUITES,
} from "#results";
import {
  fewestForRanks,
  lookOf,
  median,
  pairedDifference,
  Random,
  sequentialRule,
  theilSenSlope,
} from "#results/statistics";
import { slopeMetric } from "../assemble.ts";
import { type Measurement, type ProcessReport, perArm } from "../suites/measurement.ts";
import { type PlantedCounts, type PlantedRepeat, samplesOf } from "./planted-counts.ts";

/** Extra work of arm B, in percent; the first is none. */
export const PLANTED_PERCENT = [0, 0.5, 1, 2, 5] as const;

export interface SelfTestParts {
  readonly environment: Environment;
  /** Numbers of processes after which a comparison may be decided, as in a run. */
  readonly looks: readonly number[];
  readonly percents: readonly number[];
  /** Processes that measured slices with planted work, one measurement list per percentage; grouped by their works. */
  readonly slices: readonly (readonly ProcessReport[])[];
  /** Comparisons drawn per metric. */
  readonly groups: number;
  /** Processes that followed heaps while B leaked an object per round; {@link heapProcesses} make a comparison. */
  readonly leaks: readonly ProcessReport[];
  readonly heapProcesses: number;
  /** Processes with three identical arms, of all works. */
  readonly alike: readonly ProcessReport[];
  /** Counts with the same percentages planted; null if there is no valgrind. */
  readonly counts: PlantedCounts | null;
  /** Repeats per comparison of counts. */
  readonly countRepeats: number;
}

export function summarizeSelfTest(parts: SelfTestParts): SelfTest {
  const { environment, looks, percents, slices, groups: drawn, leaks, heapProcesses, alike } = parts;
  const { counts, countRepeats } = parts;
  const size = Math.max(...looks);
  const groups = slices.flatMap((kind) => groupsOf(kind, size, drawn));
  const alikeOnes = alikeMetrics(alike);
  const unlike = new Set(alikeOnes.filter((each) => !each.alike).map(questionKey));
  // Metrics that are not alike are not judged by their times, neither in a run nor here.
  const countGroups = counts === null ? [] : groupsOf(counts.repeats, countRepeats, drawn);
  const verdicts = percents.map((_, variant) => [
    ...groups.flatMap((group) => comparisonsOf(group, variant, looks)).filter(({ key }) => !unlike.has(key)),
    ...countGroups.flatMap((group) => countComparisons(counts?.definitions ?? [], group, variant)),
  ]);
  const rate = (compared: readonly Judged[], is: (comparison: Comparison) => boolean): Rate => ({
    found: compared.filter(({ comparison }) => is(comparison)).length,
    of: compared.length,
  });
  const planted: Planted[] = percents.flatMap((percent, variant) => {
    if (percent === 0) return [];
    const judged = verdicts[variant] ?? [];
    return SUITES.flatMap((suite) =>
      (["time", "count"] as const).flatMap((quantity) => {
        const own = judged.filter((each) => each.suite === suite && each.quantity === quantity);
        if (own.length === 0) return [];
        return [{ suite, quantity, percent, ...rate(own, ({ verdict }) => verdict === "slower") }];
      }),
    );
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
  readonly quantity: Quantity;
  readonly comparison: Comparison;
}

/**
 * Draws groups of processes of the given size. They are disjoint if there are enough processes; otherwise they are
 * drawn at random and share processes, so that their rates are unbiased but less certain.
 */
function groupsOf<T>(items: readonly T[], size: number, count: number): T[][] {
  if (items.length < size) return [];
  const random = Random.seeded(items.length, "self-test");
  const disjoint = items.length >= size * count;
  return Array.from({ length: count }, (_, i) =>
    disjoint ? items.slice(i * size, (i + 1) * size) : random.shuffled(items).slice(0, size),
  );
}

/**
 * The comparison that a run of these processes would give for each metric: at its first decided look, or at the last.
 */
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
        quantity: definition.quantity,
        comparison: comparisons[i] as Comparison, // one a metric
      },
    ]),
  );
}

function gather(group: readonly ProcessReport[], variant: number): Map<string, Measurement[]> {
  const found = new Map<string, Measurement[]>();
  for (const { measurements } of group) {
    for (const measurement of measurements[variant] ?? []) {
      const { role, decides } = measurement.definition;
      if (role === "control" || !decides) continue; // not judged by any run
      const key = metricKey(measurement.definition);
      found.set(key, [...(found.get(key) ?? []), measurement]);
    }
  }
  return found;
}

function definitionOf(measurements: readonly Measurement[]): Measurement["definition"] {
  const [first] = measurements;
  if (first === undefined) throw new RangeError("a metric was measured at least once");
  return first.definition;
}

/** How large the instrument says a planted difference is, from all processes that measured it. */
export interface PlantedEstimate extends Question {
  /** What was planted. */
  readonly percent: number;
  /** What was measured, in percent. */
  readonly measured: Interval;
}

/** Level of the intervals of {@link estimatePlanted}: four of them all hold in 99.6 % of self-tests. */
const ESTIMATE_LEVEL = 0.999;

/** Estimates the extra work planted in each metric that a run judges by its time. Their truth is known. */
export function estimatePlanted({ slices, percents }: SelfTestParts): PlantedEstimate[] {
  return percents.flatMap((percent, variant) =>
    percent === 0
      ? []
      : slices.flatMap((processes) =>
          [...gather(processes, variant).values()].flatMap((measurements) => {
            if (measurements.length < fewestForRanks(ESTIMATE_LEVEL)) return [];
            const { suite, workload, name } = definitionOf(measurements);
            const of = (arm: Arm) => measurements.map(({ estimates }) => estimates[arm]);
            const measured = pairedDifference(of("A"), of("B"), "percent", ESTIMATE_LEVEL);
            return [{ suite, workload, name, percent, measured }];
          }),
        ),
  );
}

/** Compares the heaps of an arm with those of A: B leaks, and A2 does not. */
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
    quantity: "memory" as const,
    comparison,
  }));
}

/** The comparisons that a run would give for these counts. */
function countComparisons(
  definitions: readonly MetricDefinition[],
  repeats: readonly PlantedRepeat[],
  part: number,
): Judged[] {
  const comparisons = judge(
    definitions.map((definition, subject) => ({
      definition,
      samples: samplesOf(repeats, subject, part),
      machines: repeats.map(() => 0),
      look: EXACT_LOOK,
    })),
  );
  return definitions.map((definition, i) => ({
    key: questionKey(definition),
    suite: definition.suite,
    quantity: definition.quantity,
    comparison: comparisons[i] as Comparison, // one a metric
  }));
}

/** The distance of each arm and slot from the mean of the three: the median over processes, in percent. */
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
    return {
      ...question,
      processes: arms.A.length,
      arms: armMedians,
      slots: slotMedians,
      alike: areAlike([...Object.values(armMedians), ...slotMedians]),
    };
  });
}
