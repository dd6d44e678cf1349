/** Entry point of a process that runs guests one after the other for `Runners`. Not for manual use. */
import { follow, type RunRequest } from "./run.ts";
import type { RunnerAnswer } from "./runners.ts";

process.on("message", async (request: RunRequest) => {
  const answer = await follow(request).then(
    (sights): RunnerAnswer => ({ sights }),
    (error: unknown): RunnerAnswer => ({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  process.send?.(answer);
});
