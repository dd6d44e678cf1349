import { Random } from "#results/statistics";
import type { ContestantName } from "./contestants.ts";

/** One process to be timed. */
export interface Heat {
  readonly work: string;
  readonly contestant: ContestantName;
}

/** A work, its contestants, and how often each of them runs it. */
export interface Entry {
  readonly work: string;
  readonly contestants: readonly ContestantName[];
  readonly repeats: number;
}

/**
 * The order of all processes. Works take turns. Within a work, two repeats form a palindrome of the contestants, whose
 * order is shuffled each time, so that a steady drift affects all of them equally.
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
