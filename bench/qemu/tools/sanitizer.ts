/**
 * Leaks and faults while devices come and go: found by the address and the undefined-behaviour sanitizer in builds that have
 * them, and by valgrind's memcheck in others.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { markdownTable, plainTable, questionTitle } from "#results";
import { literally } from "../../counts/callgrind.ts";
import { checkBuild, emulatorOf, Session, type SessionOptions } from "../session.ts";
import { inFolder, type Work, whyImpossible, worksOf } from "../works.ts";
import { run } from "./run.ts";

/** What was said of one process. */
export interface Findings {
  readonly leaks: number;
  readonly bytes: number;
  /** Leaks whose stack passes through the memory core. */
  readonly ofRegions: number;
  /** Uses after free, overflows and other faults. */
  readonly faults: number;
  /** Messages of undefined behaviour; with memcheck, uses of values that were never set. */
  readonly undefinedBehaviour: number;
}

/** Far slower than without. */
const TIMEOUT = 1_200_000;
const ROUNDS = 20;

export async function compareLeaks({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const works = worksOf().filter(({ suite, player }) => suite === "retention" && player !== null);
  const checkers = { a: await checkerOf(a), b: await checkerOf(b) };
  const rows: string[][] = [];
  for (const work of works) {
    const why = whyImpossible(work, [a, b]);
    process.stderr.write(`${questionTitle(work)}${why === undefined ? "" : `: left out, ${why}`}\n`);
    if (why !== undefined) continue;
    const [left, right] = [await findingsOf(a, work, checkers.a), await findingsOf(b, work, checkers.b)];
    rows.push([
      questionTitle(work),
      ...[left, right].flatMap(({ leaks, bytes, ofRegions }) => [`${leaks} (${bytes} B)`, `${ofRegions}`]),
      ...[left, right].map(({ faults, undefinedBehaviour }) => `${faults}, ${undefinedBehaviour}`),
    ]);
  }
  const head = ["A: leaks", "A: through the memory core", "B: leaks", "B: through the memory core"];
  const table = markdownTable(
    plainTable(
      "",
      [`${ROUNDS} rounds`, ...head, "A: faults, undefined behaviour", "B"],
      [1, 2, 3, 4, 5, 6],
      rows,
    ),
  );
  return `A: ${checkers.a}, B: ${checkers.b}\n\n${table}`;
}

const MEMCHECK = "valgrind's memcheck";

async function checkerOf(build: string): Promise<string> {
  return (await isSanitized(build)) ? "the sanitizers of the build" : MEMCHECK;
}

async function findingsOf(build: string, work: Work, checker: string): Promise<Findings> {
  const isMemcheck = checker === MEMCHECK;
  return await inFolder(async (folder) => {
    const log = join(folder, "findings");
    const options = isMemcheck ? memcheck(log) : sanitizers(log);
    const session = await Session.start(build, work.args(folder), { ...options, timeout: TIMEOUT });
    try {
      await work.player?.(folder, build).play(session, ROUNDS);
      await session.quit();
    } finally {
      await session.kill();
    }
    const logs = readdirSync(folder).filter((name) => name.startsWith("findings"));
    const text = logs.map((name) => readFileSync(join(folder, name), "latin1")).join("\n");
    return isMemcheck ? parseMemcheck(text) : parseFindings(text);
  });
}

function sanitizers(log: string): SessionOptions {
  return {
    environment: {
      ASAN_OPTIONS: `log_path=${log}:detect_leaks=1:exitcode=0:halt_on_error=0:fast_unwind_on_malloc=0`,
      UBSAN_OPTIONS: `log_path=${log}:print_stacktrace=0`,
    },
  };
}

/** Leaks are blocks that nothing points to any more; their bytes include what only they point to. */
function memcheck(log: string): SessionOptions {
  return {
    wrapper: [
      ...["valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--error-limit=no"],
      ...["--num-callers=20", "--smc-check=all-non-file", `--log-file=${literally(log)}`],
    ],
  };
}

/** A program with the address sanitizer tells what options it takes. */
async function isSanitized(build: string): Promise<boolean> {
  const { stderr } = await run(emulatorOf(build), ["--version"], { environment: { ASAN_OPTIONS: "help=1" } });
  return stderr.includes("AddressSanitizer");
}

/** Reads the reports of the sanitizers. */
export function parseFindings(text: string): Findings {
  const leaks = text.split(/^(?=(?:Direct|Indirect) leak of )/m).slice(1);
  const bytes = leaks.map((leak) => Number(/leak of (\d+) byte/.exec(leak)?.[1] ?? 0));
  return {
    leaks: leaks.length,
    bytes: bytes.reduce((sum, each) => sum + each, 0),
    ofRegions: leaks.filter((leak) => /\bin memory_region_/.test(leak)).length,
    faults: [...text.matchAll(/^==\d+==ERROR: AddressSanitizer: /gm)].length,
    undefinedBehaviour: [...text.matchAll(/: runtime error: /g)].length,
  };
}

/** Reads the report of memcheck. */
export function parseMemcheck(text: string): Findings {
  const plain = text.replace(/^==\d+== ?/gm, "");
  const records = plain.split(/\n\s*\n/);
  const leaks = records.filter((record) => /definitely lost in loss record/.test(record));
  const sum = (pattern: RegExp): number =>
    leaks.reduce((total, leak) => total + Number(pattern.exec(leak)?.[1]?.replaceAll(",", "") ?? 0), 0);
  const count = (pattern: RegExp): number => records.filter((record) => pattern.test(record)).length;
  return {
    leaks: leaks.length,
    bytes: sum(/^\s*([\d,]+)(?: \([^)]*\))? bytes in /m),
    ofRegions: leaks.filter((leak) => /: memory_region_/.test(leak)).length,
    faults: count(/^\s*(?:Invalid (?:read|write|free)|Mismatched free|Source and destination overlap)/m),
    undefinedBehaviour: count(
      /(?:depends on uninitialised value|Use of uninitialised value|uninitialised byte)/,
    ),
  };
}
