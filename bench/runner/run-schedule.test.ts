import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attempt, runAbreast, runPasses, type TrialOutcome } from "./run-schedule.ts";
import { type PlannedTask, passOrder, type Trial } from "./schedule.ts";

const task = (name: string): PlannedTask => ({ name, task: { kind: "remains" }, execArgv: [] });
const TASKS = ["boot", "dispatch", "heap"].map(task);

/** Options of `play`, which runs until every task has the wanted number of processes, named like `boot 0`. */
interface Play {
  readonly tasks?: readonly PlannedTask[];
  readonly seed?: number;
  readonly wanted?: number | Readonly<Record<string, number>>;
  readonly earlier?: readonly TrialOutcome<string>[];
  readonly crashes?: (trial: Trial) => boolean;
  readonly hasTime?: (milliseconds: number) => boolean;
  readonly took?: number;
}

async function play({
  tasks = TASKS,
  seed = 1,
  wanted = 3,
  earlier = [],
  crashes = () => false,
  hasTime = () => true,
  took = 5,
}: Play) {
  const started: string[] = [];
  const heard: TrialOutcome<string>[] = [];
  let running = 0;
  let time = 0;
  const outcomes = await runPasses(tasks, seed, earlier, {
    now: () => time,
    measure: async (trial) => {
      expect(++running).toBe(1);
      started.push(nameOf(trial));
      await new Promise((resolve) => setImmediate(resolve));
      time += took;
      running--;
      if (crashes(trial)) throw new Error(`${nameOf(trial)} exploded`);
      return nameOf(trial);
    },
    onOutcome: (outcome) => heard.push(outcome),
    isDone: ({ name }, processes) => processes >= (typeof wanted === "number" ? wanted : (wanted[name] ?? 0)),
    hasTime,
  });
  return { started, heard, outcomes };
}

function nameOf({ task: name, repeat }: Trial): string {
  return `${name} ${repeat}`;
}

function outcome(name: string, repeat: number, lost: string | null = null): TrialOutcome<string> {
  return {
    trial: { task: name, repeat },
    report: lost === null ? `${name} ${repeat}` : null,
    lost,
    milliseconds: 5,
  };
}

describe("runPasses", () => {
  it("runs processes one at a time, each task once per pass, in the order of the pass, and records times", async () => {
    const { started, heard, outcomes } = await play({ seed: 7 });
    const expected = [0, 1, 2].flatMap((pass) =>
      passOrder(TASKS, pass, 7).map(({ name }) => `${name} ${pass}`),
    );
    expect(started).toEqual(expected);
    expect(outcomes).toEqual(heard);
    expect(outcomes.map(({ report }) => report)).toEqual(expected);
    expect(outcomes.every(({ milliseconds, lost }) => milliseconds === 5 && lost === null)).toBe(true);
  });

  it("runs every unfinished task exactly once in a pass", async () => {
    const wanted = fc.record({ boot: fc.nat(5), dispatch: fc.nat(5), heap: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(wanted, fc.integer(), async (counts, seed) => {
        const { outcomes } = await play({ wanted: counts, seed });
        for (const { name } of TASKS) {
          const repeats = outcomes
            .filter(({ trial }) => trial.task === name)
            .map(({ trial }) => trial.repeat);
          expect(repeats).toEqual(Array.from({ length: counts[name as keyof typeof counts] }, (_, i) => i));
        }
        const passes = outcomes.map(({ trial }) => trial.repeat);
        expect(passes).toEqual(passes.toSorted((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it("stops when there is no time for a process as long as the latest ones of its task", async () => {
    const asked: number[] = [];
    const { started } = await play({
      took: 40,
      hasTime: (milliseconds) => {
        asked.push(milliseconds);
        return asked.length <= 5;
      },
    });
    expect(started).toHaveLength(5);
    expect(asked).toEqual([0, 0, 0, 40, 40, 40]);
  });

  it("treats a crash as a lost sample: the next process has the next number", async () => {
    const { outcomes } = await play({
      tasks: [task("boot")],
      crashes: ({ repeat }) => repeat === 1,
    });
    expect(outcomes.map(({ trial, lost }) => [trial.repeat, lost])).toEqual([
      [0, null],
      [1, "boot 1 exploded"],
      [2, null],
      [3, null],
    ]);
    expect(outcomes[1]?.report).toBeNull();
  });

  it("gives up a task that crashes three times in a row, and continues with the others", async () => {
    const { outcomes } = await play({
      wanted: 6,
      crashes: ({ task: name, repeat }) => name === "heap" && repeat >= 2,
    });
    const of = (name: string) => outcomes.filter(({ trial }) => trial.task === name);
    expect(of("heap").map(({ lost }) => lost !== null)).toEqual([false, false, true, true, true]);
    expect(of("boot")).toHaveLength(6);
    expect(of("dispatch")).toHaveLength(6);
  });

  it("forgives two crashes in a row", async () => {
    const { outcomes } = await play({ tasks: [task("boot")], crashes: ({ repeat }) => repeat % 3 !== 0 });
    expect(outcomes.filter(({ lost }) => lost === null)).toHaveLength(3);
  });

  it("does not repeat the processes of an interrupted run, and continues their numbering", async () => {
    const earlier = [outcome("boot", 0), outcome("dispatch", 0), outcome("boot", 1, "crashed")];
    const { started, heard, outcomes } = await play({ earlier, wanted: 2 });
    expect(outcomes.slice(0, 3)).toEqual(earlier);
    expect(outcomes.slice(3)).toEqual(heard);
    expect(started.toSorted()).toEqual(["boot 2", "dispatch 1", "heap 0", "heap 1"]);
  });

  it("runs nothing if everything is there already", async () => {
    const earlier = TASKS.flatMap(({ name }) => [outcome(name, 0), outcome(name, 1)]);
    expect((await play({ earlier, wanted: 2 })).started).toEqual([]);
    const uneven = [outcome("boot", 0), outcome("dispatch", 0), outcome("dispatch", 1), outcome("heap", 0)];
    const { started } = await play({ earlier: uneven, wanted: { boot: 1, dispatch: 3, heap: 1 } });
    expect(started).toEqual(["dispatch 2"]);
  });

  it("does not retry tasks that an interrupted run had given up", async () => {
    const earlier = [0, 1, 2].map((repeat) => outcome("heap", repeat, "crashed"));
    const { started } = await play({ tasks: [task("heap"), task("boot")], earlier, wanted: 1 });
    expect(started).toEqual(["boot 0"]);
  });

  it("interrupted anywhere and resumed, runs what it would have run", async () => {
    const wanted = { boot: 4, dispatch: 2, heap: 3 };
    const whole = (await play({ wanted })).outcomes;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (end) => {
        const { outcomes } = await play({ wanted, earlier: whole.slice(0, end) });
        expect(outcomes).toEqual(whole);
      }),
    );
  });
});

describe("attempt", () => {
  it("gives the report and its time, or the message of the failure", async () => {
    let time = 0;
    const trial = { task: "boot", repeat: 0 };
    const now = () => time;
    const taking = (milliseconds: number) => {
      time += milliseconds;
    };
    const succeed = async () => {
      taking(7);
      return "report";
    };
    expect(await attempt(trial, succeed, now)).toEqual({
      trial,
      report: "report",
      lost: null,
      milliseconds: 7,
    });
    const crash = async () => {
      taking(3);
      throw new Error("exit code 1");
    };
    expect(await attempt(trial, crash, now)).toEqual({
      trial,
      report: null,
      lost: "exit code 1",
      milliseconds: 3,
    });
  });
});

describe("runAbreast", () => {
  const jobs = Array.from({ length: 12 }, (_, i) => i);
  const later = () => new Promise((resolve) => setImmediate(resolve));

  it("runs up to the allowed number of jobs at once, and keeps the order", async () => {
    let running = 0;
    let most = 0;
    const results = await runAbreast(jobs, 3, async (job) => {
      most = Math.max(most, ++running);
      for (let turns = job % 3 === 0 ? 5 : 1; turns > 0; turns--) await later();
      running--;
      return `job ${job}`;
    });
    expect(most).toBe(3);
    expect(results).toEqual(jobs.map((job) => `job ${job}`));
  });

  it("starts no more jobs after a failure, and throws it when the others have ended", async () => {
    let begun = 0;
    let ended = 0;
    const run = runAbreast(jobs, 2, async () => {
      if (++begun === 4) throw new Error("crashed");
      await later();
      ended++;
    });
    await expect(run).rejects.toThrow("crashed");
    expect([begun, ended]).toEqual([4, 3]);
  });
});
