import type { MetricDefinition } from "#results";

/** The parts of a definition that differ between works timed in slices. */
interface Particulars
  extends Pick<MetricDefinition, "suite" | "workload" | "name" | "description" | "margin" | "role"> {
  /** Default: yes. */
  readonly decides?: boolean;
}

/** The definition of a time per unit of work, measured in slices; `fromSlices` adds the estimator. */
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
