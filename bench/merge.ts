import { CommandError } from "#host";
/** Merges runs of one plan, divided among machines, into one run. */
import {
  checkRequirements,
  type Environment,
  type EquivalenceProof,
  judgeRun,
  type Metric,
  metricKey,
  type ProcessEntry,
  type RetentionRecord,
  type RetentionScenario,
  type Run,
  type RunOptions,
  type SelfTest,
  slopeOver,
  stillMissing,
} from "#results";
import { quoted } from "./quoted.ts";
import { perArm } from "./suites/measurement.ts";

/** A run and its file name, for messages. */
export interface Part {
  readonly file: string;
  readonly run: Run;
}

/**
 * Merges runs whose processes ran on different machines or at different times. The arms of a pair come from the same
 * machine, so every pair stays a pair; the machine is a block of the comparison.
 *
 * @throws CommandError (exit code 2) when the runs did not measure the same: runtime, commit, forms or guests differ
 */
export function mergeRuns(parts: readonly Part[], command: string): Run {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) {
    throw new CommandError("results merge: give at least two runs; one needs no merging");
  }
  for (const other of others) checkMergeable(first, other);
  checkDistinct(parts);
  checkDisjoint(parts);
  const machines = machinesOf(parts);
  const offsets = startsOf(parts.map(({ run }) => run.schedule.processes.length));
  const processes = parts.flatMap(({ run }) =>
    run.schedule.processes.map((entry) => ({
      ...entry,
      machine: machines.findIndex(({ id }) => id === run.machines[entry.machine]?.id),
    })),
  );
  const base = first.run;
  const selfTest = leastTrusted(parts.flatMap(({ run }) => run.selfTest ?? []));
  const metrics = mergeMetrics(parts, offsets, processes, { options: base.options, selfTest });
  const omissions = new Map(
    parts.flatMap(({ run }) => run.omissions.map((omission) => [metricKey(omission), omission] as const)),
  );
  return {
    ...base,
    options: mergeOptions(parts, command),
    machines,
    schedule: { seed: base.schedule.seed, processes },
    equivalence: mergeProofs(parts),
    fieldReads: longest(parts.map(({ run }) => run.fieldReads)),
    metrics,
    omissions: stillMissing([...omissions.values()], metrics),
    claims: longest(parts.map(({ run }) => run.claims)),
    lifetimes: longest(parts.map(({ run }) => run.lifetimes)),
    retention: mergeRetention(parts.map(({ run }) => run.retention)),
    requirements: checkRequirements(metrics),
    selfTest,
  };
}

function checkMergeable(first: Part, other: Part): void {
  const keys = new Set(first.run.metrics.map(metricKey));
  const shared = new Set(other.run.metrics.map(metricKey).filter((key) => keys.has(key)));
  const refuse = (what: string, mine: unknown, its: unknown) => {
    throw new CommandError(
      `${other.file}: has ${what} ${shown(its, mine)}, ${first.file} ${shown(mine, its)}: they did not measure the ` +
        "same; measure all parts with one regionlab, one Node and one set of options",
    );
  };
  const compare = (what: string, pick: (run: Run) => unknown) => {
    const [mine, its] = [pick(first.run), pick(other.run)];
    if (JSON.stringify(mine) !== JSON.stringify(its)) refuse(what, mine, its);
  };
  const machine = (pick: (environment: Environment) => unknown) => (run: Run) =>
    [...new Set(run.machines.map((each) => String(pick(each))))].join(", ");
  // Of several differences, those that say that the parts are not of one run at all come first.
  compare(
    "regionlab",
    machine(({ regionlab }) => regionlab),
  );
  compare(
    "commit",
    machine(({ commit }) => commit),
  );
  compare(
    "Node",
    machine(({ node }) => node),
  );
  compare(
    "V8",
    machine(({ v8 }) => v8),
  );
  compare(
    "architecture",
    machine(({ arch, platform }) => `${arch} ${platform}`),
  );
  compare(
    "runtime options",
    machine(({ execArgv }) => execArgv),
  );
  compare("forms", ({ options }) => options.forms);
  compare("quick", ({ options }) => options.quick);
  compare("seed", ({ options }) => options.seed);
  compare("suites", ({ options }) => options.suites);
  compare("guests", ({ options }) => options.workloads);
  compare("looks", ({ options }) => options.sequential);
  compare("command", ({ options }) => commandOf(options));
  checkParts(first, other);
  compare("question", ({ question }) => question);
  compare("margins", ({ metrics }) =>
    metrics
      .filter((metric) => shared.has(metricKey(metric)))
      .map((metric) => `${metricKey(metric)} ${metric.margin} ${metric.unit} ${metric.scale}`)
      .sort(),
  );
  // These repeat exactly on any machine.
  const sameWhereBoth = (what: string, pick: (run: Run) => readonly unknown[]) => {
    if (pick(first.run).length > 0 && pick(other.run).length > 0) compare(what, pick);
  };
  sameWhereBoth("claims", ({ claims }) => claims);
  sameWhereBoth("lifetimes", ({ lifetimes }) => lifetimes);
  sameWhereBoth("rounds of", ({ retention }) => retention.map(({ scenario, rounds }) => [scenario, rounds]));
  sameWhereBoth("reads of region fields", ({ fieldReads }) => fieldReads);
  sameWhereBoth("code sizes", ({ codeSize }) => codeSize);
  compare("synthetic", ({ synthetic }) => synthetic);
  for (const { file, run } of [first, other]) {
    if (run.equivalence.some(({ equal }) => !equal)) {
      throw new CommandError(`${file}: its forms did not run the same guest, so it has no figures to merge`);
    }
    if (run.machines.some(({ dirty }) => dirty === true)) {
      throw new CommandError(
        `${file}: was measured in a working tree with changes, so its commit does not say what was measured; commit first`,
      );
    }
  }
}

/** @throws CommandError when one is a whole run and the other a part, or they are parts of different divisions. */
function checkParts(first: Part, other: Part): void {
  const partsOf = ({ run }: Part) => run.options.shard?.split("/")[1];
  if (partsOf(first) === partsOf(other)) return;
  const described = (part: Part) =>
    part.run.options.shard === null
      ? `${part.file} is a whole run, or one merged already`
      : `${part.file} is part ${part.run.options.shard}`;
  throw new CommandError(
    `results merge: ${described(first)}, and ${described(other)}: give the parts of one division, each once`,
  );
}

/** The command of the whole run, without the part and, in a merged run, the file of the part. */
function commandOf({ command }: RunOptions): string {
  const [first = ""] = command.split("\n");
  return first.replace(/ -o (?:'.*'|\S+)$/, "").replace(/ --shard \S+/, "");
}

/** How much of a value a message shows. */
const MOST_SHOWN = 120;

/** Two values that differ, shortened for a message to where they do. */
function shown(value: unknown, other: unknown): string {
  const [text, theirs] = [value, other].map((each) =>
    typeof each === "string" ? each : JSON.stringify(each),
  );
  if (text === undefined || theirs === undefined || text.length <= MOST_SHOWN) return text ?? "none";
  const differs = [...text].findIndex((character, i) => character !== theirs[i]);
  const start = Math.max(0, (differs < 0 ? text.length : differs) - MOST_SHOWN / 2);
  return `${start > 0 ? "…" : ""}${text.slice(start, start + MOST_SHOWN)}${start + MOST_SHOWN < text.length ? "…" : ""}`;
}

/** Checks that no run is given twice. */
function checkDistinct(parts: readonly Part[]): void {
  const seen = new Map<string, string>();
  for (const { file, run } of parts) {
    // Reads of region fields are the same in every run and identify none.
    const measured = run.metrics.filter(({ quantity }) => quantity !== "reads");
    const own = JSON.stringify(
      measured.length > 0
        ? measured.map(({ samples }) => samples)
        : run.machines.map(({ id, date }) => [id, date]),
    );
    const numbers = [...given([{ file, run }])].map((number) => `part ${number}`);
    const same =
      seen.get(own) ?? numbers.map((number) => seen.get(number)).find((other) => other !== undefined);
    if (same !== undefined) {
      throw new CommandError(`${file}: is the same part of a run as ${same}; give each once`);
    }
    for (const number of numbers) seen.set(number, file);
    seen.set(own, file);
  }
}

/** Checks that no process is in two runs, as in a merged run and in one of its parts: its sample would count twice. */
function checkDisjoint(parts: readonly Part[]): void {
  const seen = new Map<string, string>();
  for (const { file, run } of parts) {
    for (const metric of run.metrics) {
      if (metric.quantity !== "time") continue; // counts and heaps may well be the same in two processes
      metric.samples.A.forEach((a, i) => {
        const sample = [metricKey(metric), a, metric.samples.B[i], metric.samples.A2[i]].join(" ");
        const other = seen.get(sample) ?? file;
        if (other !== file)
          throw new CommandError(`${file}: has processes that ${other} has, too; merge each part once`);
        seen.set(sample, file);
      });
    }
  }
}

/** Parts of a divided run that are missing from these, as `3/4`. */
export function missingParts(parts: readonly Part[]): string[] {
  const [count = "0"] = parts.flatMap(({ run }) => run.options.shard?.split("/")[1] ?? []);
  const there = given(parts);
  return Array.from({ length: Number(count) }, (_, i) => i + 1)
    .filter((number) => !there.has(number))
    .map((number) => `${number}/${count}`);
}

/** The machines of all parts, each once, with its highest load. */
function machinesOf(parts: readonly Part[]): Environment[] {
  const machines = new Map<string, Environment>();
  for (const { run } of parts) {
    for (const machine of run.machines) {
      const known = machines.get(machine.id);
      machines.set(machine.id, {
        ...(known ?? machine),
        seconds: machine.seconds + (known?.seconds ?? 0),
        loadBefore: busier(known?.loadBefore ?? [], machine.loadBefore),
        loadAfter: busier(known?.loadAfter ?? [], machine.loadAfter),
      });
    }
  }
  return [...machines.values()];
}

/** The load averages with the higher one-minute load. */
function busier(one: readonly number[], other: readonly number[]): readonly number[] {
  return (other[0] ?? 0) > (one[0] ?? 0) || one.length === 0 ? other : one;
}

function mergeMetrics(
  parts: readonly Part[],
  offsets: readonly number[],
  processes: readonly ProcessEntry[],
  { options: { sequential }, selfTest }: Pick<Run, "options" | "selfTest">,
): Metric[] {
  const found = new Map<string, { metric: Metric; part: number }[]>();
  parts.forEach(({ run }, part) => {
    for (const metric of run.metrics) {
      const key = metricKey(metric);
      found.set(key, [...(found.get(key) ?? []), { metric, part }]);
    }
  });
  const merged = [...found.values()].flatMap((pieces) => {
    const [first] = pieces;
    if (first === undefined) return [];
    return [
      {
        // A time may decide in a part that has no count; `judgeRun` determines again what decides in all parts
        // together.
        definition: { ...first.metric, decides: pieces.some(({ metric }) => metric.decides) },
        samples: perArm((arm) => pieces.flatMap(({ metric }) => metric.samples[arm])),
        processes: pieces.flatMap(({ metric, part }) =>
          metric.processes.map((index) => index + (offsets[part] ?? 0)),
        ),
        distributions: perArm((arm) => pieces.flatMap(({ metric }) => metric.distributions[arm])),
      },
    ];
  });
  return judgeRun(merged, processes, { sequential, selfTest });
}

function mergeOptions(parts: readonly Part[], command: string): RunOptions {
  const all = parts.map(({ run }) => run.options);
  const [first] = all;
  if (first === undefined) throw new RangeError("there is a first part");
  const union = <T>(pick: (options: RunOptions) => readonly T[]) => [...new Set(all.flatMap(pick))];
  return {
    ...first,
    suites: union(({ suites }) => suites),
    workloads: union(({ workloads }) => workloads),
    repeats: all.reduce((sum, { repeats }) => sum + repeats, 0),
    // The commands that measured the parts, then the one that merged them.
    command: [
      ...new Set([...parts.map(({ file, run }) => storedAs(run.options.command, file)), command]),
    ].join("\n"),
    shard: partsOf(parts),
  };
}

/** The command of a part, with the file that the merge then reads; that of a merge has it. */
function storedAs(command: string, file: string): string {
  return command.includes("\n") ? command : `${command} -o ${quoted(file)}`;
}

/** Which parts of a divided run were merged, as `1,2/3`; null if all were, or if the run was not divided. */
function partsOf(parts: readonly Part[]): string | null {
  const [count] = parts.flatMap(({ run }) => run.options.shard?.split("/")[1] ?? []);
  if (count === undefined || missingParts(parts).length === 0) return null;
  return `${[...given(parts)].sort((a, b) => a - b).join(",")}/${count}`;
}

/** Numbers of the given parts. */
function given(parts: readonly Part[]): Set<number> {
  return new Set(
    parts.flatMap(({ run }) =>
      (run.options.shard?.split("/")[0] ?? "").split(",").filter(Boolean).map(Number),
    ),
  );
}

/**
 * Merges the proofs of all parts.
 * @throws CommandError (exit code 2) when guests of the same name did different things
 */
function mergeProofs(parts: readonly Part[]): EquivalenceProof[] {
  const proofs = new Map<string, { proof: EquivalenceProof; file: string }>();
  for (const { file, run } of parts) {
    for (const proof of run.equivalence) {
      const known = proofs.get(proof.workload);
      if (known !== undefined && JSON.stringify(known.proof.records) !== JSON.stringify(proof.records)) {
        throw new CommandError(
          `${file}: its guest ${proof.workload} behaved differently from that of ${known.file}; use the same firmware and kernels`,
        );
      }
      const boots = proof.boots + (known?.proof.boots ?? 0);
      proofs.set(proof.workload, { proof: { ...proof, boots }, file });
    }
  }
  return [...proofs.values()].map(({ proof }) => proof);
}

/** What the scenarios left in the processes of all parts. */
function mergeRetention(lists: readonly (readonly RetentionScenario[])[]): RetentionScenario[] {
  return longest(lists).map((first) => {
    const all = lists.flatMap((list) => list.filter(({ scenario }) => scenario === first.scenario));
    return { ...first, arms: perArm((arm) => mergeRecords(all.map(({ arms }) => arms[arm]))) };
  });
}

function mergeRecords(records: readonly RetentionRecord[]): RetentionRecord {
  const classes = new Set(records.flatMap(({ objects }) => objects.map(({ className }) => className)));
  const heap = records.flatMap((record) => record.heap);
  return {
    objects: [...classes].map((className) => ({
      className,
      alive: records.flatMap(
        ({ objects }) => objects.find((item) => item.className === className)?.alive ?? [],
      ),
    })),
    blocksUnfreed: records.flatMap((record) => record.blocksUnfreed),
    modelledLeakedBytes: records.flatMap((record) => record.modelledLeakedBytes),
    usesAfterFinalize: records.flatMap((record) => record.usesAfterFinalize),
    usesAfterFree: records.flatMap((record) => record.usesAfterFree),
    heap,
    slope: slopeOver(heap),
  };
}

/** Of several self-tests the one with the most false alarms, so that none is hidden by others. */
function leastTrusted(selfTests: readonly SelfTest[]): SelfTest | null {
  const share = ({ falseAlarms: { found, of } }: SelfTest) => found / Math.max(1, of);
  return selfTests.reduce<SelfTest | null>(
    (worst, each) => (worst === null || share(each) > share(worst) ? each : worst),
    null,
  );
}

function longest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.reduce((most, list) => (list.length > most.length ? list : most), lists[0] ?? []);
}

/** Start of each part after concatenation. */
function startsOf(lengths: readonly number[]): number[] {
  let start = 0;
  return lengths.map((length) => {
    const own = start;
    start += length;
    return own;
  });
}
