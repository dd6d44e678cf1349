/** Times of QEMU: three processes side by side, whose rounds take turns. */
import { ARMS, type Arm, type PerArm } from "#results";
import type { Random } from "#results/statistics";
import { perArm } from "../suites/measurement.ts";
import { Turns } from "../trio/turns.ts";
import { Session } from "./session.ts";
import { inFolder, type Work } from "./works.ts";

/** Turns of a trio of processes, after one that is not counted; fewer where one takes long. */
const TURNS = 15;
/** Milliseconds of a trio, but for its first two turns. */
const MOST_MS = 20_000;
const TIMEOUT = 600_000;

/** Times of each arm in the rounds of all turns, in `unit` per unit of the work. */
export async function timesOf(
  builds: PerArm<string>,
  work: Work,
  unit: "ms" | "ns",
  random: Random,
): Promise<PerArm<readonly number[]>> {
  const times = await turnsOf(builds, work, new Turns(random));
  const scale = (unit === "ms" ? 1 : 1e6) / work.rounds / work.units;
  return perArm((arm) => times[arm].map((time) => time * scale));
}

async function turnsOf(builds: PerArm<string>, work: Work, turns: Turns): Promise<PerArm<number[]>> {
  const times: PerArm<number[]> = { A: [], B: [], A2: [] };
  const began = performance.now();
  const go = async (play: (arm: Arm) => Promise<number>): Promise<PerArm<number[]>> => {
    for (let turn = 0; turn <= TURNS; turn++) {
      if (turn > 2 && performance.now() - began > MOST_MS) break;
      for (const arm of turns.next()) {
        const time = await play(arm);
        if (turn > 0) times[arm].push(time);
      }
    }
    return times;
  };
  if (work.player === null || work.isFresh) return await go((arm) => timeOfProcess(builds[arm], work));
  return await withTrio(builds, work, go);
}

/** Of a process from its start to its end, or of the one round that it plays. */
async function timeOfProcess(build: string, work: Work): Promise<number> {
  return await inFolder(async (folder) => {
    let began = performance.now();
    const session = await Session.start(build, work.args(folder), { timeout: TIMEOUT });
    try {
      if (work.player === null) {
        await session.quit();
        return performance.now() - began;
      }
      const player = work.player(folder, build);
      began = performance.now();
      await player.play(session, work.rounds);
      return performance.now() - began;
    } finally {
      await session.kill();
    }
  });
}

/** Starts an emulator for each arm, one after the other, and calls `go` with what plays a round in one of them. */
async function withTrio<T>(
  builds: PerArm<string>,
  work: Work,
  go: (play: (arm: Arm) => Promise<number>) => Promise<T>,
  arms: readonly Arm[] = ARMS,
  play: (arm: Arm) => Promise<number> = () => Promise.reject(new Error("no such arm")),
): Promise<T> {
  const [arm, ...rest] = arms;
  if (arm === undefined) return await go(play);
  return await inFolder(async (folder) => {
    const session = await Session.start(builds[arm], work.args(folder), { timeout: TIMEOUT });
    try {
      const player = work.player?.(folder, builds[arm]);
      return await withTrio(builds, work, go, rest, async (asked) => {
        if (asked !== arm) return await play(asked);
        const began = performance.now();
        await player?.play(session, work.rounds);
        return performance.now() - began;
      });
    } finally {
      await session.kill();
    }
  });
}
