import { spawn } from "node:child_process";
import { CommandError } from "#results";
import type { Command } from "./contestants.ts";

/** How much of a failed guest's console is shown. */
const CONSOLE_TAIL = 2000;

/**
 * Milliseconds from the start of a process to a text on its standard output. The process is ended there.
 * @param timeout milliseconds after which it is given up
 * @throws CommandError (exit code 1) when the process ends or takes too long without having printed the text
 */
export function timeToText({ program, args }: Command, until: string, timeout: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let reached: number | null = null;
    let printed = "";
    let complaints = "";
    const patience = setTimeout(() => child.kill("SIGKILL"), timeout);
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      if (reached !== null) return;
      const at = Math.max(0, printed.length - until.length);
      printed += text;
      if (!printed.includes(until, at)) return;
      reached = performance.now() - started;
      child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints = (complaints + text).slice(-CONSOLE_TAIL);
    });
    const fail = (reason: string) => {
      const said = [printed.slice(-CONSOLE_TAIL), complaints].map((text) => text.trim()).filter(Boolean);
      reject(
        new CommandError(
          1,
          `${[program, ...args].join(" ")}: ${reason} before it printed ${JSON.stringify(until)}; it said:\n${said.join("\n")}`,
        ),
      );
    };
    child.on("error", (error) => {
      clearTimeout(patience);
      fail(`cannot be started (${error.message})`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(patience);
      if (reached !== null) resolve(reached);
      else if (signal !== null) fail(`no result after ${timeout / 1000} s`);
      else fail(`ended with exit code ${code}`);
    });
  });
}
