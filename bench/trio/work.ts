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
   * Does `count` units.
   * @param into receives one figure per metric: the time in nanoseconds divided by `count`
   */
  slice(count: number, into: Float64Array): void;
  /** Whether units are so many and so small that the self-test can plant some more of them. */
  readonly divisible: boolean;
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
    divisible: true,
    slice(count, into) {
      const most = batch ?? count;
      let nanoseconds = 0;
      for (let done = 0; done < count; done += most) {
        const length = Math.min(most, count - done);
        before?.();
        const started = performance.now();
        loop(length);
        nanoseconds += 1e6 * (performance.now() - started);
      }
      into[0] = nanoseconds / count;
    },
  };
}
