/** Margins: differences up to these are of no practical importance. Fixed here, before any run. */
import type { MetricIdentity } from "../schema.ts";

/** One access of a few nanoseconds. */
export const DISPATCH_MARGIN_PERCENT = 0.5;
/** All other times. */
export const OTHER_MARGIN_PERCENT = 1;
/** Exact counts of instructions. */
export const COUNT_MARGIN_PERCENT = 0.2;
/** Reads of region fields are whole numbers: less than one is none. */
export const READS_MARGIN = 0.5;
/** Growth of the heap per round: about a hundredth of what one leaked region takes in V8, some 1 500 bytes. */
export const GROWTH_MARGIN_BYTES = 16;
/** The scenario that creates a whole machine, which gets this margin for each of the regions of its board. */
export const WHOLE_MACHINE = "create-destroy";
const REGIONS_PER_MACHINE = 16;

/** What a figure of this suite and quantity is measured in, and the margin that it is judged by. */
export interface Terms {
  readonly units: readonly string[];
  readonly scale: "percent" | "absolute";
  readonly margin: number;
}

export function termsOf({
  suite,
  workload,
  quantity,
}: Pick<MetricIdentity, "suite" | "workload" | "quantity">): Terms {
  switch (quantity) {
    case "time":
      return {
        units: ["ns", "ms"],
        scale: "percent",
        margin: suite === "dispatch" ? DISPATCH_MARGIN_PERCENT : OTHER_MARGIN_PERCENT,
      };
    case "count":
      return { units: ["instructions"], scale: "percent", margin: COUNT_MARGIN_PERCENT };
    case "reads":
      return { units: ["fields"], scale: "absolute", margin: READS_MARGIN };
    case "memory":
      return {
        units: ["B/round"],
        scale: "absolute",
        margin: workload === WHOLE_MACHINE ? GROWTH_MARGIN_BYTES * REGIONS_PER_MACHINE : GROWTH_MARGIN_BYTES,
      };
  }
}
