import { CommandError } from "#host";
/** Assembles the reports of single processes into a run: proofs first, then samples, verdicts and limits. */
import {
  type Arm,
  type ClaimRow,
  type CodeSize,
  checkRequirements,
  type Environment,
  type EquivalenceProof,
  type GuestRecord,
  HEAP_GROWTH,
  judgeRun,
  LEAST_PROCESSES,
  type Metric,
  type MetricDefinition,
  metricKey,
  type Omission,
  type PerArm,
  type ProcessEntry,
  READ_QUESTIONS,
  READS_MARGIN,
  type RetentionRecord,
  type RetentionScenario,
  type Run,
  type RunOptions,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  type SelfTest,
  slopeOver,
  stillMissing,
  type Unjudged,
} from "#results";
import { summarize, theilSenSlope } from "#results/statistics";
import type { TrialOutcome } from "./runner/run-schedule.ts";
import { combineFieldReads } from "./suites/field-reads.ts";
import { combineLifetimes } from "./suites/lifetimes.ts";
import {
  type GuestCheck,
  type HeapCurve,
  type Measurement,
  type ProcessReport,
  perArm,
  type Remains,
} from "./suites/measurement.ts";

/** The outcome of a process, and the machine that it ran on. */
export interface ProcessOutcome extends TrialOutcome<ProcessReport> {
  /** Index into the run's machines. */
  readonly machine: number;
}

/** Figures that were counted, in processes of one arm each. */
export interface CountedMetric {
  readonly definition: MetricDefinition;
  readonly samples: PerArm<readonly number[]>;
  /** The process of arm A for each sample: index into {@link RunParts.countProcesses}. */
  readonly processes: readonly number[];
}

export interface RunParts {
  readonly question: string;
  readonly options: RunOptions;
  readonly machines: readonly Environment[];
  /** Processes that recorded what guests do and what scenarios leave. */
  readonly proofs: readonly ProcessOutcome[];
  /** Processes that were timed, or whose heaps were followed. */
  readonly outcomes: readonly ProcessOutcome[];
  readonly counts: readonly CountedMetric[];
  readonly countProcesses: readonly ProcessEntry[];
  readonly omissions: readonly Omission[];
  readonly codeSize: readonly CodeSize[];
  readonly claims: readonly ClaimRow[];
  readonly selfTest: SelfTest | null;
}

/** Assembles a run. If a proof fails, it has no metrics, because times of different work mean nothing. */
export function assembleRun(parts: RunParts): Run {
  const { question, options, machines, proofs, outcomes, codeSize, claims, selfTest } = parts;
  const equivalence = proveEquivalence(proofs, outcomes);
  const proven = equivalence.every(({ equal }) => equal);
  const { lifetimes, fieldReads } = combineOutcomes(proofs);
  const metrics = proven ? judgeMetrics(parts) : [];
  return {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: false,
    question,
    options,
    machines,
    schedule: { seed: options.seed, processes: processEntries(parts) },
    equivalence,
    fieldReads,
    metrics,
    omissions: proven ? stillMissing(parts.omissions, metrics) : [],
    claims,
    lifetimes,
    retention: proven ? combineRetention(proofs, outcomes) : [],
    codeSize,
    requirements: checkRequirements(metrics),
    selfTest,
  };
}

/** Processes in the order of the run: proofs, measurements, counts. */
function processEntries({ proofs, outcomes, countProcesses }: RunParts): ProcessEntry[] {
  const entry = ({ trial, machine, milliseconds, lost, report }: ProcessOutcome): ProcessEntry => ({
    task: trial.task,
    repeat: trial.repeat,
    machine,
    slots: report?.slots ?? null,
    milliseconds: Math.round(milliseconds * 10) / 10,
    lost: lost === null ? null : briefly(lost),
  });
  const counted = countProcesses.map((each) => ({
    ...each,
    lost: each.lost === null ? null : briefly(each.lost),
  }));
  return [...proofs.map(entry), ...outcomes.map(entry), ...counted];
}

/** A failure without its stack trace, whose paths are of no use to readers of the report. */
function briefly(failure: string): string {
  const [said = ""] = failure.split(/\n\s+at |; its (?:standard error|last words)/);
  return said.replace(/\s+/g, " ").trim().slice(0, 300);
}

/**
 * Compares what the guests did in all processes: recorded ones in full, timed ones as far as they show it without a
 * recording. A single difference breaks the proof.
 */
export function proveEquivalence(
  proofs: readonly ProcessOutcome[],
  outcomes: readonly ProcessOutcome[],
): EquivalenceProof[] {
  const recorded = proofs.flatMap(({ report }) => report?.proofs ?? []);
  const timed = outcomes.flatMap(({ report }) => report?.checks ?? []);
  return [...new Set(recorded.map(({ workload }) => workload))].map((workload) => {
    const records = recorded.filter((proof) => proof.workload === workload).map((proof) => proof.records);
    const [first] = records;
    if (first === undefined) throw new CommandError(`workload ${workload} did not run`, { exitCode: 1 });
    const { A, B } = first;
    const checks = timed.filter((check) => check.workload === workload);
    const odd = checks.find(
      (check) => check.instructions !== A.instructions || check.consoleSha256 !== A.consoleSha256,
    );
    // If only a timed guest deviates, what it did is shown next to the record that it should have matched.
    const shown = odd && sameRecord(A, B) ? { ...B, ...guestPart(odd) } : B;
    return {
      workload,
      records: { A, B: shown },
      boots: 3 * records.length + checks.length,
      equal: records.every((each) => Object.values(each).every((record) => sameRecord(record, A))) && !odd,
    };
  });
}

function guestPart({
  instructions,
  consoleSha256,
}: GuestCheck): Pick<GuestRecord, "instructions" | "consoleSha256"> {
  return { instructions, consoleSha256 };
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

/** Lifetimes and reads of region fields, which are counted only once, if they were. */
function combineOutcomes(proofs: readonly ProcessOutcome[]): Pick<Run, "lifetimes" | "fieldReads"> {
  const arms = proofs.flatMap(({ report }) => report?.outcomes ?? [])[0];
  if (arms === undefined) return { lifetimes: [], fieldReads: [] };
  return {
    lifetimes: combineLifetimes({ A: arms.A.lifetimes, B: arms.B.lifetimes }),
    fieldReads: combineFieldReads({ A: arms.A.fieldReads, B: arms.B.fieldReads }),
  };
}

/** Reads of region fields as metrics. */
function gatherFieldReads({ proofs, options }: RunParts): Unjudged[] {
  if (!options.suites.includes("dispatch")) return [];
  const counted = proofs.flatMap(({ report }, process) =>
    report?.outcomes ? [{ process, outcomes: report.outcomes }] : [],
  );
  return READ_QUESTIONS.flatMap(({ access, ...question }) => {
    const readsOf = (arm: Arm) =>
      counted.flatMap(({ outcomes }) => outcomes[arm].fieldReads.filter((each) => each.access === access));
    const samples = perArm((arm) => readsOf(arm).map(({ reads }) => reads));
    // Reads that not every process counted show nothing, least of all that there are none.
    if (counted.length < LEAST_PROCESSES || samples.A.length !== counted.length) return [];
    return [
      {
        definition: {
          ...question,
          source: "regionlab" as const,
          quantity: "reads" as const,
          description: "Fields of the region that one such access reads, counted with a trap on every field.",
          unit: "fields",
          scale: "absolute" as const,
          margin: READS_MARGIN,
          estimator: "traps on all fields",
          decides: true,
          byConstruction: null,
        },
        samples,
        distributions: perArm(() => []),
        processes: counted.map(({ process }) => process),
      },
    ];
  });
}

function judgeMetrics(parts: RunParts): Metric[] {
  const { proofs, outcomes, counts, options, selfTest } = parts;
  const first = proofs.length;
  const gathered: Unjudged[] = [
    ...gatherMeasurements(outcomes, first),
    ...gatherFieldReads(parts),
    ...gatherSlopes(outcomes, first),
    ...counts.map(({ definition, samples, processes }) => ({
      definition,
      samples,
      distributions: perArm(() => []),
      processes: processes.map((index) => first + outcomes.length + index),
    })),
  ].filter(({ processes }) => processes.length >= LEAST_PROCESSES);
  return judgeRun(gathered, processEntries(parts), { sequential: options.sequential, selfTest });
}

/**
 * Gathers the measurements of each metric from all processes, in the order in which processes report metrics.
 * @param first index of the first of these processes in the run
 */
function gatherMeasurements(outcomes: readonly ProcessOutcome[], first: number): Unjudged[] {
  const found = new Map<string, { measurement: Measurement; process: number }[]>();
  outcomes.forEach(({ report }, i) => {
    for (const measurement of report?.measurements[0] ?? []) {
      entryOf(found, metricKey(measurement.definition), () => []).push({ measurement, process: first + i });
    }
  });
  return [...found.values()].flatMap((measured) => {
    const definition = measured[0]?.measurement.definition;
    if (definition === undefined) return [];
    return [
      {
        definition,
        samples: perArm((arm) => measured.map(({ measurement }) => measurement.estimates[arm])),
        distributions: perArm((arm) => measured.map(({ measurement }) => measurement.distributions[arm])),
        processes: measured.map(({ process }) => process),
      },
    ];
  });
}

/** The value of a key, created on first use. */
function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** The heap slope of every scenario as a metric: zero is expected, so differences are in bytes. */
function gatherSlopes(outcomes: readonly ProcessOutcome[], first: number): Unjudged[] {
  const followed = outcomes.flatMap(({ report }, i) =>
    report?.curves ? [{ curves: report.curves, process: first + i }] : [],
  );
  const scenarios = [...new Set(followed.flatMap(({ curves }) => curves.A.map(({ scenario }) => scenario)))];
  return scenarios.map((scenario) => {
    const all = followed.map(({ curves, process }) => ({
      process,
      byArm: perArm((arm) => curveOf(curves[arm], scenario)),
    }));
    const definition = slopeMetric(all[0]?.byArm.A);
    const slopes = (arm: Arm) => all.map(({ byArm }) => theilSenSlope(byArm[arm].heap));
    return {
      definition,
      samples: perArm(slopes),
      distributions: perArm((arm) => slopes(arm).map((slope) => summarize([slope]))),
      processes: all.map(({ process }) => process),
    };
  });
}

function curveOf(curves: readonly HeapCurve[], name: string): HeapCurve {
  const curve = curves.find(({ scenario }) => scenario === name);
  if (!curve) throw new CommandError(`scenario ${name} did not run in every arm`, { exitCode: 1 });
  return curve;
}

export function slopeMetric(curve: HeapCurve | undefined): MetricDefinition {
  if (curve === undefined) throw new RangeError("a scenario was followed at least once");
  const { scenario, control, margin } = curve;
  return {
    suite: "retention",
    workload: scenario,
    name: HEAP_GROWTH,
    quantity: "memory",
    source: "regionlab",
    description: control
      ? "Bytes in use per round in a scenario that leaks one region a round on purpose, whatever the form."
      : "Bytes in use after forced collection, per round, with V8's optimising compilers off. Eight of them are the measurement's own notes of release times.",
    unit: "B/round",
    scale: "absolute",
    margin,
    role: control ? "control" : "headline",
    estimator: "Theil-Sen slope",
    decides: true,
    byConstruction: null,
  };
}

/** The counts of each scenario, with the growth of the heap if that was measured. */
function combineRetention(
  proofs: readonly ProcessOutcome[],
  outcomes: readonly ProcessOutcome[],
): RetentionScenario[] {
  const counted = proofs.flatMap(({ report }) => report?.remains ?? []);
  const followed = outcomes.flatMap(({ report }) => report?.curves ?? []);
  const scenarios = counted[0]?.A ?? [];
  return scenarios.map(({ scenario, description, rounds }) => ({
    scenario,
    description,
    rounds,
    arms: perArm((arm) =>
      combineFindings(
        counted.flatMap((remains) => remains[arm].filter((each) => each.scenario === scenario)),
        followed.flatMap((curves) => curves[arm].filter((each) => each.scenario === scenario)),
      ),
    ),
  }));
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
    slope: slopeOver(curves.map(({ heap }) => heap)),
  };
}
