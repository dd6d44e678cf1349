/** Rounds in which devices are plugged into a running machine, unplugged, and their storage is released. */
import type { Hardware } from "#machine";
import type { MetricDefinition } from "#results";
import { OTHER_MARGIN_PERCENT, PLUG_AND_UNPLUG, UNPLUG_TO_RELEASE } from "#results";
import { PLUGGED, scenario } from "#workloads/lifecycle";
import type { SlicedWork } from "../trio/work.ts";
import { slicedTime } from "./sliced-time.ts";

/** Rounds of a lifecycle scenario, timed as a whole and from each unplug to the release of the storage. */
export function releaseWork(name: string, hardware: Hardware, quick: boolean): SlicedWork {
  const { description, start } = scenario(name);
  const run = start({ hardware });
  const headline = name === "plug-unplug";
  const times = run.releaseTimes;
  return {
    metrics: [
      metric(name, PLUG_AND_UNPLUG, `A whole round: ${description}.`, headline),
      metric(
        name,
        UNPLUG_TO_RELEASE,
        `From the unplug to the release of the device's storage: ${description}.`,
        false,
      ),
    ],
    step: PLUGGED.length,
    warmUpSlices: quick ? 60 : 100,
    slices: quick ? 200 : 500,
    divisible: false,
    slice(count, into) {
      let whole = 0;
      let release = 0;
      for (let i = 0; i < count; i++) {
        const before = times.length;
        const started = performance.now();
        run.round();
        whole += performance.now() - started;
        for (let k = before; k < times.length; k++) release += times[k] as number;
      }
      into[0] = (1e6 * whole) / count;
      into[1] = (1e6 * release) / count;
    },
    end: () => void run.finish(),
  };
}

function metric(workload: string, name: string, description: string, headline: boolean): MetricDefinition {
  const role = headline ? "headline" : "detail";
  // Releases vary between isolates by more than the differences to be detected, so details are shown but not judged.
  return slicedTime({
    suite: "retention",
    workload,
    name,
    description,
    margin: OTHER_MARGIN_PERCENT,
    role,
    decides: headline,
  });
}
