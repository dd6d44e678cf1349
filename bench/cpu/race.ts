import { spawn } from "node:child_process";
import { CommandError } from "#host";
import type { Command } from "./contestants.ts";

/** How much of a failed guest's console is shown. */
const CONSOLE_TAIL = 2000;

/**
 * Milliseconds from the start of a process to each of a sequence of texts on its standard output. The process is killed
 * after the last.
 * @param timeout milliseconds after which the process is killed
 * @throws CommandError (exit code 1) when the process ends or takes too long without having printed all of them
 */
export function timesToTexts(
  { program, args }: Command,
  texts: readonly string[],
  timeout: number,
): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const times: number[] = [];
    let sought = 0;
    let printed = "";
    let complaints = "";
    const patience = setTimeout(() => child.kill("SIGKILL"), timeout);
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      printed += text;
      for (let next = texts[times.length]; next !== undefined; next = texts[times.length]) {
        const at = printed.indexOf(next, sought);
        if (at < 0) return;
        times.push(performance.now() - started);
        sought = at + next.length;
      }
      child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints = (complaints + text).slice(-CONSOLE_TAIL);
    });
    const fail = (reason: string) => {
      const said = [printed.slice(-CONSOLE_TAIL), complaints].map((text) => text.trim()).filter(Boolean);
      reject(
        new CommandError(
          `${[program, ...args].join(" ")}: ${reason} before it printed ${JSON.stringify(texts[times.length])}; it said:\n${said.join("\n")}`,
          { exitCode: 1 },
        ),
      );
    };
    child.on("error", (error) => {
      clearTimeout(patience);
      fail(`cannot be started (${error.message})`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(patience);
      if (times.length === texts.length) resolve(times);
      else if (signal !== null) fail(`no result after ${timeout / 1000} s`);
      else fail(`ended with exit code ${code}`);
    });
  });
}
