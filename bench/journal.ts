/** Journal of the finished processes of a run, kept next to its output, so that an interrupted run can be resumed. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CommandError, outputPlace } from "#host";
import type { Environment } from "#results";
import { pageNameOf } from "#results";
import type { CountOutcome, CountSample } from "./counts/count.ts";
import type { BenchPlan } from "./plan.ts";
import type { TrialOutcome } from "./runner/run-schedule.ts";
import type { ProcessReport } from "./suites/measurement.ts";

/** What two runs must have in common for one to resume the other. */
export interface JournalKey {
  readonly plan: Omit<BenchPlan, "command">;
  /** Hash over the code that measured processes run. */
  readonly code: string;
  readonly node: string;
  readonly cpuModel: string;
}

/** Outcomes of the processes, by phase of a run. */
interface Outcomes {
  readonly proof: readonly TrialOutcome<ProcessReport>[];
  readonly count: readonly CountOutcome[];
  readonly measure: readonly TrialOutcome<ProcessReport>[];
}

/** The phase of a run that a process belongs to. */
export type Phase = keyof Outcomes;
const PHASES: readonly Phase[] = ["proof", "count", "measure"];

/** A line of the journal. Outcomes carry a hash, so that edited ones are not taken for samples. */
type Line =
  | { readonly key: JournalKey }
  | { readonly outcome: Outcomes[Phase][number]; readonly phase: Phase; readonly sum: string };

export class Journal {
  /** Outcomes left by an interrupted run with the same key. */
  readonly earlier: Outcomes;
  /** Number of lines that were not complete outcomes. */
  readonly damaged: number;
  private readonly locks: readonly string[];
  private readonly file: string;

  private constructor(output: string, locks: readonly string[], earlier: Journal["earlier"], damaged = 0) {
    this.locks = locks;
    this.damaged = damaged;
    this.file = journalOf(output);
    this.earlier = earlier;
  }

  /**
   * Opens the journal of an output file: resumes an existing one with the same key, or begins a new one.
   * @param fresh begin a new one in any case
   * @throws CommandError (exit code 2) when there is another journal or file, or when another run is writing there
   */
  static open(output: string, key: JournalKey, fresh: boolean): Journal {
    const file = journalOf(output);
    // Reading a device or a FIFO could block forever, deaf to signals.
    const there = statSync(file, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile())
      throw new CommandError(
        `${file}: is where this run keeps its finished processes, but not a regular file; move it away`,
      );
    const locks = lock(output);
    const found = fresh ? null : readJournal(file);
    if (found !== null && JSON.stringify(found.key) === JSON.stringify(key)) {
      // New lines must not be appended to an incomplete one.
      truncateSync(file, found.wholeBytes);
      return new Journal(output, locks, found.earlier, found.damaged);
    }
    const finished = found === null ? 0 : sizeOf(found.earlier);
    const foreign = found === null && !fresh && existsSync(file) && !isTornHead(file);
    if (finished > 0 || foreign) {
      release(locks);
      throw new CommandError(
        `${file}: holds ${foreign ? "something that is not a journal of this regionlab" : `${finished} processes of an interrupted run with other options, code or Node`}; ` +
          "add --fresh to discard it, or store this run elsewhere with -o",
      );
    }
    writeFileSync(file, `${JSON.stringify({ key } satisfies Line)}\n`);
    return new Journal(output, locks, { proof: [], count: [], measure: [] });
  }

  /** Number of processes left by an interrupted run. */
  get found(): number {
    return sizeOf(this.earlier);
  }

  add<P extends Phase>(phase: P, outcome: Outcomes[P][number]): void {
    const sum = sumOf(outcome);
    appendFileSync(this.file, `${JSON.stringify({ outcome, phase, sum } satisfies Line)}\n`);
  }

  /** Removes the journal of a run that is complete and stored. */
  remove(): void {
    rmSync(this.file, { force: true });
    this.close();
  }

  /** Releases the output; finished processes are kept. */
  close(): void {
    release(this.locks);
  }
}

function sizeOf(outcomes: Outcomes): number {
  return PHASES.reduce((sum, phase) => sum + outcomes[phase].length, 0);
}

/**
 * Locks an output and its journal against a second run, under whatever name.
 * @returns the files to be removed again
 * @throws CommandError (exit code 2) when another running process holds the lock
 */
function lock(output: string): readonly string[] {
  const held: string[] = [];
  try {
    for (const file of locksOf(output)) {
      take(file, output);
      held.push(file);
    }
    return held;
  } catch (error) {
    release(held);
    throw error;
  }
}

function take(file: string, output: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
  } catch {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw new CommandError(`${file}: is the lock of this output, but not a regular file; move it away`);
    const owner = Number(readFileSync(file, "utf8"));
    if (owner !== process.pid && isAlive(owner)) {
      throw new CommandError(
        `-o ${output}: another run (process ${owner}) is writing there; wait for it, or name another file; ` +
          `if that process is something else, remove ${file}`,
      );
    }
    writeFileSync(file, `${process.pid}\n`); // the owner was killed
  }
}

function release(locks: readonly string[]): void {
  for (const file of locks) rmSync(file, { force: true });
}

/** Different files may have the same page, and different names may lead to the same file. */
function locksOf(output: string): string[] {
  return [...new Set([output, outputPlace(`-o ${output}`, output, true).path])].map(
    (name) => `${pageNameOf(name)}.lock`,
  );
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export function journalOf(output: string): string {
  return `${output}.partial`;
}

interface Found {
  readonly key: JournalKey;
  readonly earlier: Journal["earlier"];
  /** Length of its complete lines in bytes. */
  readonly wholeBytes: number;
  readonly damaged: number;
}

/** Reads the valid lines. After a kill, the last line may be incomplete; any other may have been edited. */
function readJournal(file: string): Found | null {
  if (!existsSync(file)) return null;
  const [first = "", ...rest] = readFileSync(file, "utf8").split("\n");
  if (rest.length === 0) return null; // not even the first line is complete
  const lines = rest.slice(0, -1);
  const head = readLine(first);
  if (head === null || !("key" in head)) return null;
  const earlier: Record<Phase, Outcomes[Phase][number][]> = { proof: [], count: [], measure: [] };
  let damaged = rest.at(-1) === "" ? 0 : 1; // the last line is incomplete
  for (const text of lines) {
    const line = readLine(text);
    if (line === null || !("outcome" in line)) {
      damaged++;
      continue;
    }
    const { task, repeat } = line.outcome.trial;
    const known = earlier[line.phase].some(({ trial }) => trial.task === task && trial.repeat === repeat);
    if (!known) earlier[line.phase].push(line.outcome);
  }
  const wholeBytes = [first, ...lines].reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
  return { key: head.key, earlier: earlier as Outcomes, wholeBytes, damaged }; // each line says its phase
}

/** Whether a file has nothing but the beginning of a journal, whose run was killed before it measured anything. */
function isTornHead(file: string): boolean {
  const text = readFileSync(file, "utf8");
  const begin = '{"key":';
  return !text.includes("\n") && (text.startsWith(begin) || begin.startsWith(text));
}

/** Parses a line; null if it is not a line of a journal, or is damaged. */
function readLine(text: string): Line | null {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) return null;
    if ("key" in line) return line as Line; // compared as a whole before it is used
    const known = "outcome" in line && "phase" in line && PHASES.some((phase) => phase === line.phase);
    const ours = known && "sum" in line && line.sum === sumOf(line.outcome);
    return ours && isSound((line as { outcome: unknown }).outcome) ? (line as Line) : null; // written by `add`
  } catch {
    return null;
  }
}

function sumOf(outcome: unknown): string {
  return createHash("sha256").update(JSON.stringify(outcome)).digest("hex").slice(0, 16);
}

/** Whether the figures of an outcome are usable; otherwise it is measured again. */
function isSound(outcome: unknown): boolean {
  const { trial, report } = outcome as Partial<TrialOutcome<Partial<ProcessReport & CountSample>>>;
  if (typeof trial?.task !== "string" || !Number.isInteger(trial.repeat)) return false;
  const times = (report?.measurements ?? []).flatMap((variant) =>
    variant.flatMap(({ estimates }) => Object.values(estimates)),
  );
  return [...times, ...(report?.perOperation ?? [])].every((value) => Number.isFinite(value) && value > 0);
}

/** Hash over the code that measured processes run. */
export function hashCode(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /^(child|arm)\.js$/.test(name) || /^(measured|counts)\/.*\.js$/.test(name))
    .sort();
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}

/** The key of a run of this plan on this machine. */
export function journalKey(plan: BenchPlan, { node, cpuModel }: Environment, codeFolder: string): JournalKey {
  const { command: _, ...same } = plan;
  return { plan: same, code: hashCode(codeFolder), node, cpuModel };
}
