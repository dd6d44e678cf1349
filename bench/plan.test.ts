import { describe, expect, it } from "vitest";
import { EXACT_LOOK, judge, type Measured } from "#results";
import { Random } from "#results/statistics";
import { scenarios } from "#workloads/lifecycle";
import { slopeMetric } from "./assemble.ts";
import { planOf } from "./options.ts";
import { describeRuntimeOptions, RUNTIME_OPTIONS, tasksOf } from "./plan.ts";

const plan = (quick: boolean) => planOf([], { quick, regions: "embedded,owned", seed: "1", count: true });

describe.each([true, false])("heaps of a run, quick: %s", (quick) => {
  const heap = tasksOf(plan(quick)).find(({ name }) => name === "retention/heap");
  const processes = heap?.mostRepeats ?? Number.NaN;

  it("are followed in as many processes as show a leak of one region a round among all headline metrics", () => {
    // Every scenario but the control is a headline, and a run has a dozen more; only the first has a difference.
    const followed = scenarios().filter(({ leaksPerRound }) => leaksPerRound === 0).length;
    const random = Random.seeded(1, `heap ${quick}`);
    const metrics = Array.from({ length: followed + 12 }, (_, i): Measured => {
      const slopes = (leak: number) => Array.from({ length: processes }, () => leak + random.normal());
      return {
        definition: slopeMetric({ scenario: `scenario ${i}`, control: false, margin: 16, heap: [] }),
        samples: { A: slopes(8), B: slopes(i === 0 ? 1508 : 8), A2: slopes(8) },
        machines: Array.from({ length: processes }, () => 0),
        look: EXACT_LOOK,
      };
    });
    const [leaking, ...others] = judge(metrics).map(({ verdict }) => verdict);
    expect(leaking).toBe("slower");
    expect(new Set(others)).toEqual(new Set(["equivalent"]));
  });
});

describe("dispatch", () => {
  const dispatch = (quick: boolean) =>
    tasksOf(plan(quick)).filter(({ name }) => name.startsWith("dispatch/"));

  it("has two tasks in a quick run, each measured exactly three times", () => {
    expect(dispatch(true).map(({ name, mostRepeats }) => [name, mostRepeats])).toEqual([
      ["dispatch/paths", 3],
      ["dispatch/board", 3],
    ]);
  });

  it("is measured six times in a full run, because reads decide its headlines", () => {
    expect(dispatch(false).length).toBeGreaterThan(2);
    for (const { mostRepeats } of dispatch(false)) expect(mostRepeats).toBe(6);
  });
});

describe("options of the runtime", () => {
  it("give accesses a roomy new space, and rounds that make and release devices an ordinary one", () => {
    const tasks = tasksOf(plan(true));
    const optionsOf = (task: string) => tasks.find(({ name }) => name === task)?.execArgv;
    for (const task of ["dispatch/paths", "dispatch/board"]) {
      expect(optionsOf(task)).toContain("--min-semi-space-size=64");
    }
    for (const task of ["boot/board", "retention/releases"]) {
      expect(optionsOf(task)).toContain("--no-concurrent-recompilation");
      expect(optionsOf(task)?.join(" ")).not.toContain("semi-space");
    }
  });

  it("are stored as one text for each kind of process, with how it is placed", () => {
    const kinds = Object.keys(RUNTIME_OPTIONS);
    expect(describeRuntimeOptions().map((text) => text.split(":")[0])).toEqual([...kinds, "slices"]);
    expect(describeRuntimeOptions()).toContain("lockstep: --expose-gc");
  });
});
