import { CommandError } from "./command-error.ts";
import { isRecord, JsonReader } from "./reader.ts";
import {
  ARMS,
  type CodeSize,
  type Comparison,
  type Distribution,
  type Effect,
  type Environment,
  type EquivalenceProof,
  FORMS,
  type GuestPhase,
  type GuestRecord,
  type HeapPoint,
  type Interval,
  type Metric,
  OUTLIER_CLASSES,
  type PerArm,
  type Requirement,
  type RetentionRecord,
  type RetentionScenario,
  ROLES,
  type Run,
  type RunOptions,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  type Schedule,
  type SourceSize,
  SUITES,
  VERDICTS,
} from "./schema.ts";

/**
 * Reads a stored run.
 *
 * @param file name for messages
 * @throws CommandError (exit code 2) when the text is truncated, not JSON, not a run, of a newer version, or damaged
 */
export function parseRun(text: string, file: string): Run {
  const json = parseJson(text, file);
  if (!isRecord(json) || json.schema !== SCHEMA_NAME) {
    throw new CommandError(
      2,
      `${file}: is JSON but not a benchmark run (no "schema": "${SCHEMA_NAME}"); ` +
        "give a file that `regionlab bench -o` wrote",
    );
  }
  const root = new JsonReader(file, json);
  const version = root.at("version").count();
  if (version !== SCHEMA_VERSION) {
    throw new CommandError(
      2,
      version > SCHEMA_VERSION
        ? `${file}: was written by a newer regionlab (format ${version}, this one reads ${SCHEMA_VERSION}); ` +
            "update regionlab, or measure again with this one"
        : `${file}: has format ${version}, this regionlab reads ${SCHEMA_VERSION}; measure again`,
    );
  }
  return readRun(root);
}

function parseJson(text: string, file: string): unknown {
  if (text.trim() === "") {
    throw new CommandError(2, `${file}: is empty; give a file that \`regionlab bench -o\` wrote`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(
      2,
      isCutOff(text)
        ? `${file}: ends in the middle (truncated JSON); copy it again, or run \`regionlab bench -o\` again`
        : `${file}: is not JSON; give a file that \`regionlab bench -o\` wrote`,
      { cause },
    );
  }
}

/** Whether the text opens like an object and ends before that object does. */
function isCutOff(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  // Whole strings first, so that brackets inside them do not count; a last one without an end stays.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, "");
  const count = (bracket: RegExp) => bare.match(bracket)?.length ?? 0;
  return count(/[{[]/g) > count(/[}\]]/g);
}

function readRun(r: JsonReader): Run {
  const run: Run = {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: r.at("synthetic").boolean(),
    question: r.at("question").string(),
    options: readOptions(r.at("options")),
    environment: readEnvironment(r.at("environment")),
    schedule: readSchedule(r.at("schedule")),
    equivalence: r.at("equivalence").array(readProof),
    metrics: r.at("metrics").array(readMetric),
    retention: r.at("retention").array(readScenario),
    codeSize: r.at("codeSize").array(readCodeSize),
    requirements: r.at("requirements").array(readRequirement),
  };
  if (run.metrics.length > 0 && run.equivalence.some((proof) => !proof.equal)) {
    r.at("metrics").fail("no metrics, because an equivalence proof failed");
  }
  return run;
}

function readOptions(r: JsonReader): RunOptions {
  const forms = r.at("forms");
  return {
    suites: r.at("suites").array((suite) => suite.oneOf(SUITES)),
    quick: r.at("quick").boolean(),
    forms: { A: forms.at("A").oneOf(FORMS), B: forms.at("B").oneOf(FORMS) },
    workloads: r.at("workloads").array((name) => name.string()),
    repeats: r.at("repeats").count(),
    seed: r.at("seed").number(),
    command: r.at("command").string(),
  };
}

function readEnvironment(r: JsonReader): Environment {
  const string = (reader: JsonReader) => reader.string();
  const number = (reader: JsonReader) => reader.number();
  const boolean = (reader: JsonReader) => reader.boolean();
  return {
    date: readDate(r.at("date")),
    seconds: r.at("seconds").number(),
    regionlab: r.at("regionlab").string(),
    node: r.at("node").string(),
    v8: r.at("v8").string(),
    platform: r.at("platform").string(),
    arch: r.at("arch").string(),
    kernel: r.at("kernel").string(),
    cpuModel: r.at("cpuModel").string(),
    cpuCount: r.at("cpuCount").count(),
    memoryBytes: r.at("memoryBytes").count(),
    loadBefore: r.at("loadBefore").array(number),
    loadAfter: r.at("loadAfter").array(number),
    governor: r.at("governor").nullable(string),
    virtualised: r.at("virtualised").nullable(boolean),
    commit: r.at("commit").nullable(string),
    dirty: r.at("dirty").nullable(boolean),
    execArgv: r.at("execArgv").array(string),
  };
}

function readDate(r: JsonReader): string {
  const text = r.string();
  return Number.isNaN(Date.parse(text)) ? r.fail("a date in ISO 8601") : text;
}

function readSchedule(r: JsonReader): Schedule {
  return {
    seed: r.at("seed").number(),
    order: r.at("order").array((entry) => ({
      task: entry.at("task").string(),
      arm: entry.at("arm").oneOf(ARMS),
      repeat: entry.at("repeat").count(),
      milliseconds: entry.at("milliseconds").number(),
    })),
  };
}

function readProof(r: JsonReader): EquivalenceProof {
  const records = r.at("records");
  return {
    workload: r.at("workload").string(),
    records: { A: readGuestRecord(records.at("A")), B: readGuestRecord(records.at("B")) },
    processes: r.at("processes").count(),
    equal: r.at("equal").boolean(),
  };
}

function readGuestRecord(r: JsonReader): GuestRecord {
  return {
    instructions: r.at("instructions").count(),
    mmioAccesses: r.at("mmioAccesses").count(),
    mmioTraceSha256: r.at("mmioTraceSha256").sha256(),
    consoleSha256: r.at("consoleSha256").sha256(),
    phases: readPhases(r.at("phases")),
  };
}

/** Runs that were stored before boots had phases have none. */
function readPhases(r: JsonReader): GuestPhase[] {
  if (r.value === undefined) return [];
  return r.array((phase) => ({
    name: phase.at("name").string(),
    instructions: phase.at("instructions").count(),
  }));
}

function perArm<T>(r: JsonReader, read: (reader: JsonReader) => T): PerArm<T> {
  return { A: read(r.at("A")), B: read(r.at("B")), A2: read(r.at("A2")) };
}

function readMetric(r: JsonReader): Metric {
  const samples = perArm(r.at("samples"), readNumbers);
  const metric: Metric = {
    suite: r.at("suite").oneOf(SUITES),
    workload: r.at("workload").string(),
    name: r.at("name").string(),
    description: r.at("description").string(),
    unit: r.at("unit").string(),
    quantity: r.at("quantity").oneOf(["time", "memory"]),
    scale: r.at("scale").oneOf(["percent", "absolute"]),
    margin: r.at("margin").number(),
    role: r.at("role").oneOf(ROLES),
    samples,
    distributions: perArm(r.at("distributions"), (arm) => arm.array(readDistribution)),
    outliers: perArm(r.at("outliers"), (arm) => arm.array((item) => item.oneOf(OUTLIER_CLASSES))),
    comparison: readComparison(r.at("comparison")),
  };
  for (const arm of ARMS) {
    const count = samples[arm].length;
    if (count === 0) r.at("samples").at(arm).fail("at least one sample");
    for (const member of ["distributions", "outliers"] as const) {
      if (metric[member][arm].length !== count) {
        r.at(member).at(arm).fail(`${count} items, one per sample`);
      }
    }
  }
  return metric;
}

function readNumbers(r: JsonReader): number[] {
  return r.array((item) => item.number());
}

function readDistribution(r: JsonReader): Distribution {
  return {
    count: r.at("count").count(),
    min: r.at("min").number(),
    q1: r.at("q1").number(),
    median: r.at("median").number(),
    q3: r.at("q3").number(),
    p99: r.at("p99").number(),
    max: r.at("max").number(),
  };
}

function readComparison(r: JsonReader): Comparison {
  return {
    ab: readEffect(r.at("ab")),
    aa: readEffect(r.at("aa")),
    aaSpread: r.at("aaSpread").number(),
    verdict: r.at("verdict").oneOf(VERDICTS),
    aaVerdict: r.at("aaVerdict").oneOf(VERDICTS),
    repeatsNeeded: r.at("repeatsNeeded").nullable((item) => item.count()),
  };
}

function readEffect(r: JsonReader): Effect {
  return {
    ...readInterval(r),
    level: r.at("level").number(),
    pairs: r.at("pairs").count(),
    above: r.at("above").count(),
    pValue: r.at("pValue").number(),
    adjustedPValue: r.at("adjustedPValue").number(),
  };
}

function readInterval(r: JsonReader): Interval {
  const interval = {
    estimate: r.at("estimate").number(),
    low: r.at("low").number(),
    high: r.at("high").number(),
  };
  return interval.low <= interval.high
    ? interval
    : r.fail("an interval whose low end is not above its high end");
}

function readScenario(r: JsonReader): RetentionScenario {
  return {
    scenario: r.at("scenario").string(),
    description: r.at("description").string(),
    rounds: r.at("rounds").count(),
    arms: perArm(r.at("arms"), readRetention),
  };
}

function readRetention(r: JsonReader): RetentionRecord {
  return {
    objects: r.at("objects").array((item) => ({
      className: item.at("className").string(),
      alive: readNumbers(item.at("alive")),
    })),
    blocksUnfreed: readNumbers(r.at("blocksUnfreed")),
    modelledLeakedBytes: readNumbers(r.at("modelledLeakedBytes")),
    usesAfterFinalize: readNumbers(r.at("usesAfterFinalize")),
    usesAfterFree: readNumbers(r.at("usesAfterFree")),
    heap: r.at("heap").array((process) => process.array(readHeapPoint)),
    slope: r.at("slope").nullable(readInterval),
  };
}

function readHeapPoint(r: JsonReader): HeapPoint {
  return { round: r.at("round").count(), bytes: r.at("bytes").number() };
}

function readCodeSize(r: JsonReader): CodeSize {
  return {
    device: r.at("device").string(),
    file: r.at("file").string(),
    embedded: readSourceSize(r.at("embedded")),
    owned: readSourceSize(r.at("owned")),
  };
}

function readSourceSize(r: JsonReader): SourceSize {
  return { regionFields: r.at("regionFields").count(), lines: r.at("lines").count() };
}

function readRequirement(r: JsonReader): Requirement {
  const measured = r.at("measured");
  return {
    name: r.at("name").string(),
    limit: r.at("limit").number(),
    unit: r.at("unit").string(),
    measured: { A: measured.at("A").number(), B: measured.at("B").number() },
    met: r.at("met").boolean(),
  };
}
