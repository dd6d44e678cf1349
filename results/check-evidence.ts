/**
 * Checks a stored run against its own samples. Verdicts, standings, limits and slopes are computed again, by the same
 * functions as when the run was measured, so that none of them can be edited without the rest. The samples themselves
 * cannot be checked: whoever invents samples invents a run.
 */
import type { JsonReader } from "./reader.ts";
import { metricKey } from "./rows.ts";
import { BY_CONSTRUCTION } from "./rules/deciding.ts";
import { judgeRun } from "./rules/judge.ts";
import { HEAP_GROWTH, READ_QUESTIONS } from "./rules/questions.ts";
import { checkRequirements } from "./rules/requirements.ts";
import { slopeOver } from "./rules/retention.ts";
import { ARMS, type Metric, type Run } from "./schema.ts";
import { theilSenSlope } from "./statistics/index.ts";

/**
 * Relative tolerance for numbers (relative to {@link SMALL} if they are smaller): logarithms differ between engines.
 */
const TOLERANCE = 1e-6;
const SMALL = 1e-3;
/** Relative tolerance for probabilities, which depend on differences of nearly equal numbers. */
const CHANCE_TOLERANCE = 1e-3;

/** Members that hold sentences, which another version may have worded differently; those of this version are shown. */
const WORDS: ReadonlySet<string> = new Set(["reason", "machines", "byConstruction"]);
const FROM_SAMPLES = "which follows from the samples";

const CHANCES: ReadonlySet<string> = new Set(["pValue", "adjustedPValue"]);

/**
 * @param r reader of the run, for messages
 * @returns the run with everything that follows from its samples computed again
 * @throws CommandError (exit code 2) where something in the run does not follow from the rest of it
 */
export function checkEvidence(run: Run, r: JsonReader): Run {
  checkProofs(run, r);
  checkNames(run, r);
  const metrics = judgedAgain(run);
  const readers = metrics.map((metric, i) => ({ metric, reader: r.at("metrics").item(i) }));
  checkReads(run, r);
  for (const { metric, reader } of readers) checkStanding(reader, metric);
  checkHeaps(run, r);
  checkForms(run, r);
  // Report an edit where it was made: effects first, then corrected probabilities, which depend on all metrics.
  for (const { metric, reader } of readers) checkEffects(reader.at("comparison"), metric);
  for (const { metric, reader } of readers) {
    checkFollows(reader.at("comparison"), metric.comparison, FROM_SAMPLES);
    checkFollows(reader.at("outliers"), metric.outliers, FROM_SAMPLES);
  }
  checkFollows(r.at("requirements"), checkRequirements(metrics), FROM_SAMPLES);
  return { ...run, metrics };
}

function judgedAgain({ metrics, schedule, options: { sequential }, selfTest }: Run): Metric[] {
  const figures = metrics.map((metric) => ({ ...metric, definition: metric }));
  return judgeRun(figures, schedule.processes, { sequential, selfTest });
}

function checkStanding(r: JsonReader, { decides, byConstruction }: Metric): void {
  checkFollows(r.at("decides"), decides, "which follows from the other figures of the run");
  const stored = r.at("byConstruction");
  if ((stored.value === null) !== (byConstruction === null)) {
    const expected = byConstruction === null ? "null" : `"${BY_CONSTRUCTION}"`;
    stored.fail(`${expected}, which follows from the reads of region fields`);
  }
}

function checkEffects(r: JsonReader, { comparison }: Metric): void {
  for (const name of ["ab", "aa"] as const) {
    const { adjustedPValue: _, ...effect } = comparison[name];
    checkFollows(r.at(name), effect, FROM_SAMPLES);
  }
}

/** Compares every member of what is expected with what is stored. */
function checkFollows(r: JsonReader, expected: unknown, why: string, name = ""): void {
  if (WORDS.has(name) && (r.value === null) === (expected === null)) return;
  if (Array.isArray(expected)) {
    if (!Array.isArray(r.value) || r.value.length !== expected.length) {
      r.fail(`an array of ${expected.length}, ${why}`);
    }
    expected.forEach((item: unknown, i) => {
      checkFollows(r.item(i), item, why);
    });
  } else if (typeof expected === "object" && expected !== null) {
    for (const [key, value] of Object.entries(expected)) checkFollows(r.at(key), value, why, key);
  } else if (!isSame(r.value, expected, name)) {
    r.fail(`${JSON.stringify(expected)}, ${why}`);
  }
}

function isSame(value: unknown, expected: unknown, name: string): boolean {
  if (typeof value !== "number" || typeof expected !== "number") return value === expected;
  if (CHANCES.has(name)) return Math.abs(value - expected) <= CHANCE_TOLERANCE * expected;
  return Math.abs(value - expected) <= TOLERANCE * Math.max(Math.abs(expected), SMALL);
}

/** Reads of region fields are stored in a table and as figures, which must agree. */
function checkReads({ options, schedule, equivalence, fieldReads, metrics }: Run, r: JsonReader): void {
  const counting = schedule.processes.filter(
    ({ task, lost }) => task === `${PROOF}outcomes` && lost === null,
  );
  // Two processes show that the counts repeat; without them, or with a failed proof, there are no such figures.
  const isCounted =
    options.suites.includes("dispatch") && counting.length >= 2 && equivalence.every(({ equal }) => equal);
  for (const question of READ_QUESTIONS) {
    const key = metricKey({ ...question, quantity: "reads", source: "regionlab" });
    const metric = metrics.find((each) => metricKey(each) === key);
    const i = fieldReads.findIndex(({ access }) => access === question.access);
    if (metric === undefined) {
      if (i >= 0 && isCounted)
        r.at("metrics").fail(`the reads of "${question.name}", which are in fieldReads`);
      continue;
    }
    if (metric.role !== question.role)
      r.at("metrics")
        .item(metrics.indexOf(metric))
        .at("role")
        .fail(`"${question.role}", which this metric has`);
    if (i < 0)
      r.at("fieldReads").fail(`the reads of "${question.access}", which decide a question of this run`);
    for (const arm of ["A", "B"] as const) {
      const reads = r.at("fieldReads").item(i).at("reads").at(arm);
      checkFollows(reads, metric.samples[arm][0], "which follows from the figures of the same access");
    }
  }
}

/**
 * The slope of each heap must be among the samples of its metric, and agree with the slope stored next to the heaps.
 */
function checkHeaps({ retention, metrics }: Run, r: JsonReader): void {
  retention.forEach(({ scenario, arms }, i) => {
    const metric = metrics.find(
      ({ workload, name, source }) => workload === scenario && name === HEAP_GROWTH && source === "regionlab",
    );
    for (const arm of ARMS) {
      const record = r.at("retention").item(i).at("arms").at(arm);
      const { heap } = arms[arm];
      checkFollows(record.at("slope"), slopeOver(heap), "which follows from the heaps");
      heap.forEach((points, process) => {
        const slope = theilSenSlope(points);
        if (metric?.samples[arm].some((sample) => isSame(sample, slope, "")) === false) {
          record
            .at("heap")
            .item(process)
            .fail(`a heap whose slope, ${slope}, is a sample of the heap growth of "${scenario}"`);
        }
      });
    }
  });
}

/** Two arms of the same form must leave and read the same. */
function checkForms({ options: { forms }, lifetimes, fieldReads }: Run, r: JsonReader): void {
  if (forms.A !== forms.B) return;
  const differs =
    lifetimes.some(({ arms }) => JSON.stringify(arms.A) !== JSON.stringify(arms.B)) ||
    fieldReads.some(({ reads }) => reads.A !== reads.B);
  if (differs)
    r.at("options")
      .at("forms")
      .at("B")
      .fail(`a form other than ${forms.A}, because lifetimes or reads differ`);
}

/** The processes that prove that a guest runs alike in both forms are named after it. */
const PROOF = "proof/";

/** The guests proved, and the processes that proved them, must be the same. */
function checkProofs({ equivalence, schedule, lifetimes }: Run, r: JsonReader): void {
  const proved = equivalence.map(({ workload }) => workload);
  checkUnique(proved, r.at("equivalence"));
  const tasks = schedule.processes.filter(({ lost }) => lost === null).map(({ task }) => task);
  const [remains, outcomes] = [`${PROOF}remains`, `${PROOF}outcomes`];
  for (const task of new Set(tasks)) {
    if (!task.startsWith(PROOF) || task === remains || task === outcomes) continue;
    const guest = task.slice(PROOF.length);
    if (!proved.includes(guest))
      r.at("equivalence").fail(`a proof of "${guest}", for which the schedule has a process`);
  }
  proved.forEach((guest, i) => {
    if (!tasks.includes(`${PROOF}${guest}`))
      r.at("equivalence").item(i).at("workload").fail("a guest for whose proof the schedule has a process");
  });
  if (tasks.includes(outcomes) && lifetimes.length === 0)
    r.at("lifetimes").fail("at least one scenario, because the schedule has processes that lived them");
}

/** Nothing may be counted twice. */
function checkNames({ claims, lifetimes, retention, fieldReads, codeSize }: Run, r: JsonReader): void {
  for (const [member, names] of [
    ["claims", claims.map(({ id }) => id)],
    ["lifetimes", lifetimes.map(({ scenario }) => scenario)],
    ["retention", retention.map(({ scenario }) => scenario)],
    ["fieldReads", fieldReads.map(({ access }) => access)],
    ["codeSize", codeSize.map(({ file }) => file)],
  ] as const)
    checkUnique(names, r.at(member));
}

function checkUnique(names: readonly string[], r: JsonReader): void {
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) r.item(i).fail(`an entry other than "${name}", which appears earlier`);
  });
}
