import { Random } from "#results/statistics";
import type { ContestantName } from "./contestants.ts";

/** One process to be timed. */
export interface Heat {
  readonly work: string;
  readonly contestant: ContestantName;
}

/** A work, who runs it, and how often each does. */
export interface Entry {
  readonly work: string;
  readonly contestants: readonly ContestantName[];
  readonly repeats: number;
}

/**
 * The order of all processes. Works take turns; within a work two repeats form a palindrome of the contestants in an
 * order shuffled each time, so that a steady drift weighs on all alike.
 */
export function planHeats(entries: readonly Entry[], seed: number): Heat[] {
  const random = Random.seeded(seed, "cpu");
  const most = Math.max(0, ...entries.map(({ repeats }) => repeats));
  const heats: Heat[] = [];
  for (let first = 0; first < most; first += 2) {
    for (const { work, contestants, repeats } of entries) {
      if (first >= repeats) continue;
      const there = random.shuffled(contestants);
      const back = first + 1 < repeats ? [...there].reverse() : [];
      for (const contestant of [...there, ...back]) heats.push({ work, contestant });
    }
  }
  return heats;
}
