/** Finished processes of a run, kept beside its output as they come, so that an interrupted run can go on. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Environment } from "#results";
import type { BenchPlan } from "./plan.ts";
import type { TrialOutcome } from "./runner/run-schedule.ts";
import type { ProcessReport } from "./suites/measurement.ts";

/** What two runs must have in common for one to go on with the processes of the other. */
export interface JournalKey {
  readonly plan: Omit<BenchPlan, "command">;
  /** Hash over the code that measured processes run. */
  readonly code: string;
  readonly node: string;
  readonly cpuModel: string;
}

type Line =
  | { readonly key: JournalKey }
  | { readonly outcome: TrialOutcome<ProcessReport>; readonly phase: Phase };

/** Which part of a run a process belongs to. */
export type Phase = (typeof PHASES)[number];
const PHASES = ["proof", "measure"] as const;

export class Journal {
  /** Outcomes that an interrupted run of the same kind has left. */
  readonly earlier: Readonly<Record<Phase, readonly TrialOutcome<ProcessReport>[]>>;
  private readonly file: string;

  private constructor(file: string, earlier: Journal["earlier"]) {
    this.file = file;
    this.earlier = earlier;
  }

  /**
   * Opens the journal of an output file: goes on with the one that is there if it is of the same run, else begins a new one.
   * @param fresh begin a new one in any case
   */
  static open(output: string, key: JournalKey, fresh: boolean): Journal {
    const file = journalOf(output);
    const found = fresh ? null : readJournal(file);
    if (found !== null && JSON.stringify(found.key) === JSON.stringify(key)) {
      // Lines to come must not be added to half a one.
      truncateSync(file, found.wholeBytes);
      return new Journal(file, found.earlier);
    }
    writeFileSync(file, `${JSON.stringify({ key } satisfies Line)}\n`);
    return new Journal(file, { proof: [], measure: [] });
  }

  add(phase: Phase, outcome: TrialOutcome<ProcessReport>): void {
    appendFileSync(this.file, `${JSON.stringify({ outcome, phase } satisfies Line)}\n`);
  }

  /** The run is complete and stored. */
  remove(): void {
    rmSync(this.file, { force: true });
  }
}

export function journalOf(output: string): string {
  return `${output}.partial`;
}

interface Found {
  readonly key: JournalKey;
  readonly earlier: Journal["earlier"];
  /** Length of what was read. */
  readonly wholeBytes: number;
}

/** Reads what is whole: the last line of a run that was killed may not be. */
function readJournal(file: string): Found | null {
  if (!existsSync(file)) return null;
  const [first = "", ...lines] = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const head = readLine(first);
  if (head === null || !("key" in head)) return null;
  const earlier = {
    proof: [] as TrialOutcome<ProcessReport>[],
    measure: [] as TrialOutcome<ProcessReport>[],
  };
  let wholeBytes = Buffer.byteLength(first) + 1;
  for (const text of lines) {
    const line = readLine(text);
    if (line === null || !("outcome" in line)) break;
    earlier[line.phase].push(line.outcome);
    wholeBytes += Buffer.byteLength(text) + 1;
  }
  return { key: head.key, earlier, wholeBytes };
}

/** A line of our own; null where it is something else, which ends the reading. */
function readLine(text: string): Line | null {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) return null;
    if ("key" in line) return line as Line; // compared as a whole before it is used
    const ours = "outcome" in line && "phase" in line && PHASES.some((phase) => phase === line.phase);
    return ours ? (line as Line) : null; // written by `add`
  } catch {
    return null;
  }
}

/** Hash over the programs that measured processes run. */
export function hashCode(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /^(child|arm)(\.js|\/.*\.js)$/.test(name) || /^counts\/.*\.js$/.test(name))
    .sort();
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}

/** What an interrupted run and the machine have in common. */
export function journalKey(plan: BenchPlan, { node, cpuModel }: Environment, codeFolder: string): JournalKey {
  const { command: _, ...same } = plan;
  return { plan: same, code: hashCode(codeFolder), node, cpuModel };
}
