import { describe, expect, it } from "vitest";
import { HEAP_GROWTH } from "#results";
import { scenarios } from "#workloads/lifecycle";
import type { CountedPart } from "./count-plan.ts";
import { missingTasks } from "./missing-tasks.ts";
import { planOf } from "./options.ts";
import { tasksOf } from "./plan.ts";

const plan = (quick: boolean) => planOf([], { quick, regions: "embedded,owned", seed: "1", count: true });

/** Only what tells whether a subject was counted. */
const counted = (suite: string, workload: string) =>
  [{ definition: { suite, workload } }] as unknown as CountedPart["metrics"];

const headlines = (quick: boolean, counts: CountedPart["metrics"] = []) =>
  missingTasks(plan(quick), [], counts)
    .filter(({ role, decides }) => role === "headline" && decides)
    .map(({ suite, workload, name }) => (name === HEAP_GROWTH ? `heap/${workload}` : `${suite}/${workload}`));

const followed = scenarios().filter(({ leaksPerRound }) => leaksPerRound === 0);

describe("a run without time for any process", () => {
  it("names each time that a report asks for first as missing, by the name of its row", () => {
    const missing = missingTasks(plan(true), [], []);
    const times = tasksOf(plan(true)).filter(({ task }) => task.kind !== "heap");
    expect(missing).toHaveLength(
      times.reduce((sum, task) => sum + (task.times?.length ?? 1), scenarios().length),
    );
    expect(missing).toContainEqual(
      expect.objectContaining({ suite: "boot", workload: "virt board", name: "tear-down", role: "headline" }),
    );
  });

  it("lacks the headlines of boards, releases and heaps in a quick run; boots and whole machines are details", () => {
    expect(headlines(true)).toEqual([
      "boot/virt board",
      "boot/virt board",
      "retention/plug-unplug",
      ...followed.map(({ name }) => `heap/${name}`),
    ]);
    const control = missingTasks(plan(true), [], []).filter(({ role }) => role === "control");
    expect(control.map(({ workload }) => workload)).toEqual(
      scenarios().flatMap(({ name, leaksPerRound }) => (leaksPerRound === 0 ? [] : [name])),
    );
  });

  it("lacks those of the guests in a full run, too", () => {
    expect(headlines(false)).toEqual(expect.arrayContaining(["boot/hello", "boot/u-boot"]));
    expect(headlines(false)).not.toContain("boot/machine creation");
  });

  it("lacks no headline whose question a count decides", () => {
    expect(headlines(true, counted("boot", "virt board"))).not.toContain("boot/virt board");
    expect(headlines(true, counted("retention", "plug-unplug"))).not.toContain("retention/plug-unplug");
    expect(headlines(false, counted("boot", "hello"))).not.toContain("boot/hello");
    expect(headlines(false, counted("boot", "hello"))).toContain("boot/u-boot");
  });
});

it("a task that was measured once is said to be, not to be missing", () => {
  const trial = { task: "boot/board", repeat: 0 };
  const once = { trial, lost: null, report: {}, machine: 0 };
  const reasons = missingTasks(plan(true), [once as never], [])
    .filter(({ workload }) => workload === "virt board")
    .map(({ name, reason }) => [name, reason.split(":")[0]]);
  expect(reasons).toContainEqual(["tear-down", "Measured only once, which shows no spread"]);
  expect(reasons).toContainEqual(["machine creation", "Not measured"]);
});

it("a task whose processes failed is missing as a headline, whatever its figures are, and says why", () => {
  const trial = { task: "boot/machine", repeat: 0 };
  const lost = { trial, lost: "Error: out of memory\n  at …", report: null, machine: 0 };
  const failed = missingTasks(plan(true), [lost as never], []).find(
    ({ name }) => name === "machine creation",
  );
  expect(failed).toMatchObject({ role: "headline", decides: true });
  expect(failed?.reason).toBe("Each of 1 processes failed, the first with: Error: out of memory");
});
