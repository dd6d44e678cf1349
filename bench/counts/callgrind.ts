/** Counts the instructions of parts of a process with valgrind's tool callgrind. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { constants, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { access, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { CommandError, systemErrorCode } from "#host";
import { MARK, READY, REPORT_FD } from "./request.ts";

/** A valgrind that answers. */
export interface Valgrind {
  /** Absolute path. */
  readonly path: string;
  /** As `3.19.0`. */
  readonly version: string;
}

/** One process to be counted. */
export interface CountedProcess {
  readonly valgrind: Valgrind;
  /** Options of Node, the file to run, and its arguments; the path of the file that it is to wait for follows as the last. */
  readonly args: readonly string[];
  /** Whole environment; what is Node's own (`NODE_…`) is taken out of it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
}

export interface CountedOutcome {
  /** Instructions of the host processor, in user mode and in all threads, from each mark of the process to its next. */
  readonly intervals: readonly number[];
  /** What the process wrote to its report. */
  readonly report: string;
}

/** A process that gave no count: why, and what it said last. */
export class CountFailure extends Error {
  override readonly name = "CountFailure";
}

/** How to get valgrind, where there is none. */
export const VALGRIND_ADVICE =
  "instructions are counted by valgrind, which is not installed: install it, for instance with `apt-get install valgrind`";

/**
 * Callgrind writes a table whenever the function of a mark is about to run, and begins the next at zero. V8 rewrites its code
 * as it goes on, which valgrind must notice wherever code is not from a file.
 */
const CALLGRIND = [
  "--tool=callgrind",
  `--dump-before=${MARK}`,
  "--dump-line=no",
  "--smc-check=all-non-file",
  // Not before the process is ready: what it does until then runs twice as fast.
  "--instr-atstart=no",
];
/** File descriptor of valgrind's log in the child, so that it mixes with nothing the process says. */
const LOG_FD = 4;
/** How much of a failed process's last words is shown. */
const TAIL = 2000;
/** Asking for the version takes a fraction of a second even on a busy machine. */
const VERSION_TIMEOUT = 20_000;
/** The same for a request to a process that runs: it is heard every few thousand basic blocks. */
const REQUEST_TIMEOUT = 60_000;

/**
 * Looks for valgrind in the folders of `searchPath`.
 * @param searchPath as in the environment variable PATH
 * @returns null where there is none, or none that tells its version
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
    return false; // not there, or not for us
  }
}

function versionOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: VERSION_TIMEOUT, killSignal: "SIGKILL" }, (error, stdout) => {
      resolve(error === null ? parseVersion(stdout) : null);
    });
  });
}

/** The number in `valgrind-3.19.0`, or in `valgrind-3.24.0.GIT`; null where there is none. */
export function parseVersion(text: string): string | null {
  return /^valgrind-(\d+(?:\.\d+)+)/m.exec(text)?.[1] ?? null;
}

/** The total of one of callgrind's tables; null where the text is no whole table. */
export function parseTotal(table: string): number | null {
  const digits = /^totals: (\d+)$/m.exec(table)?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Makes sure, before anything is counted, that there is room for the tables.
 * @throws CommandError when no folder can be made
 */
export function requireScratch(): void {
  try {
    rmdirSync(mkdtempSync(join(tmpdir(), "regionlab-count-")));
  } catch (cause) {
    throw new CommandError(
      `TMPDIR ${tmpdir()}: no folder can be made there (${systemErrorCode(cause) || String(cause)}), and valgrind needs one for its ` +
        "tables; set TMPDIR to a folder that can be written, or add --no-count",
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
  process.once("exit", remove); // a run that is interrupted leaves nothing behind
  try {
    const report = await runToEnd(counted, scratch);
    return { intervals: await readIntervals(scratch, counted.valgrind), report };
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** @returns what the process reported */
function runToEnd(
  { valgrind, args, environment, timeout }: CountedProcess,
  scratch: string,
): Promise<string> {
  // NODE_OPTIONS would change what is counted.
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("NODE_")));
  const go = join(scratch, "go");
  const attachable = `--vgdb-prefix=${join(scratch, "vgdb")}`; // taken as it is, unlike the names of tables
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
      detached: true, // a group of its own: what is called valgrind may be a script that starts it
    });
    const kill = () => killGroup(child);
    process.prependOnceListener("exit", kill); // before its folder goes
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
        kill(); // all counts are written; an orderly end would take a second more
      }
      if (ready) return;
      ready = true;
      beginCounting(valgrind, [attachable, `--pid=${child.pid}`], env)
        .then(() => writeFile(go, ""))
        .catch((error: Error) => end(`valgrind was not to be told to begin: ${error.message}`));
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
    // it has ended
  }
}

/** Name of the tables that callgrind writes: this, a dot, and a number from 1; the last, which ends with the process, has none. */
const TABLE = "table";

/** Counts of the tables between the first mark and the last. */
async function readIntervals(scratch: string, { version }: Valgrind): Promise<number[]> {
  const numbers = (await readdir(scratch))
    .map((name) => Number(/^table\.(\d+)$/.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => number > 1) // the first ends with the first mark
    .sort((a, b) => a - b);
  const tables = await Promise.all(
    numbers.map((number) => readFile(join(scratch, `${TABLE}.${number}`), "latin1")),
  );
  return tables.map((table, i) => {
    const total = parseTotal(table);
    if (total !== null && numbers[i] === i + 2) return total;
    throw new CountFailure(`valgrind ${version} left table ${i + 2} of its counts out`);
  });
}

/** What valgrind takes as this text in the name of a file, where `%p` is the number of the process. */
function literally(path: string): string {
  return path.replaceAll("%", "%%");
}

/** Tells a process under callgrind to count from now on. */
function beginCounting(
  valgrind: Valgrind,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const vgdb = join(dirname(valgrind.path), "vgdb");
  return new Promise((resolve, reject) => {
    execFile(
      vgdb,
      [...options, "instrumentation", "on"],
      { env, timeout: REQUEST_TIMEOUT, encoding: "utf8" },
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
  });
}

/** Collects what a child writes to a file descriptor. */
function textOf(child: ChildProcess, fd: number): () => string {
  let text = "";
  const stream = child.stdio[fd] as Readable; // "pipe", as asked for above
  stream.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  return () => text;
}
