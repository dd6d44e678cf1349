/** What an arm does in its slices. */
import type { MetricDefinition } from "#results";
import type { Case } from "../suites/dispatch-loops.ts";

/** Work that an arm repeats, slice by slice. */
export interface SlicedWork {
  /** What a slice gives a figure of. */
  readonly metrics: readonly MetricDefinition[];
  /** Units of work in a slice of about a millisecond come in multiples of this. */
  readonly step: number;
  /** Slices before the first that counts: after these V8 has compiled what they run. */
  readonly warmUpSlices: number;
  /** Slices that count. */
  readonly slices: number;
  /**
   * Does `count` units, and `extra` times as many more for the self-test, which the figures do not know of.
   * @param into gets nanoseconds for one of `count` units, one figure a metric
   */
  slice(count: number, extra: number, into: Float64Array): void;
  /** Takes down what the work was made of. */
  end?(): void;
}

/** How many slices a case of accesses gets. */
export interface Effort {
  readonly warmUpSlices: number;
  readonly slices: number;
}

/** Accesses in a loop, as work. */
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
      // In the same calls, not in one of their own: calls of another length would have V8 compile the loop otherwise. And a
      // small integer, as always.
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
