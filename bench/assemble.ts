/** Reports of single processes, put together into a run: proofs first, then samples, verdicts and limits. */
import {
  ARMS,
  type Arm,
  type CodeSize,
  CommandError,
  type Environment,
  type EquivalenceProof,
  type GuestRecord,
  type Interval,
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
import { centreOf, classifyOutliers, judge, median, theilSenSlope } from "./statistics/index.ts";
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
  const metrics = proven ? judgeMetrics(outcomes) : [];
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
    retention: proven ? combineRetention(proofs, outcomes) : [],
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

function judgeMetrics(outcomes: readonly SuiteOutcome[]): Metric[] {
  const gathered = [...gatherMeasurements(outcomes), ...gatherSlopes(curvesOf(outcomes))];
  const comparisons = judge(
    gathered.map(({ definition, byArm }) => ({
      definition,
      samples: perArm((arm) => estimates(byArm[arm])),
    })),
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

/**
 * Measurements of one metric from all processes, metrics in the order in which the first process gave them. Only repeats that
 * have it in every arm count, as when now and then a boot is over early enough for another: they are compared in pairs.
 */
function gatherMeasurements(outcomes: readonly SuiteOutcome[]): Gathered[] {
  const found = new Map<string, Map<number, Map<Arm, Measurement>>>();
  for (const { trial, report } of outcomes) {
    for (const measured of report.measurements) {
      const { suite, workload, name } = measured.definition;
      const repeats = entryOf(found, `${suite}/${workload}/${name}`, () => new Map());
      entryOf(repeats, trial.repeat, () => new Map()).set(trial.arm, measured);
    }
  }
  return [...found.values()].flatMap((repeats) => {
    const complete = [...repeats.values()].flatMap((repeat) => {
      const [A, B, A2] = ARMS.map((arm) => repeat.get(arm));
      return A && B && A2 ? [{ A, B, A2 }] : [];
    });
    const [first] = complete;
    if (!first || complete.length < 2) return []; // one pair shows no spread
    return [
      { definition: first.A.definition, byArm: perArm((arm) => complete.map((repeat) => repeat[arm])) },
    ];
  });
}

/** The value of a key, made when it is asked for first. */
function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
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
): RetentionScenario[] {
  const counted = byScenario(proofs, (report) => report.remains);
  const curves = curvesOf(outcomes);
  return [...counted].flatMap(([scenario, remains]) => {
    const [first] = remains.A;
    const curve = curves.get(scenario);
    if (!first) return [];
    const { description, rounds } = first;
    const arms = perArm((arm) => combineFindings(remains[arm], curve?.[arm] ?? []));
    return [{ scenario, description, rounds, arms }];
  });
}

function combineFindings(remains: readonly Remains[], curves: readonly HeapCurve[]): RetentionRecord {
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
    slope: slopeOf(curves),
  };
}

/** Heap bytes per round over processes; null where fewer than two followed the heap. */
function slopeOf(curves: readonly HeapCurve[]): Interval | null {
  if (curves.length < 2) return null;
  const { estimate, low, high } = centreOf(curves.map(({ heap }) => theilSenSlope(heap)));
  return { estimate, low, high };
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
      entryOf(found, item.scenario, () => perArm<T[]>(() => []))[trial.arm].push(item);
    }
  }
  return found;
}

/** What the emulator promises of itself, whichever form its devices have. Quotients are those of each process, which measures both. */
function checkRequirements(metrics: readonly Metric[]): Requirement[] {
  const find = (name: string) => metrics.find((candidate) => candidate.name === name);
  const requirements: Requirement[] = [];
  const require = (name: string, limit: number, unit: string, measured: { A: number; B: number }) => {
    requirements.push({ name, limit, unit, measured, met: Math.max(measured.A, measured.B) <= limit });
  };
  const ratio = (name: string, floorName: string, limit: number, label: string) => {
    const [metric, floor] = [find(name), find(floorName)];
    if (!metric || !floor) return;
    const quotient = (arm: "A" | "B") =>
      median(metric.samples[arm].map((value, i) => value / (floor.samples[arm][i] ?? Number.NaN)));
    require(label, limit, "times", { A: quotient("A"), B: quotient("B") });
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
  const creation = find(MACHINE_CREATION);
  if (creation) {
    const { A, B } = creation.samples;
    require("Machine creation", 20, "ms", { A: median(A), B: median(B) });
  }
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
