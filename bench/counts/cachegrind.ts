/** Counts the instructions of a process with valgrind's tool cachegrind. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";

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
  /** Options of Node, the file to run, and its arguments. */
  readonly args: readonly string[];
  /** Whole environment; what is Node's own (`NODE_…`) is taken out of it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
}

export interface CountedOutcome {
  /** Instructions of the host processor that the process executed in user mode, start to end. */
  readonly instructions: number;
  /** What the process wrote to file descriptor 3. */
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
 * Nothing of the processor's caches is simulated: instructions are all that is asked for. V8 rewrites its code as it goes
 * on, which valgrind must notice wherever code is not from a file. Cachegrind's own table, by function, goes nowhere.
 */
const CACHEGRIND = [
  "--tool=cachegrind",
  "--cache-sim=no",
  "--smc-check=all-non-file",
  "--cachegrind-out-file=/dev/null",
];
/** File descriptor of valgrind's log in the child, so that it mixes with nothing the process says. */
const LOG_FD = 4;
/** How much of a failed process's last words is shown. */
const TAIL = 2000;
/** Asking for the version takes a fraction of a second even on a busy machine. */
const VERSION_TIMEOUT = 20_000;

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
    execFile(path, ["--version"], { timeout: VERSION_TIMEOUT }, (error, stdout) => {
      resolve(error === null ? parseVersion(stdout) : null);
    });
  });
}

/** The number in `valgrind-3.19.0`, or in `valgrind-3.24.0.GIT`; null where there is none. */
export function parseVersion(text: string): string | null {
  return /^valgrind-(\d+(?:\.\d+)+)/m.exec(text)?.[1] ?? null;
}

/**
 * The number of instructions in cachegrind's summary, which is the line `I refs:` of its log, or `I   refs:` with one
 * column for each kind of count; digits are grouped by commas. Null where the log has no such line.
 */
export function parseInstructions(log: string): number | null {
  const digits = /^(?:==\d+==\s+)?I\s+refs:\s+([\d,]+)\s*$/m.exec(log)?.[1];
  return digits === undefined ? null : Number(digits.replaceAll(",", ""));
}

/**
 * Runs a process under cachegrind.
 * @throws CountFailure when it cannot be started, fails, takes too long, or valgrind's log has no count
 */
export function countProcess(counted: CountedProcess): Promise<CountedOutcome> {
  const { valgrind, args, environment, timeout } = counted;
  // NODE_OPTIONS would change what is counted; NODE_EXTRA_CA_CERTS costs Node 400 million instructions before its first line.
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("NODE_")));
  return new Promise((resolve, reject) => {
    const child = spawn(valgrind.path, [...CACHEGRIND, `--log-fd=${LOG_FD}`, process.execPath, ...args], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      env,
    });
    const [stderr, report, log] = [2, 3, LOG_FD].map((fd) => textOf(child, fd));
    let timedOut = false;
    const clock = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeout);
    const fail = (reason: string) => {
      const said = [stderr?.(), log?.()].map((text) => text?.trim().slice(-TAIL)).find((text) => text);
      reject(new CountFailure(said === undefined ? reason : `${reason}; its last words:\n${said}`));
    };
    child.on("error", (error) => {
      clearTimeout(clock);
      reject(new CountFailure(`${valgrind.path} cannot be started: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(clock);
      if (timedOut) return fail(`no end after ${timeout / 1000} s, killed`);
      if (code !== 0) return fail(signal === null ? `exit code ${code}` : `ended by ${signal}`);
      const instructions = parseInstructions(log?.() ?? "");
      if (instructions === null)
        return fail(`valgrind ${valgrind.version} reported no instructions (I refs)`);
      resolve({ instructions, report: report?.() ?? "" });
    });
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
