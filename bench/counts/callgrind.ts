/** Counts the instructions of parts of a process with valgrind's callgrind. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { constants, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { access, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { CommandError, systemErrorCode } from "#host";
import { MARK, READY, REPORT_FD } from "./request.ts";

/** A working valgrind. */
export interface Valgrind {
  /** Absolute path. */
  readonly path: string;
  /** For instance `3.19.0`. */
  readonly version: string;
}

/** One process to be counted. */
export interface CountedProcess {
  readonly valgrind: Valgrind;
  /** Node options, the file to run, and its arguments; the path of the file to wait for is appended. */
  readonly args: readonly string[];
  /** The whole environment; Node's own variables (`NODE_…`) are removed. */
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
}

export interface CountedOutcome {
  /** Instructions of the host processor in user mode, over all threads, from each mark of the process to the next. */
  readonly intervals: readonly number[];
  /** The report of the process. */
  readonly report: string;
}

/** A process that gave no counts: the reason, and the end of its output. */
export class CountFailure extends Error {
  override readonly name = "CountFailure";
}

/** How to get valgrind if it is missing. */
export const VALGRIND_ADVICE =
  "instructions are counted by valgrind, which is not installed: install it, for instance with `apt-get install valgrind`";

/**
 * Callgrind dumps its counters whenever the function of a mark is about to run, and resets them. V8 modifies its code
 * at run time, so valgrind has to check for changes of all code that is not from a file.
 */
const CALLGRIND = [
  "--tool=callgrind",
  `--dump-before=${MARK}`,
  "--dump-line=no",
  "--smc-check=all-non-file",
  // Only once the process is ready: until then it runs twice as fast without.
  "--instr-atstart=no",
];
/** File descriptor of valgrind's log in the child, which keeps it apart from the output of the process. */
const LOG_FD = 4;
/** How many characters of a failed process's output are shown. */
const TAIL = 2000;
/** Milliseconds; reporting the version takes a fraction of a second even on a busy machine. */
const VERSION_TIMEOUT = 20_000;
/** The same for a request to a running process, which checks for requests every few thousand basic blocks. */
const REQUEST_TIMEOUT = 60_000;

/**
 * Looks for valgrind in the folders of `searchPath`.
 * @param searchPath in the format of the environment variable PATH
 * @returns null if there is none, or none that reports its version
 */
export async function locateValgrind(searchPath: string = process.env.PATH ?? ""): Promise<Valgrind | null> {
  for (const folder of searchPath.split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, "valgrind");
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(path);
    if (version !== null) return { path, version };
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // missing, or not executable by us
  }
}

function versionOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: VERSION_TIMEOUT, killSignal: "SIGKILL" }, (error, stdout) => {
      resolve(error === null ? parseVersion(stdout) : null);
    });
  });
}

/** The number in `valgrind-3.19.0` or `valgrind-3.24.0.GIT`; null if there is none. */
export function parseVersion(text: string): string | null {
  return /^valgrind-(\d+(?:\.\d+)+)/m.exec(text)?.[1] ?? null;
}

/** The total of one of callgrind's tables; null if the table is incomplete. */
export function parseTotal(table: string): number | null {
  const digits = /^totals: (\d+)$/m.exec(table)?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Checks, before anything is counted, that a folder for the tables can be created.
 * @throws CommandError (exit code 2) when it cannot
 */
export function requireScratch(): void {
  try {
    rmdirSync(mkdtempSync(join(tmpdir(), "regionlab-count-")));
  } catch (cause) {
    throw new CommandError(
      `TMPDIR ${tmpdir()}: no folder can be created there (${systemErrorCode(cause) || String(cause)}), and valgrind needs one for its ` +
        "tables; set TMPDIR to a writable folder, or add --no-count",
      { cause },
    );
  }
}

/**
 * Runs a process under callgrind.
 * @throws CountFailure when it cannot be started, fails, takes too long, or leaves no counts
 */
export async function countProcess(counted: CountedProcess): Promise<CountedOutcome> {
  const scratch = await mkdtemp(join(tmpdir(), "regionlab-count-"));
  const remove = () => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", remove); // so that an interrupted run leaves nothing behind
  try {
    const report = await runToEnd(counted, scratch);
    return { intervals: await readIntervals(scratch, counted.valgrind), report };
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** @returns the report of the process */
function runToEnd(
  { valgrind, args, environment, timeout }: CountedProcess,
  scratch: string,
): Promise<string> {
  // NODE_OPTIONS would change what is counted.
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("NODE_")));
  const go = join(scratch, "go");
  const attachable = `--vgdb-prefix=${join(scratch, "vgdb")}`; // taken literally, unlike the names of tables
  const options = [
    ...CALLGRIND,
    `--callgrind-out-file=${join(literally(scratch), TABLE)}`,
    attachable,
    `--log-fd=${LOG_FD}`,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(valgrind.path, [...options, process.execPath, ...args, go], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      env,
      detached: true, // in a process group of its own, because valgrind may be a wrapper script
    });
    const kill = () => killGroup(child);
    process.prependOnceListener("exit", kill); // before its folder is removed
    const [stderr, report, log] = [2, REPORT_FD, LOG_FD].map((fd) => textOf(child, fd));
    let reported: string | null = null;
    let killedFor: string | null = null;
    const end = (reason: string) => {
      killedFor ??= reason;
      kill();
    };
    const clock = setTimeout(() => end(`no end after ${timeout / 1000} s, killed`), timeout);
    const fail = (reason: string) => {
      const said = [stderr?.(), log?.()].map((text) => text?.trim().slice(-TAIL)).find((text) => text);
      const [last] = said?.split("\n").slice(-1) ?? [];
      reject(new CountFailure(said === undefined ? reason : `${reason} (${last}); its last words:\n${said}`));
    };
    let ready = false;
    child.stdio[REPORT_FD]?.on("data", () => {
      const text = report?.() ?? "";
      if (!text.startsWith(READY)) return;
      if (text.length > READY.length && text.endsWith("\n")) {
        reported = text.slice(READY.length);
        kill(); // all counts are written, and an orderly exit would take another second
      }
      if (ready) return;
      ready = true;
      tellCallgrind(valgrind, [attachable, `--pid=${child.pid}`], ["instrumentation", "on"], env)
        .then(() => writeFile(go, ""))
        .catch((error: Error) => end(`valgrind could not be told to begin: ${error.message}`));
    });
    const forget = () => {
      clearTimeout(clock);
      process.off("exit", kill);
    };
    child.on("error", (error) => {
      forget();
      reject(new CountFailure(`${valgrind.path} cannot be started: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      forget();
      if (reported !== null) return resolve(reported);
      if (killedFor !== null) return fail(killedFor);
      if (code !== 0)
        return fail(
          signal === null ? `valgrind ended with exit code ${code}` : `valgrind was ended by ${signal}`,
        );
      fail("valgrind ended without a report of the work");
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it has already ended
  }
}

/**
 * Prefix of the tables that callgrind writes: a dot and a number from 1 follow, except for the last, written at exit.
 */
const TABLE = "table";

/** The totals of the tables between the first mark and the last. */
async function readIntervals(scratch: string, { version }: Valgrind): Promise<number[]> {
  const numbers = (await readdir(scratch))
    .map((name) => Number(/^table\.(\d+)$/.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => number > 1) // the first table ends at the first mark
    .sort((a, b) => a - b);
  const tables = await Promise.all(
    numbers.map((number) => readFile(join(scratch, `${TABLE}.${number}`), "latin1")),
  );
  return tables.map((table, i) => {
    const total = parseTotal(table);
    if (total !== null && numbers[i] === i + 2) return total;
    throw new CountFailure(`valgrind ${version} did not write table ${i + 2} of its counts`);
  });
}

/** Escapes a path for valgrind, which expands `%p` in file names to the process ID. */
export function literally(path: string): string {
  return path.replaceAll("%", "%%");
}

/** Asks something of a process under callgrind, such as `instrumentation on` or `dump`. */
export function tellCallgrind(
  valgrind: Valgrind,
  options: readonly string[],
  request: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const vgdb = join(dirname(valgrind.path), "vgdb");
  return new Promise((resolve, reject) => {
    execFile(vgdb, [...options, ...request], { env, timeout: REQUEST_TIMEOUT, encoding: "utf8" }, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** Collects what a child writes to a file descriptor. */
function textOf(child: ChildProcess, fd: number): () => string {
  let text = "";
  const stream = child.stdio[fd] as Readable; // a "pipe", see above
  stream.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  return () => text;
}
