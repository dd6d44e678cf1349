/** Memory shared by the conductor and its arms: whose turn it is, how much to do, and how long it took. */

/** Words of an arm: 0 while it sleeps, 1 when it is its turn. */
const WORDS_PER_ARM = 1;
/**
 * Words of the conductor: 1 when the slice is done; units of work in a slice; variant of the work; 1 when the arms are
 * to leave; 1 when an arm has failed.
 */
const DONE = 3 * WORDS_PER_ARM;
const COUNT = DONE + 1;
const VARIANT = DONE + 2;
const LEAVE = DONE + 3;
const FAILED = DONE + 4;
const WORDS = 16;
/** Largest number of metrics of a work. */
export const MOST_METRICS = 16;
/** Index of the figure after those of the metrics: nanoseconds of the whole slice, including untimed parts. */
export const WHOLE_SLICE = MOST_METRICS;
const FIGURES = MOST_METRICS + 1;
/** Longer than any slice takes, even where a whole machine is one: then an arm hangs. */
const PATIENCE_MILLISECONDS = 120_000;

/** An arm does not return from a slice. It will not answer messages either. */
export class ArmHangs extends Error {}

/** Both ends of the shared memory. Waiting uses a futex, so a sleeping arm takes no processor time. */
export class SharedTurn {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  /** Figures of the latest slice, one per metric. */
  readonly figures: Float64Array;
  private readonly patience: number;

  /** @param patience milliseconds after which an arm is considered hung */
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
   * The conductor's side: lets the arm in `slot` do a slice, and sleeps until it is done.
   * @throws Error when the arm failed; {@link ArmHangs} when it hangs
   */
  hand(slot: number, count: number, variant: number): void {
    const { words } = this;
    words[COUNT] = count;
    words[VARIANT] = variant;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, slot, 1);
    Atomics.notify(words, slot);
    // An arm that failed before it began to listen never takes its turn. A wait may end early, because of a late
    // notification of the previous slice, so only the words count.
    while (Atomics.load(words, FAILED) === 0 && Atomics.load(words, DONE) === 0) {
      if (Atomics.wait(words, DONE, 0, this.patience) === "timed-out") {
        throw new ArmHangs(`the arm in slot ${slot} did not return within ${this.patience / 1000} s`);
      }
    }
    if (Atomics.load(words, FAILED) !== 0) throw new Error(`the arm in slot ${slot} failed in its slice`);
  }

  /** The conductor's side: ends the performance of all arms, which then listen to messages again. */
  dismiss(): void {
    Atomics.store(this.words, LEAVE, 1);
    for (let slot = 0; slot < DONE; slot++) {
      Atomics.store(this.words, slot, 1);
      Atomics.notify(this.words, slot);
    }
  }

  /** Resets all words, before the next performance. */
  reset(): void {
    this.words.fill(0);
  }

  /** The arm's side: tells the conductor, which may be waiting, that the arm has failed. */
  fail(): void {
    Atomics.store(this.words, FAILED, 1);
    Atomics.store(this.words, DONE, 1);
    Atomics.notify(this.words, DONE);
  }

  /** The arm's side: does slices on request until it is dismissed. */
  perform(slot: number, slice: (count: number, variant: number, figures: Float64Array) => void): void {
    const { words, figures } = this;
    for (;;) {
      // A late notification of the previous turn must not start another one.
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
