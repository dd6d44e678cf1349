/** Processes that run guests, as many at once as the host has processors. */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { describeWay } from "./guests.ts";
import type { RunRequest, Sight } from "./run.ts";

const ENTRY = join(packageRoot(), "dist", "workloads", "translation", "runner.js");

/** A runner's answer to a request. */
export type RunnerAnswer = { readonly sights: readonly Sight[] } | { readonly error: string };

/** A pool of processes, which are kept for the next run: starting one takes longer than a short guest. */
export class Runners {
  private readonly idle: ChildProcess[] = [];

  /** Answers in the order of the requests. @throws Error if a run or its process fails */
  async runAll(requests: readonly RunRequest[]): Promise<(readonly Sight[])[]> {
    const answers: (readonly Sight[])[] = [];
    const waiting = requests.entries();
    const work = async (): Promise<void> => {
      const runner = this.idle.pop() ?? fork(ENTRY, { execArgv: [] }); // runs built code, so without the tests' options
      for (const [index, request] of waiting) answers[index] = await ask(runner, request);
      this.idle.push(runner);
    };
    const count = Math.min(availableParallelism(), requests.length);
    await Promise.all(Array.from({ length: count }, work));
    return answers;
  }

  close(): void {
    for (const runner of this.idle.splice(0)) runner.disconnect();
  }
}

function ask(runner: ChildProcess, request: RunRequest): Promise<readonly Sight[]> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) =>
      reject(new Error(`${request.guest.name}, ${describeWay(request.way)}: ${reason}`));
    const ended = (code: number | null, signal: string | null) =>
      fail(`ended by ${signal ?? `exit code ${code}`}`);
    runner.once("exit", ended);
    // The other end of the channel sends nothing else.
    runner.once("message", (answer: RunnerAnswer) => {
      runner.off("exit", ended);
      if ("error" in answer) fail(answer.error);
      else resolve(answer.sights);
    });
    runner.send(request);
  });
}
