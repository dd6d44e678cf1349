import { expect, it } from "vitest";
import { compareSchedules, KINDS } from "./testing/schedules.ts";

/** Schedules of each form; another number by the environment. */
const SCHEDULES = Number(process.env.REGIONLAB_SCHEDULES ?? 10_000);

it.each(["embedded", "owned", "mixed"] as const)(
  `every touch after the end is detected, and nothing else: ${SCHEDULES} random schedules, %s windows`,
  (windows) => {
    const seen = compareSchedules(SCHEDULES, windows);
    console.log(
      `${windows} windows: ${[...seen]
        .toSorted()
        .map(([kind, count]) => `${kind} ${count}`)
        .join(", ")}`,
    );
    // Storage that the object model allocated goes when its region is finalized, never later.
    const possible = KINDS.filter((kind) => windows !== "owned" || kind !== "UseAfterFinalize region");
    expect([...seen.keys()].toSorted()).toEqual(possible.toSorted());
  },
);
