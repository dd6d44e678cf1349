/** What QEMU allocates, and what it leaves behind, per round. */
import type { AllocationCounter, Allocations } from "./allocations.ts";
import { Session } from "./session.ts";
import { inFolder, settle, type Work } from "./works.ts";

/** Rounds of the short process; the long one has as many more as a block of the work. */
const FEW = 10;
/** Blocks of the long process. */
const BLOCKS = 2;

export const MEMORY_ESTIMATOR = "bytes left by a long process, minus those left by a short one, per round";

/** Allocations per round: what a long process has more than a short one. */
export async function allocationsPerRound(
  counter: AllocationCounter,
  build: string,
  work: Work,
): Promise<Allocations> {
  const more = BLOCKS * work.rounds;
  const long = await allocationsOf(counter, build, work, FEW + more);
  const short = await allocationsOf(counter, build, work, FEW);
  const per = (pick: (allocations: Allocations) => number) => (pick(long) - pick(short)) / more;
  return {
    calls: per(({ calls }) => calls),
    bytes: per(({ bytes }) => bytes),
    live: per(({ live }) => live),
    regions: per(({ regions }) => regions),
    liveRegions: per(({ liveRegions }) => liveRegions),
  };
}

/** Allocations of a whole process. @param rounds of its work, if it has any */
export async function allocationsOf(
  counter: AllocationCounter,
  build: string,
  work: Work,
  rounds: number,
): Promise<Allocations> {
  return await inFolder(async (folder) => {
    const session = await Session.start(build, work.args(folder), { environment: counter.environment });
    try {
      await work.player?.(folder, build).play(session, rounds);
      // QEMU frees what no reader can see any more in a thread of its own.
      await settle();
      await session.quit();
    } finally {
      await session.kill();
    }
    return counter.read();
  });
}
