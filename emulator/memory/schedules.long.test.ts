import { expect, it } from "vitest";
import { compareSchedules, KINDS } from "./testing/schedules.ts";

it("every touch after the end is detected, and nothing else: 10 000 random schedules", () => {
  const seen = compareSchedules(10_000);
  expect([...seen.keys()].toSorted()).toEqual([...KINDS].toSorted());
});
