import { ARMS, type Arm } from "#results";
import { Random } from "#results/statistics";
import type { CountGroup } from "./subjects.ts";

/** One process to be counted. */
export interface CountTrial {
  readonly group: CountGroup;
  readonly arm: Arm;
  /** Counts from 0. */
  readonly repeat: number;
}

/**
 * The order of all processes. A repeat of all groups ends before the next begins, so that a run whose time is up has
 * equally many repeats of all groups. Within a group the arms are shuffled, and every second repeat goes through them
 * backwards, so that each arm has the same mean position.
 */
export function planCounts(groups: readonly CountGroup[], repeats: number, seed: number): CountTrial[] {
  const random = Random.seeded(seed, "counts");
  const trials: CountTrial[] = [];
  const there = new Map<CountGroup, Arm[]>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const group of groups) {
      if (repeat >= group.mostRepeats) continue;
      const before = repeat % 2 === 1 ? there.get(group) : undefined;
      const arms = before?.toReversed() ?? random.shuffled(ARMS);
      there.set(group, arms);
      for (const arm of arms) trials.push({ group, arm, repeat });
    }
  }
  return trials;
}

/** Everything that determines the memory layout of a process. */
export interface Layout {
  /** Seed of V8's hash tables. */
  readonly hashSeed: number;
  /** Seed of V8's random numbers, which also determine the address of its heap. */
  readonly randomSeed: number;
  /** Bytes of an unused environment variable, which shifts the stack below it. */
  readonly padding: number;
}

/** Largest {@link Layout.padding}: a page, after which the alignment of the stack repeats. */
const MOST_PADDING = 4096;

/**
 * A separate layout for every process. With a common one, arms A and A2, which are the same program, would execute the
 * same instructions by construction, and their agreement would not show how much layout alone affects a count.
 *
 * The arms of a repeat share the seed of hash tables, because pairs share everything that they can: collisions of names
 * change the counts of all arms alike, by some 0.2 % of the creation of a board. Each repeat has a different seed, so
 * that the interval over repeats includes the effect of names in which the forms differ.
 */
export function layoutOf({ group, arm, repeat }: CountTrial, seed: number): Layout {
  const shared = Random.seeded(seed, `hashes/${group.name}/${repeat}`);
  const own = Random.seeded(seed, `layout/${group.name}/${arm}/${repeat}`);
  return { hashSeed: v8Seed(shared), randomSeed: v8Seed(own), padding: 1 + own.below(MOST_PADDING) };
}

/** Never 0, for which V8 chooses a seed itself. */
function v8Seed(random: Random): number {
  return 1 + random.below(2 ** 31 - 2);
}
