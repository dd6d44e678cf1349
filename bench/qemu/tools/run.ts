/** Programs that the comparison needs, and what to install if one is missing. */
import { spawn } from "node:child_process";
import { CommandError, systemErrorCode, tableOf } from "#host";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Package of Debian that has a program. */
const PACKAGES = tableOf<string>({
  pahole: "dwarves",
  spatch: "coccinelle",
  git: "git",
  cc: "gcc",
});

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. @throws CommandError (exit code 2) if it is not installed */
export function run(
  command: string,
  args: readonly string[],
  { cwd, environment = {} }: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => parts[0].push(chunk));
    child.stderr.on("data", (chunk: Buffer) => parts[1].push(chunk));
    child.once("error", (cause) => {
      const name = PACKAGES.get(command);
      const advice = name === undefined ? "" : `; install it, for instance with \`apt-get install ${name}\``;
      reject(new CommandError(`${command} cannot be run (${systemErrorCode(cause)})${advice}`, { cause }));
    });
    child.once("close", (status) => {
      const [stdout = "", stderr = ""] = parts.map((chunks) => Buffer.concat(chunks).toString("latin1"));
      resolve({ status: status ?? -1, stdout, stderr });
    });
  });
}

export interface Timed extends Ran {
  /** Processor time of the program and of those that it started: on a shared machine, the clock says little. */
  readonly processorSeconds: number;
}

/** The same, and how long it used the processor. @throws CommandError (exit code 2) if there is no bash */
export async function timed(command: string, args: readonly string[]): Promise<Timed> {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@"';
  const ran = await run("bash", ["-c", script, "bash", command, ...args]);
  const [, user, system] = /(\d+\.\d+) (\d+\.\d+)\n?$/.exec(ran.stderr) ?? [];
  return { ...ran, processorSeconds: Number(user) + Number(system) };
}
