import type { MetricDefinition } from "#results";

/** What of a metric differs between the works that are timed in slices. */
type Particulars = Pick<MetricDefinition, "suite" | "workload" | "name" | "description" | "margin" | "role">;

/** A time per unit of work, in slices: `fromSlices` adds how its figure is drawn. */
export function slicedTime(particulars: Particulars): MetricDefinition {
  return {
    ...particulars,
    quantity: "time",
    source: "regionlab",
    unit: "ns",
    scale: "percent",
    estimator: "",
    decides: true,
    byConstruction: null,
  };
}
