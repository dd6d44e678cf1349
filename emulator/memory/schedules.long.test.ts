import { expect, it } from "vitest";
import { compareSchedules, KINDS } from "./testing/schedules.ts";

it("every touch after the end is detected, and nothing else: 10 000 random schedules", () => {
  const seen = compareSchedules(10_000);
  for (const kind of KINDS) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0);
  expect([...seen.keys()].toSorted()).toEqual([...KINDS].toSorted());
});
