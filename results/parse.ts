import { CommandError } from "#host";
import { checkCommand } from "./check-command.ts";
import { checkEvidence } from "./check-evidence.ts";
import { readClaims } from "./claims.ts";
import { digestOf } from "./digest.ts";
import { checkIdentities, perArm, readInterval, readMetric, readOmission } from "./parse-metrics.ts";
import { isRecord, JsonReader } from "./reader.ts";
import { areAlike } from "./rules/deciding.ts";
import { LEAST_PROCESSES } from "./rules/judge.ts";
import { QUESTION } from "./rules/questions.ts";
import {
  type AlikeMetric,
  ARMS,
  type CodeSize,
  type Environment,
  type EquivalenceProof,
  type FieldReads,
  FORMS,
  type GuestRecord,
  type HeapPoint,
  type LifetimeFigures,
  type LifetimeOutcome,
  type LifetimeScenario,
  type ProcessEntry,
  type Rate,
  type Requirement,
  type RetentionRecord,
  type RetentionScenario,
  type Run,
  type RunOptions,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  type Schedule,
  type SelfTest,
  type Sequential,
  type SourceSize,
  SUITES,
} from "./schema.ts";
import { LEVEL, sequentialRule } from "./statistics/index.ts";

/**
 * Reads a stored run.
 *
 * @param file name for messages
 * @throws CommandError (exit code 2) when the text is truncated, not JSON, not a run, of a newer version, or damaged
 */
export function parseRun(text: string, file: string): Run {
  const json = parseJson(text, file);
  if (Array.isArray(json) && json.length > 1) {
    throw new CommandError(
      `${file}: holds a list of ${json.length}, and one run is needed; \`regionlab report RUN --format json -o FILE\` writes one`,
    );
  }
  return runOf(json, file);
}

/** The same for a file that may hold several runs, as `report --format json` writes them. */
export function parseRuns(text: string, file: string): Run[] {
  const json = parseJson(text, file);
  if (!Array.isArray(json)) return [runOf(json, file)];
  if (json.length === 0) {
    throw new CommandError(`${file}: holds no run; give a file that \`regionlab bench -o\` wrote`);
  }
  return json.map((each, i) => runOf(each, `${file}[${i}]`));
}

function runOf(json: unknown, file: string): Run {
  if (!isRecord(json) || json.schema !== SCHEMA_NAME) {
    throw new CommandError(
      `${file}: is JSON but not a benchmark run (no "schema": "${SCHEMA_NAME}"); ` +
        "give a file that `regionlab bench -o` wrote",
    );
  }
  const root = new JsonReader(file, json);
  const version = root.at("version").count();
  if (version !== SCHEMA_VERSION) {
    throw new CommandError(
      version > SCHEMA_VERSION
        ? `${file}: was written by a newer regionlab (format ${version}, this one reads ${SCHEMA_VERSION}); ` +
            "update regionlab, or measure again with this one"
        : `${file}: has format ${version}, of an older instrument, and this regionlab reads ${SCHEMA_VERSION}; ` +
            "measure again with `regionlab bench`",
    );
  }
  if (root.at("digest").value !== digestOf(json)) {
    throw new CommandError(
      `${file}: does not match its digest, so it was edited or damaged; restore it, or run ` +
        "`regionlab bench -o` again",
    );
  }
  return readRun(root);
}

/**
 * Parses JSON that a command wrote.
 * @param writer the command, for messages
 * @throws CommandError (exit code 2) when the text is empty, truncated, not JSON, or nested too deeply
 */
export function parseJson(text: string, file: string, writer = "`regionlab bench -o`"): unknown {
  if (text.trim() === "") throw new CommandError(`${file}: is empty; give a file that ${writer} wrote`);
  const json = parseText(text, file, writer);
  if (isDeeperThan(json, MOST_LEVELS))
    throw new CommandError(
      `${file}: nests deeper than any run (${MOST_LEVELS} levels); give a file that ${writer} wrote`,
    );
  return json;
}

function parseText(text: string, file: string, writer: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(
      isCutOff(text)
        ? `${file}: ends in the middle (truncated JSON); copy it again, or run ${writer} again`
        : `${file}: is not JSON; give a file that ${writer} wrote`,
      { cause },
    );
  }
}

/** A run has ten levels. What recurses over a text of a hundred thousand would run out of stack. */
const MOST_LEVELS = 64;

function isDeeperThan(json: unknown, most: number): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return false;
}

/** Whether the text begins an object and ends before that object is closed. */
function isCutOff(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  // Strings are removed first, so that brackets inside them do not count; an unterminated last one stays.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, "");
  const count = (bracket: RegExp) => bare.match(bracket)?.length ?? 0;
  return count(/[{[]/g) > count(/[}\]]/g);
}

function readRun(r: JsonReader): Run {
  const machines = r.at("machines").array(readEnvironment);
  checkMachines(machines, r.at("machines"));
  const schedule = readSchedule(r.at("schedule"), machines.length);
  const run: Run = {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: r.at("synthetic").boolean(),
    question: readQuestion(r.at("question")),
    options: readOptions(r.at("options")),
    machines,
    schedule,
    equivalence: r.at("equivalence").array(readProof),
    fieldReads: r.at("fieldReads").array(readFieldReads),
    metrics: r.at("metrics").array((metric) => readMetric(metric, schedule)),
    omissions: r.at("omissions").array(readOmission),
    claims: readClaims(r.at("claims")),
    lifetimes: r.at("lifetimes").array(readLifetime),
    retention: r.at("retention").array(readScenario),
    codeSize: r.at("codeSize").array(readCodeSize),
    requirements: r.at("requirements").array(readRequirement),
    selfTest: r.at("selfTest").nullable(readSelfTest),
  };
  if (run.metrics.length > 0 && run.equivalence.some((proof) => !proof.equal)) {
    r.at("metrics").fail("no metrics, because an equivalence proof failed");
  }
  checkIdentities(run.metrics, run.omissions, r);
  checkCommand(run, r);
  return checkEvidence(run, r);
}

function readQuestion(r: JsonReader): string {
  const text = r.string();
  return text === QUESTION ? text : r.fail(`"${QUESTION}"`);
}

/** A command of this program; file names may be quoted. */
const COMMAND = /^npx regionlab (bench|results merge)( ([\w./:=@%+,~^-]|'[^'\n]*'|\\')+)*$/;

function readCommand(r: JsonReader): string {
  const text = r.string(100_000);
  // A merged run has those of its parts, one per line.
  for (const line of text.split("\n"))
    if (!COMMAND.test(line)) r.fail("calls of `npx regionlab bench` or `npx regionlab results merge`");
  return text;
}

function readOptions(r: JsonReader): RunOptions {
  const given = r.at("forms");
  const forms = { A: given.at("A").oneOf(FORMS), B: given.at("B").oneOf(FORMS) };
  return {
    suites: unique(
      r.at("suites").array((suite) => suite.oneOf(SUITES)),
      r.at("suites"),
    ),
    quick: r.at("quick").boolean(),
    forms,
    workloads: r.at("workloads").array(string),
    repeats: r.at("repeats").count(),
    seed: r.at("seed").number(),
    command: readCommand(r.at("command")),
    shard: r.at("shard").nullable(readShard),
    sequential: readSequential(r.at("sequential")),
  };
}

function readShard(r: JsonReader): string {
  const text = r.string();
  const shaped = /^[1-9]\d*(,[1-9]\d*)*\/[1-9]\d*$/.test(text);
  return shaped ? text : r.fail("a part of a run, such as 2/4, or several, such as 1,2/4");
}

function readSequential(r: JsonReader): Sequential {
  let last = 0;
  const looks = r.at("looks").array((item) => {
    const look = item.count();
    if (look <= last) item.fail(`a number of processes greater than ${last}`);
    if (look < LEAST_PROCESSES) item.fail(`at least ${LEAST_PROCESSES} processes`);
    last = look;
    return look;
  });
  const level = r.at("level").level();
  const least = looks.length === 0 ? LEVEL : sequentialRule(looks).level;
  if (level < least - 1e-9) r.at("level").fail(`at least ${least}, for ${looks.length} looks`);
  return { looks, level };
}

function unique<T>(values: T[], r: JsonReader): T[] {
  return new Set(values).size === values.length ? values : r.fail("each value once");
}

function string(r: JsonReader): string {
  return r.string();
}

function amount(r: JsonReader): number {
  return r.amount();
}

function count(r: JsonReader): number {
  return r.count();
}

function readEnvironment(r: JsonReader): Environment {
  const boolean = (reader: JsonReader) => reader.boolean();
  return {
    id: r.at("id").string(),
    date: r.at("date").date(),
    seconds: r.at("seconds").amount(),
    ...(r.at("resumed").value === undefined ? {} : { resumed: r.at("resumed").count() }),
    regionlab: r.at("regionlab").string(),
    node: r.at("node").string(),
    v8: r.at("v8").string(),
    platform: r.at("platform").string(),
    arch: r.at("arch").string(),
    kernel: r.at("kernel").string(),
    cpuModel: r.at("cpuModel").string(),
    cpuCount: r.at("cpuCount").positive(),
    memoryBytes: r.at("memoryBytes").count(),
    loadBefore: r.at("loadBefore").array(amount),
    loadAfter: r.at("loadAfter").array(amount),
    governor: r.at("governor").nullable(string),
    virtualised: r.at("virtualised").nullable(boolean),
    commit: r.at("commit").nullable(string),
    dirty: r.at("dirty").nullable(boolean),
    execArgv: r.at("execArgv").array(string),
    valgrind: r.at("valgrind").nullable(string),
  };
}

function checkMachines(machines: readonly Environment[], r: JsonReader): void {
  if (machines.length === 0) r.fail("at least one machine");
  const ids = new Set<string>();
  for (const [i, { id }] of machines.entries()) {
    if (ids.has(id)) r.item(i).at("id").fail("a name that no other machine has");
    ids.add(id);
  }
}

function readSchedule(r: JsonReader, machines: number): Schedule {
  return {
    seed: r.at("seed").number(),
    processes: r.at("processes").array((process) => readProcess(process, machines)),
  };
}

function readProcess(r: JsonReader, machines: number): ProcessEntry {
  const machine = r.at("machine").count();
  if (machine >= machines) r.at("machine").fail(`the index of one of ${machines} machines`);
  return {
    task: r.at("task").string(),
    repeat: r.at("repeat").count(),
    machine,
    slots: r.at("slots").nullable((slots) => {
      const arms = slots.array((slot) => slot.oneOf(ARMS));
      return new Set(arms).size === arms.length ? arms : slots.fail("every arm once");
    }),
    milliseconds: r.at("milliseconds").amount(),
    lost: r.at("lost").nullable(string),
  };
}

function readProof(r: JsonReader): EquivalenceProof {
  const records = r.at("records");
  const proof = {
    workload: r.at("workload").string(),
    records: { A: readGuestRecord(records.at("A")), B: readGuestRecord(records.at("B")) },
    boots: r.at("boots").count(),
    equal: r.at("equal").boolean(),
  };
  const { A, B } = proof.records;
  if (proof.equal && JSON.stringify(A) !== JSON.stringify(B)) {
    r.at("equal").fail("false, because the records differ");
  }
  return proof;
}

function readGuestRecord(r: JsonReader): GuestRecord {
  return {
    instructions: r.at("instructions").count(),
    mmioAccesses: r.at("mmioAccesses").count(),
    mmioTraceSha256: r.at("mmioTraceSha256").sha256(),
    consoleSha256: r.at("consoleSha256").sha256(),
    phases: r.at("phases").array((phase) => ({
      name: phase.at("name").string(),
      instructions: phase.at("instructions").count(),
    })),
  };
}

function readFieldReads(r: JsonReader): FieldReads {
  const reads = r.at("reads");
  const entry: FieldReads = {
    access: r.at("access").string(),
    reads: { A: reads.at("A").amount(), B: reads.at("B").amount() },
    fields: r.at("fields").array(string),
  };
  if (entry.fields.length === 0 && (entry.reads.A > 0 || entry.reads.B > 0)) {
    r.at("fields").fail("the names of the fields, because the access reads some");
  }
  return entry;
}

function readLifetime(r: JsonReader): LifetimeScenario {
  const arms = r.at("arms");
  return {
    scenario: r.at("scenario").string(),
    description: r.at("description").string(),
    rule: r.at("rule").string(),
    rounds: r.at("rounds").count(),
    arms: { A: readOutcome(arms.at("A")), B: readOutcome(arms.at("B")) },
  };
}

function readOutcome(r: JsonReader): LifetimeOutcome {
  return {
    expected: readLifetimeFigures(r.at("expected")),
    observed: readLifetimeFigures(r.at("observed")),
  };
}

function readLifetimeFigures(r: JsonReader): LifetimeFigures {
  const later = (member: string) => (r.at(member).value === undefined ? 0 : r.at(member).count());
  const blocks = (number: number, size: string, bytes: number) => {
    if (bytes > 0 !== number > 0)
      r.at(size).fail(number > 0 ? "the bytes of the blocks" : "0, as no block is left");
    return bytes;
  };
  const blocksUnfreed = r.at("blocksUnfreed").count();
  const blocksHeld = later("blocksHeld");
  return {
    aborts: later("aborts"),
    blocksUnfreed,
    bytesUnfreed: blocks(blocksUnfreed, "bytesUnfreed", r.at("bytesUnfreed").count()),
    blocksHeld,
    bytesHeld: blocks(blocksHeld, "bytesHeld", later("bytesHeld")),
    usesAfterFinalize: r.at("usesAfterFinalize").count(),
    usesAfterFree: r.at("usesAfterFree").count(),
  };
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
    // Relative to before the first round, so possibly negative.
    objects: r.at("objects").array((item) => ({
      className: item.at("className").string(),
      alive: item.at("alive").array((alive) => alive.number()),
    })),
    blocksUnfreed: r.at("blocksUnfreed").array(count),
    modelledLeakedBytes: r.at("modelledLeakedBytes").array(count),
    usesAfterFinalize: r.at("usesAfterFinalize").array(count),
    usesAfterFree: r.at("usesAfterFree").array(count),
    heap: r.at("heap").array(readHeap),
    slope: r.at("slope").nullable(readInterval),
  };
}

function readHeap(r: JsonReader): HeapPoint[] {
  const points = r.array(readHeapPoint);
  const rounds = new Set(points.map(({ round }) => round));
  return rounds.size >= 2 ? points : r.fail("points of at least two rounds, which a slope needs");
}

function readHeapPoint(r: JsonReader): HeapPoint {
  return { round: r.at("round").count(), bytes: r.at("bytes").amount() };
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

export function readSelfTest(r: JsonReader): SelfTest {
  return {
    date: r.at("date").date(),
    cpuModel: r.at("cpuModel").string(),
    node: r.at("node").string(),
    regionlab: r.at("regionlab").string(),
    processes: r.at("processes").count(),
    falseAlarms: readRate(r.at("falseAlarms")),
    planted: r.at("planted").array((item) => ({
      suite: item.at("suite").oneOf(SUITES),
      quantity: item.at("quantity").oneOf(["time", "count"] as const),
      percent: item.at("percent").positive(),
      ...readRate(item),
    })),
    leaks: readRate(r.at("leaks")),
    alike: r.at("alike").array(readAlike),
  };
}

function readRate(r: JsonReader): Rate {
  const rate = { found: r.at("found").count(), of: r.at("of").count() };
  return rate.found <= rate.of ? rate : r.at("found").fail(`at most ${rate.of}, as many as were tried`);
}

function readAlike(r: JsonReader): AlikeMetric {
  const metric: AlikeMetric = {
    suite: r.at("suite").oneOf(SUITES),
    workload: r.at("workload").string(),
    name: r.at("name").string(),
    processes: r.at("processes").count(),
    arms: perArm(r.at("arms"), (arm) => arm.number()),
    slots: r.at("slots").array((slot) => slot.number()),
    alike: r.at("alike").boolean(),
  };
  const alike = areAlike([...Object.values(metric.arms), ...metric.slots]);
  return metric.alike === alike ? metric : r.at("alike").fail(`${alike}, which follows from its percentages`);
}
