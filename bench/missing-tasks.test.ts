import { describe, expect, it } from "vitest";
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
    .map(({ suite, workload }) => `${suite}/${workload}`);

describe("a run without time for any process", () => {
  it("names each task as missing", () => {
    expect(missingTasks(plan(true), [], [])).toHaveLength(tasksOf(plan(true)).length);
  });

  it("lacks the headlines of boards, releases and heaps in a quick run; boots and whole machines are details", () => {
    expect(headlines(true)).toEqual(["boot/board", "retention/releases", "retention/all scenarios"]);
  });

  it("lacks those of the guests in a full run, too", () => {
    expect(headlines(false)).toEqual(expect.arrayContaining(["boot/hello", "boot/u-boot"]));
    expect(headlines(false)).not.toContain("boot/machine");
  });

  it("lacks no headline whose question a count decides", () => {
    expect(headlines(true, counted("boot", "virt board"))).not.toContain("boot/board");
    expect(headlines(true, counted("retention", "plug-unplug"))).not.toContain("retention/releases");
    expect(headlines(false, counted("boot", "hello"))).not.toContain("boot/hello");
    expect(headlines(false, counted("boot", "hello"))).toContain("boot/u-boot");
  });
});

it("a task whose processes failed is missing as a headline, whatever its figures are, and says why", () => {
  const trial = { task: "boot/machine", repeat: 0 };
  const lost = { trial, lost: "Error: out of memory\n  at …", report: null, machine: 0 };
  const failed = missingTasks(plan(true), [lost as never], []).find(({ workload }) => workload === "machine");
  expect(failed).toMatchObject({ role: "headline", decides: true });
  expect(failed?.reason).toBe("Each of 1 processes failed, the first with: Error: out of memory");
});
