import { ARMS, type Arm } from "#results";
import { Random } from "../statistics/random.ts";
import type { CountSubject } from "./subjects.ts";

/** One process to be counted. */
export interface CountTrial {
  readonly subject: CountSubject;
  readonly arm: Arm;
  /** Counts from 0. */
  readonly repeat: number;
  /** Counted rounds. */
  readonly rounds: number;
}

/**
 * The order of all processes. A repeat of all subjects ends before the next begins, so that a run whose time is up has as many
 * repeats of one as of another. Within a subject the arms are shuffled, and every second repeat goes through them backwards:
 * each arm has the same mean place. The longer process of a pair comes first, which keeps all processors busy to the end.
 */
export function planCounts(subjects: readonly CountSubject[], repeats: number, seed: number): CountTrial[] {
  const random = Random.seeded(seed, "counts");
  const trials: CountTrial[] = [];
  const there = new Map<CountSubject, Arm[]>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const subject of subjects) {
      const before = repeat % 2 === 1 ? there.get(subject) : undefined;
      const arms = before?.toReversed() ?? random.shuffled(ARMS);
      there.set(subject, arms);
      for (const rounds of [subject.manyRounds, subject.fewRounds])
        for (const arm of arms) trials.push({ subject, arm, repeat, rounds });
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
 * A layout of its own for every sample. With one for all, arms A and A2, which are the same program, would execute the
 * same instructions by construction, and their agreement would say nothing of how far layout alone moves a count.
 *
 * The arms of a repeat share the seed of hash tables, as what is paired shares whatever it can: how many names collide
 * moves all arms alike, by some 0.2 % of what makes a board. Another repeat has another seed, so that the interval
 * over repeats holds what the forms' own names make of it. The two processes of one sample share everything: what they do
 * alike before the counted rounds then falls out of the slope.
 */
export function layoutOf({ subject, arm, repeat }: Omit<CountTrial, "rounds">, seed: number): Layout {
  const shared = Random.seeded(seed, `hashes/${subject.name}/${repeat}`);
  const own = Random.seeded(seed, `layout/${subject.name}/${arm}/${repeat}`);
  return { hashSeed: v8Seed(shared), randomSeed: v8Seed(own), padding: 1 + own.below(MOST_PADDING) };
}

/** V8 takes 0 as "choose one yourself". */
function v8Seed(random: Random): number {
  return 1 + random.below(2 ** 31 - 2);
}
