/** The work that an arm does in its slices. */
import type { MetricDefinition } from "#results";
import type { Case } from "../suites/dispatch-loops.ts";

/** Work that an arm repeats, slice by slice. */
export interface SlicedWork {
  /** The metrics that each slice has a figure for. */
  readonly metrics: readonly MetricDefinition[];
  /** The number of units in a slice is a multiple of this. */
  readonly step: number;
  /** Slices before the first one that counts, after which V8 has compiled the code. */
  readonly warmUpSlices: number;
  /** Slices that count. */
  readonly slices: number;
  /**
   * Does `count` units, and a fraction `extra` of them in addition, for the self-test.
   * @param into receives one figure per metric: the time in nanoseconds divided by `count`, including that of extra
   *   work
   */
  slice(count: number, extra: number, into: Float64Array): void;
  /** Tears down the objects of the work. */
  end?(): void;
}

/** How many slices a dispatch case gets. */
export interface Effort {
  readonly warmUpSlices: number;
  readonly slices: number;
}

/** Makes a work from a loop of accesses. */
export function loopWork(
  definition: MetricDefinition,
  { loop, before, batch }: Case,
  effort: Effort,
): SlicedWork {
  return {
    metrics: [definition],
    step: batch ?? 64,
    ...effort,
    slice(count, extra, into) {
      // Extra accesses are part of the same calls, because V8 might compile the loop differently for calls of another
      // length. The count stays a small integer.
      const all = Math.round(count * (1 + extra)) | 0;
      const most = batch ?? all;
      let nanoseconds = 0;
      for (let done = 0; done < all; done += most) {
        const length = Math.min(most, all - done);
        before?.();
        const started = performance.now();
        loop(length);
        nanoseconds += 1e6 * (performance.now() - started);
      }
      into[0] = nanoseconds / count;
    },
  };
}
