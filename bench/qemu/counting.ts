/** Instructions of QEMU, counted by callgrind. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { literally, parseTotal, tellCallgrind, type Valgrind } from "../counts/callgrind.ts";
import { Session } from "./session.ts";
import { inFolder, settle, type Work } from "./works.ts";

/**
 * Tables in one process, of which the least counts: what is added by chance, such as a turn of QEMU's main loop or of
 * its RCU thread, is never negative.
 */
const BLOCKS = 4;
/** Processes, where each gives one table, for the same reason. */
const STARTS = 2;
/** Milliseconds; a boot takes the longest. */
const TIMEOUT = 600_000;

/** How a count becomes a figure. */
export const COUNT_ESTIMATOR = {
  rounds: `least of ${BLOCKS} tables of callgrind in one process, per unit`,
  process: `least of ${STARTS} processes under callgrind`,
} as const;

/** Instructions of the host in user mode, over all threads: per unit, or of a whole process. */
export async function countOf(build: string, work: Work, valgrind: Valgrind): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < STARTS; i++) {
    const counts = await tablesOf(build, work, valgrind);
    least = Math.min(least, ...counts.map((count) => count / (work.rounds * work.units)));
    if (tablesPerProcess(work) > 1) break;
  }
  return least;
}

function tablesPerProcess({ player, isFresh }: Work): number {
  return player === null || isFresh ? 1 : BLOCKS;
}

async function tablesOf(build: string, work: Work, valgrind: Valgrind): Promise<number[]> {
  return await inFolder(async (folder) => {
    const attachable = `--vgdb-prefix=${join(folder, "vgdb")}`;
    const isWhole = work.player === null;
    const session = await Session.start(build, work.args(folder), {
      wrapper: [
        ...[valgrind.path, "--quiet", "--tool=callgrind", "--smc-check=all-non-file", attachable],
        `--instr-atstart=${isWhole ? "yes" : "no"}`,
        `--callgrind-out-file=${join(literally(folder), "table")}`,
      ],
      timeout: TIMEOUT,
    });
    try {
      const player = work.player?.(folder, build);
      if (player === undefined) {
        await settle();
        await session.quit();
      } else {
        const tell = async (...request: string[]): Promise<void> => {
          try {
            await tellCallgrind(valgrind, [attachable, `--pid=${session.pid}`], request, process.env);
          } catch (cause) {
            const why = cause instanceof Error ? cause.message : String(cause);
            throw new CommandError(`valgrind could not be told: ${why}`, { exitCode: 1, cause });
          }
        };
        if (!work.isFresh) await player.play(session, Math.min(work.rounds, 20));
        await settle();
        await tell("instrumentation", "on");
        for (let block = 0; block < tablesPerProcess(work); block++) {
          await player.play(session, work.rounds);
          await tell("dump");
        }
      }
    } finally {
      await session.kill();
    }
    return readTables(folder, tablesPerProcess(work), work);
  });
}

/** The totals of the tables in the order in which they were written. */
function readTables(folder: string, count: number, { workload, name }: Work): number[] {
  const files = readdirSync(folder)
    .filter((file) => /^table(\.\d+)?$/.test(file))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .slice(0, count);
  const totals = files.flatMap((file) => parseTotal(readFileSync(join(folder, file), "latin1")) ?? []);
  if (totals.length !== count || totals.some((total) => total === 0)) {
    throw new CommandError(`${workload}: ${name}: callgrind wrote ${totals.length} of ${count} tables`, {
      exitCode: 1,
    });
  }
  return totals;
}

/** Of `table.3`; the table that is written at the end has none, and comes last. */
function numberOf(file: string): number {
  return Number(/\d+$/.exec(file)?.[0] ?? Number.POSITIVE_INFINITY);
}
