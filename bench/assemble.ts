/** Reports of single processes, put together into a run: proofs first, then samples, verdicts and limits. */
import {
  ARMS,
  type Arm,
  type CodeSize,
  CommandError,
  type Environment,
  type EquivalenceProof,
  type GuestRecord,
  type Metric,
  type MetricDefinition,
  type PerArm,
  type Requirement,
  type RetentionRecord,
  type RetentionScenario,
  type Run,
  type RunOptions,
  SCHEMA_NAME,
  SCHEMA_VERSION,
} from "#results";
import { scheduleEntries, type TrialOutcome } from "./runner/run-schedule.ts";
import {
  classifyOutliers,
  judge,
  median,
  medianInterval,
  Random,
  theilSenSlope,
} from "./statistics/index.ts";
import {
  FLOOR,
  HEAP_GROWTH,
  MACHINE_CREATION,
  SECTION_HIT,
  TEN_THOUSAND,
  TEN_THOUSAND_FLOOR,
} from "./suites/limits.ts";
import {
  type GuestCheck,
  type HeapCurve,
  type Measurement,
  measurement,
  type Remains,
  type SuiteReport,
} from "./suites/measurement.ts";

export type SuiteOutcome = TrialOutcome<SuiteReport>;

export interface RunParts {
  readonly question: string;
  readonly options: RunOptions;
  readonly environment: Environment;
  /** Processes that recorded what the guests do. */
  readonly proofs: readonly SuiteOutcome[];
  /** Processes that were measured. */
  readonly outcomes: readonly SuiteOutcome[];
  readonly codeSize: readonly CodeSize[];
}

/** Puts a run together. Where a proof fails, it has no metrics: times of different work mean nothing. */
export function assembleRun({ question, options, environment, proofs, outcomes, codeSize }: RunParts): Run {
  const equivalence = proveEquivalence(proofs, outcomes);
  const proven = equivalence.every(({ equal }) => equal);
  const metrics = proven ? judgeMetrics(outcomes, options.seed) : [];
  return {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: false,
    question,
    options,
    environment,
    schedule: { seed: options.seed, order: scheduleEntries(outcomes) },
    equivalence,
    metrics,
    retention: proven ? combineRetention(proofs, outcomes, options.seed) : [],
    codeSize,
    requirements: checkRequirements(metrics),
  };
}

/**
 * Compares what the guests did in all processes: the recorded ones in full, the timed ones in what they show without a
 * record. One that differs breaks the proof.
 */
export function proveEquivalence(
  proofs: readonly SuiteOutcome[],
  outcomes: readonly SuiteOutcome[],
): EquivalenceProof[] {
  const recorded = proofs.flatMap(({ trial, report }) =>
    report.proofs.map(({ workload, record }) => ({ arm: trial.arm, workload, record })),
  );
  const timed = outcomes.flatMap(({ trial, report }) =>
    report.checks.map((check) => ({ arm: trial.arm, ...check })),
  );
  return [...new Set(recorded.map(({ workload }) => workload))].map((workload) => {
    const records = recorded.filter((process) => process.workload === workload);
    const A = recordOf(records, "A", workload);
    const B = recordOf(records, "B", workload);
    const checks = timed.filter((process) => process.workload === workload);
    const odd = checks.find(
      (check) => check.instructions !== A.instructions || check.consoleSha256 !== A.consoleSha256,
    );
    // Where only a timed guest strays, what it showed is put beside the record that it should have matched.
    const shown = odd && sameRecord(A, B) ? { ...B, ...guestPart(odd) } : B;
    return {
      workload,
      records: { A, B: shown },
      processes: records.length + checks.length,
      equal: records.every(({ record }) => sameRecord(record, A)) && !odd,
    };
  });
}

function guestPart({
  instructions,
  consoleSha256,
}: GuestCheck): Pick<GuestRecord, "instructions" | "consoleSha256"> {
  return { instructions, consoleSha256 };
}

function recordOf(
  processes: readonly { arm: Arm; record: GuestRecord }[],
  arm: Arm,
  workload: string,
): GuestRecord {
  const record = processes.find((process) => process.arm === arm)?.record;
  if (!record) throw new CommandError(1, `workload ${workload} did not run in arm ${arm}`);
  return record;
}

function sameRecord(a: GuestRecord, b: GuestRecord): boolean {
  return (
    a.instructions === b.instructions &&
    a.mmioAccesses === b.mmioAccesses &&
    a.mmioTraceSha256 === b.mmioTraceSha256 &&
    a.consoleSha256 === b.consoleSha256 &&
    a.phases.length === b.phases.length &&
    a.phases.every(({ instructions }, i) => instructions === b.phases[i]?.instructions)
  );
}

function judgeMetrics(outcomes: readonly SuiteOutcome[], seed: number): Metric[] {
  const gathered = [...gatherMeasurements(outcomes), ...gatherSlopes(curvesOf(outcomes))];
  const comparisons = judge(
    gathered.map(({ definition, byArm }) => ({
      definition,
      samples: perArm((arm) => estimates(byArm[arm])),
    })),
    seed,
  );
  return gathered.map(({ definition, byArm }, i) => {
    const comparison = comparisons[i];
    if (!comparison) throw new RangeError("one comparison per metric");
    const samples = perArm((arm) => estimates(byArm[arm]));
    return {
      ...definition,
      samples,
      distributions: perArm((arm) => byArm[arm].map(({ distribution }) => distribution)),
      outliers: perArm((arm) => classifyOutliers(samples[arm])),
      comparison,
    };
  });
}

interface Gathered {
  readonly definition: MetricDefinition;
  readonly byArm: PerArm<Measurement[]>;
}

/** Measurements of one metric from all processes, metrics in the order in which the first process gave them. */
function gatherMeasurements(outcomes: readonly SuiteOutcome[]): Gathered[] {
  const found = new Map<string, Gathered>();
  for (const { trial, report } of outcomes) {
    for (const measured of report.measurements) {
      const { definition } = measured;
      const key = `${definition.suite}/${definition.workload}/${definition.name}`;
      const gathered = found.get(key) ?? { definition, byArm: perArm(() => []) };
      gathered.byArm[trial.arm].push(measured);
      found.set(key, gathered);
    }
  }
  return [...found.values()];
}

/** The heap slope of every scenario, as a metric of its own: zero is expected, so differences are in bytes. */
function gatherSlopes(curves: ReadonlyMap<string, PerArm<HeapCurve[]>>): Gathered[] {
  return [...curves].map(([scenario, byArm]) => {
    const [first] = byArm.A;
    if (!first) throw new CommandError(1, `scenario ${scenario} did not run in arm A`);
    const { control, margin } = first;
    const definition: MetricDefinition = {
      suite: "retention",
      workload: scenario,
      name: HEAP_GROWTH,
      description: control
        ? "Bytes in use per round in a scenario that leaks one region a round on purpose, whatever the form."
        : "Bytes in use after forced collection, per round, with V8's optimising compilers off. Eight of them are the measurement's own notes of release times.",
      unit: "B/round",
      quantity: "memory",
      scale: "absolute",
      margin,
      role: control ? "control" : "headline",
    };
    const slope = ({ heap }: HeapCurve) => measurement(definition, [theilSenSlope(heap)]);
    return { definition, byArm: perArm((arm) => byArm[arm].map(slope)) };
  });
}

/** What was counted, with how the heap grew where that was measured. */
function combineRetention(
  proofs: readonly SuiteOutcome[],
  outcomes: readonly SuiteOutcome[],
  seed: number,
): RetentionScenario[] {
  const counted = byScenario(proofs, (report) => report.remains);
  const curves = curvesOf(outcomes);
  return [...counted].flatMap(([scenario, remains]) => {
    const [first] = remains.A;
    const curve = curves.get(scenario);
    if (!first) return [];
    const { description, rounds } = first;
    const arms = perArm((arm) => {
      const random = Random.seeded(seed, `slope/${scenario}/${arm}`);
      return combineFindings(remains[arm], curve?.[arm] ?? [], random);
    });
    return [{ scenario, description, rounds, arms }];
  });
}

function combineFindings(
  remains: readonly Remains[],
  curves: readonly HeapCurve[],
  random: Random,
): RetentionRecord {
  const classes = [...new Set(remains.flatMap(({ objects }) => objects.map(({ className }) => className)))];
  return {
    objects: classes.map((className) => ({
      className,
      alive: remains.map(({ objects }) => objects.find((item) => item.className === className)?.alive ?? 0),
    })),
    blocksUnfreed: remains.map(({ blocksUnfreed }) => blocksUnfreed),
    modelledLeakedBytes: remains.map(({ modelledLeakedBytes }) => modelledLeakedBytes),
    usesAfterFinalize: remains.map(({ usesAfterFinalize }) => usesAfterFinalize),
    usesAfterFree: remains.map(({ usesAfterFree }) => usesAfterFree),
    heap: curves.map(({ heap }) => heap),
    slope:
      curves.length === 0
        ? null
        : medianInterval(
            curves.map(({ heap }) => theilSenSlope(heap)),
            random,
          ),
  };
}

function curvesOf(outcomes: readonly SuiteOutcome[]): Map<string, PerArm<HeapCurve[]>> {
  return byScenario(outcomes, ({ curves }) => curves);
}

/** What all processes say of each scenario, arm by arm. */
function byScenario<T extends { readonly scenario: string }>(
  outcomes: readonly SuiteOutcome[],
  pick: (report: SuiteReport) => readonly T[],
): Map<string, PerArm<T[]>> {
  const found = new Map<string, PerArm<T[]>>();
  for (const { trial, report } of outcomes) {
    for (const item of pick(report)) {
      const byArm = found.get(item.scenario) ?? perArm<T[]>(() => []);
      byArm[trial.arm].push(item);
      found.set(item.scenario, byArm);
    }
  }
  return found;
}

/** What the emulator promises of itself, whichever form its devices have. */
function checkRequirements(metrics: readonly Metric[]): Requirement[] {
  const medians = (name: string) => {
    const metric = metrics.find((candidate) => candidate.name === name);
    return metric && { A: median(metric.samples.A), B: median(metric.samples.B) };
  };
  const requirements: Requirement[] = [];
  const require = (name: string, limit: number, unit: string, measured: { A: number; B: number }) => {
    requirements.push({ name, limit, unit, measured, met: Math.max(measured.A, measured.B) <= limit });
  };
  const ratio = (name: string, floorName: string, limit: number, label: string) => {
    const measured = medians(name);
    const floor = medians(floorName);
    if (floor && measured)
      require(label, limit, "times", { A: measured.A / floor.A, B: measured.B / floor.B });
  };
  ratio(SECTION_HIT, FLOOR, 3, "Access with the last section hit, over a bare indirect call");
  ratio(
    TEN_THOUSAND,
    TEN_THOUSAND_FLOOR,
    10,
    "Access among 10 000 regions at random, over bare calls of as many devices at random",
  );
  ratio(
    TEN_THOUSAND,
    FLOOR,
    10,
    "Access among 10 000 regions at random, over a bare indirect call of one device",
  );
  const creation = medians(MACHINE_CREATION);
  if (creation) require("Machine creation", 20, "ms", creation);
  return requirements;
}

function estimates(measurements: readonly Measurement[]): number[] {
  return measurements.map(({ estimate }) => estimate);
}

function perArm<T>(make: (arm: Arm) => T): PerArm<T> {
  const [a, b, a2] = ARMS.map(make);
  // ARMS has three members, so none of these is missing.
  return { A: a as T, B: b as T, A2: a2 as T };
}
