/** Programs that the comparison needs, and what to install if one is missing. */
import { spawn } from "node:child_process";
import { CommandError, systemErrorCode } from "#host";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Package of Debian that has a program. */
const PACKAGES: Readonly<Record<string, string>> = {
  pahole: "dwarves",
  spatch: "coccinelle",
  git: "git",
  cc: "gcc",
};

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
  const began = performance.now();
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
      const name = PACKAGES[command];
      const advice = name === undefined ? "" : `; install it, for instance with \`apt-get install ${name}\``;
      reject(new CommandError(`${command} cannot be run (${systemErrorCode(cause)})${advice}`, { cause }));
    });
    child.once("close", (status) => {
      const [stdout = "", stderr = ""] = parts.map((chunks) => Buffer.concat(chunks).toString("latin1"));
      resolve({ status: status ?? -1, stdout, stderr, seconds: (performance.now() - began) / 1000 });
    });
  });
}
