import type { MetricDefinition } from "#results";

/** What of a metric differs between the works that are timed in slices. */
interface Particulars
  extends Pick<MetricDefinition, "suite" | "workload" | "name" | "description" | "margin" | "role"> {
  /** Default: yes. */
  readonly decides?: boolean;
}

/** A time per unit of work, in slices: `fromSlices` adds how its figure is drawn. */
export function slicedTime(particulars: Particulars): MetricDefinition {
  return {
    quantity: "time",
    source: "regionlab",
    unit: "ns",
    scale: "percent",
    estimator: "",
    decides: true,
    byConstruction: null,
    ...particulars,
  };
}
