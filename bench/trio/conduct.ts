/** Runs the request of a measured process in its three arms. */
import type { GuestRecord, PerArm } from "#results";
import { Random } from "#results/statistics";
import { scenarios } from "#workloads/lifecycle";
import { bootingTime, fromBoots } from "../suites/lockstep.ts";
import {
  type ArmOutcomes,
  emptyReport,
  fromSlices,
  type HeapCurve,
  type Measurement,
  type ProcessReport,
  type ProcessRequest,
  type Remains,
} from "../suites/measurement.ts";
import { Trio } from "./conductor.ts";

export async function conduct(request: ProcessRequest, armEntry: URL): Promise<ProcessReport> {
  const { forms, quick, seed, processor = null } = request;
  const trio = new Trio({ armEntry, forms, quick, processor, random: Random.seeded(seed, "trio") });
  try {
    return { ...emptyReport, slots: trio.slots, ...(await perform(trio, request)) };
  } finally {
    await trio.end();
  }
}

async function perform(
  trio: Trio,
  { task, quick, plant = [0] }: ProcessRequest,
): Promise<Partial<ProcessReport>> {
  switch (task.kind) {
    case "slices": {
      const variants: Measurement[][] = plant.map(() => []);
      for (const work of task.works) {
        const measured = await trio.measure(work, plant);
        measured.forEach((metrics, variant) => {
          variants[variant]?.push(...metrics.map(({ definition, times }) => fromSlices(definition, times)));
        });
      }
      return { measurements: variants };
    }
    case "lockstep": {
      const { boots, checks } = await trio.boot(task.guest, bootingTime(quick));
      return { measurements: [fromBoots(task.guest, boots, quick)], checks };
    }
    case "heap": {
      const curves = { A: [] as HeapCurve[], B: [] as HeapCurve[], A2: [] as HeapCurve[] };
      const names = scenarios().map(({ name }) => name);
      // The first scenario is followed twice and reported once: the first collections free what loading has left.
      for (const [place, name] of [...names.slice(0, 1), ...names].entries()) {
        // The arms follow their heaps concurrently: nothing is timed, and each isolate has its own heap.
        const answers = await trio.ask((arm) => ({
          kind: "heap",
          scenario: name,
          extraLeaks: task.plantLeak === true && arm === "B" ? 1 : 0,
        }));
        if (place === 0) continue;
        for (const arm of ["A", "B", "A2"] as const) curves[arm].push(answers[arm] as HeapCurve); // from `followScenario`
      }
      return { curves };
    }
    case "proof": {
      const records = (await trio.ask(() => task)) as PerArm<GuestRecord>; // from `recordGuest`
      return { proofs: [{ workload: task.guest, records }] };
    }
    case "remains":
      return { remains: (await trio.ask(() => task)) as PerArm<Remains[]> }; // from `countRemains`
    case "outcomes":
      return { outcomes: (await trio.ask(() => task)) as PerArm<ArmOutcomes> }; // from `armOutcomes`
  }
}
