/** Memory that the conductor and its arms share: whose turn it is, how much to do, and what it took. */

/** An arm's word: 0 while it sleeps, 1 when it is its turn. */
const WORDS_PER_ARM = 1;
/** Words of the conductor: 1 when the slice is done; units of work in a slice; which variant of the work. */
const DONE = 3 * WORDS_PER_ARM;
const COUNT = DONE + 1;
const VARIANT = DONE + 2;
const LEAVE = DONE + 3;
const FAILED = DONE + 4;
const WORDS = 16;
/** More metrics than any work takes at once. */
export const MOST_METRICS = 16;
/** Index of the figure that follows those of the metrics: nanoseconds of the whole slice, with what no metric is about. */
export const WHOLE_SLICE = MOST_METRICS;
const FIGURES = MOST_METRICS + 1;
/** Longer than any slice takes, even where a whole machine is one: then an arm hangs. */
const PATIENCE_MILLISECONDS = 120_000;

/** An arm that does not come back: it will not answer messages either. */
export class ArmHangs extends Error {}

/** The two ends of the shared memory. Waiting is the system's (a futex): a sleeping arm takes no processor time. */
export class SharedTurn {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  /** What the latest slice took, one figure a metric. */
  readonly figures: Float64Array;
  private readonly patience: number;

  /** @param patience milliseconds after which an arm hangs */
  constructor(
    buffer: SharedArrayBuffer = new SharedArrayBuffer(
      WORDS * Int32Array.BYTES_PER_ELEMENT + FIGURES * Float64Array.BYTES_PER_ELEMENT,
    ),
    patience: number = PATIENCE_MILLISECONDS,
  ) {
    this.patience = patience;
    this.buffer = buffer;
    this.words = new Int32Array(buffer, 0, WORDS);
    this.figures = new Float64Array(buffer, WORDS * Int32Array.BYTES_PER_ELEMENT, FIGURES);
  }

  /**
   * The conductor's side: lets the arm in `slot` do a slice, and sleeps meanwhile.
   * @throws Error when the arm failed; {@link ArmHangs} when it hangs
   */
  hand(slot: number, count: number, variant: number): void {
    const { words } = this;
    words[COUNT] = count;
    words[VARIANT] = variant;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, slot, 1);
    Atomics.notify(words, slot);
    // An arm that failed before it began to listen never takes its turn.
    // A wait may end early, by the notification of the slice before that came late: only the word tells.
    while (Atomics.load(words, FAILED) === 0 && Atomics.load(words, DONE) === 0) {
      if (Atomics.wait(words, DONE, 0, this.patience) === "timed-out") {
        throw new ArmHangs(`the arm in slot ${slot} did not come back after ${this.patience / 1000} s`);
      }
    }
    if (Atomics.load(words, FAILED) !== 0) throw new Error(`the arm in slot ${slot} failed in its slice`);
  }

  /** The conductor's side: ends the performance of all arms, each of which then listens to messages again. */
  dismiss(): void {
    Atomics.store(this.words, LEAVE, 1);
    for (let slot = 0; slot < DONE; slot++) {
      Atomics.store(this.words, slot, 1);
      Atomics.notify(this.words, slot);
    }
  }

  /** Before the next performance. */
  reset(): void {
    this.words.fill(0);
  }

  /** The arm's side: lets the conductor, which may be waiting, know that it cannot go on. */
  fail(): void {
    Atomics.store(this.words, FAILED, 1);
    Atomics.store(this.words, DONE, 1);
    Atomics.notify(this.words, DONE);
  }

  /** The arm's side: does slices as they are asked for, until it is dismissed. */
  perform(slot: number, slice: (count: number, variant: number, figures: Float64Array) => void): void {
    const { words, figures } = this;
    for (;;) {
      // A late notification of the turn before must not make it take another.
      while (Atomics.load(words, slot) === 0) Atomics.wait(words, slot, 0);
      if (Atomics.load(words, LEAVE) !== 0) return;
      Atomics.store(words, slot, 0);
      try {
        slice(words[COUNT] as number, words[VARIANT] as number, figures);
      } catch (error) {
        this.fail();
        throw error;
      }
      Atomics.store(words, DONE, 1);
      Atomics.notify(words, DONE);
    }
  }
}
