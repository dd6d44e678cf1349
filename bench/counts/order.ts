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
 * The order of all processes. A repeat of all groups ends before the next begins, so that a run whose time is up has as many
 * repeats of one as of another. Within a group the arms are shuffled, and every second repeat goes through them backwards:
 * each arm has the same mean place.
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

/** What a process's layout hangs on. */
export interface Layout {
  /** Seed of V8's hash tables. */
  readonly hashSeed: number;
  /** Seed of V8's random numbers, which also choose where its heap lies. */
  readonly randomSeed: number;
  /** Bytes of an environment variable that nothing reads; what lies below it on the stack moves. */
  readonly padding: number;
}

/** The largest {@link Layout.padding}: a page, after which a stack lies as it did. */
const MOST_PADDING = 4096;

/**
 * A layout of its own for every process. With one for all, arms A and A2, which are the same program, would execute the
 * same instructions by construction, and their agreement would say nothing of how far layout alone moves a count.
 *
 * The arms of a repeat share the seed of hash tables, as what is paired shares whatever it can: how many names collide
 * moves all arms alike, by some 0.2 % of what makes a board. Another repeat has another seed, so that the interval
 * over repeats holds what the forms' own names make of it.
 */
export function layoutOf({ group, arm, repeat }: CountTrial, seed: number): Layout {
  const shared = Random.seeded(seed, `hashes/${group.name}/${repeat}`);
  const own = Random.seeded(seed, `layout/${group.name}/${arm}/${repeat}`);
  return { hashSeed: v8Seed(shared), randomSeed: v8Seed(own), padding: 1 + own.below(MOST_PADDING) };
}

/** V8 takes 0 as "choose one yourself". */
function v8Seed(random: Random): number {
  return 1 + random.below(2 ** 31 - 2);
}
