import { ARMS, type Arm } from "#results";
import { Random } from "../statistics/index.ts";

/** One process to be measured. */
export interface Trial {
  readonly task: string;
  readonly arm: Arm;
  /** Counts from 0. */
  readonly repeat: number;
}

/** What processes are planned for. */
export interface PlannedTask {
  readonly name: string;
  /** Repeats after which the task is left out, for what hardly varies; default: no limit. */
  readonly mostRepeats?: number;
}

/**
 * The order of all processes of a run, in blocks of two repeats.
 *
 * Two repeats form a palindrome (A B A2 | A2 B A, with the three in an order shuffled anew each time): whatever drifts
 * steadily while they run weighs on all arms alike. Tasks take turns, so that each of them sees the whole run. The
 * control arm A2 has the same places as any other. A run may end after any block.
 *
 * @param repeats of every task and arm; an odd number leaves the last block without its way back
 */
export function planSchedule(tasks: readonly PlannedTask[], repeats: number, seed: number): Trial[][] {
  const random = Random.seeded(seed, "schedule");
  const blocks: Trial[][] = [];
  for (let first = 0; first < repeats; first += 2) {
    const block = tasks.flatMap(({ name: task, mostRepeats = Number.POSITIVE_INFINITY }) => {
      const there = random.shuffled(ARMS);
      const back = first + 1 < Math.min(repeats, mostRepeats) ? [...there].reverse() : [];
      if (first >= mostRepeats) return [];
      return [
        ...there.map((arm) => ({ task, arm, repeat: first })),
        ...back.map((arm) => ({ task, arm, repeat: first + 1 })),
      ];
    });
    blocks.push(block);
  }
  return blocks;
}
