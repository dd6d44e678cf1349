import { fork } from "node:child_process";
import { CommandError } from "#host";
import type { ChildMessage } from "./report-to.ts";

export interface ChildOptions {
  /** JavaScript file that the child runs, with the request in JSON as its only argument. */
  readonly entry: string;
  readonly execArgv: readonly string[];
  /** Milliseconds after which the child is killed. */
  readonly timeout: number;
}

/** How much of a failed child's standard error is shown. */
const STDERR_TAIL = 4000;

/**
 * Runs one request in a new process and returns its report.
 *
 * @param what names the child in messages, for instance `boot, arm B, repeat 3`
 * @throws CommandError (exit code 1) when it crashes, reports an error, ends without a report, or takes too long; with
 *   the end of its standard error
 */
export function runChild(request: unknown, what: string, options: ChildOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(options.entry, [JSON.stringify(request)], {
      execArgv: [...options.execArgv],
      // Guests print to buffers, so standard error has only errors.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill); // there is no one left to report to
    let stderr = "";
    let message: ChildMessage | undefined;
    let timedOut = false;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-STDERR_TAIL);
    });
    // The other end is `reportTo`, which sends nothing else.
    child.on("message", (received) => {
      message = received as ChildMessage;
    });
    const clock = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeout);
    const fail = (reason: string) => {
      const said = stderr.trim() === "" ? "" : `; its standard error ends:\n${stderr.trimEnd()}`;
      reject(new CommandError(`measured process failed (${what}): ${reason}${said}`, { exitCode: 1 }));
    };
    child.on("error", (error) => {
      clearTimeout(clock);
      fail(`cannot be started: ${error.message}`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(clock);
      process.off("exit", kill);
      if (timedOut) fail(`no result after ${options.timeout / 1000} s`);
      else if (message && "error" in message) fail(message.error);
      else if (code !== 0) fail(signal ? `ended by ${signal}` : `exit code ${code}`);
      else if (!message) fail("ended without a report");
      else resolve(message.report);
    });
  });
}
