import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlikeMetric, type Omission, QUANTITIES, type SelfTest, SUITES } from "../schema.ts";
import { areAlike, BY_CONSTRUCTION, type Figure, standingsOf, stillMissing } from "./deciding.ts";
import { SLICE_ESTIMATOR } from "./questions.ts";

const QUESTION = { suite: "boot", workload: "hello", name: "until its line", source: "regionlab" } as const;

function figure(
  definition: Partial<Figure["definition"]>,
  values: readonly [number, number] = [1, 1],
): Figure {
  const [a, b] = values;
  const whole = { ...QUESTION, quantity: "time", decides: true, estimator: "least", ...definition } as const;
  return { definition: whole, samples: { A: [a, a], B: [b, b] } };
}

function selfTest(alike: boolean): SelfTest {
  const entry: AlikeMetric = {
    ...QUESTION,
    ...{ processes: 40, arms: { A: 0, B: 0, A2: 0 }, slots: [], alike },
  };
  return {
    ...{ date: "2026-01-01T00:00:00Z", cpuModel: "", node: "", regionlab: "", processes: 40 },
    ...{ falseAlarms: { found: 0, of: 0 }, planted: [], leaks: { found: 0, of: 0 }, alike: [entry] },
  };
}

const decidesOf = (figures: readonly Figure[], test: SelfTest | null = null) =>
  standingsOf(figures, test).map(({ decides }) => decides);

describe("standingsOf", () => {
  const time = figure({});
  const count = figure({ quantity: "count" });
  const none = figure({ quantity: "reads" }, [0, 0]);

  it("lets a count decide, or a time if nothing is counted", () => {
    expect(decidesOf([time, count])).toEqual([false, true]);
    expect(decidesOf([time])).toEqual([true]);
  });

  it("does not let a count decide the latency of dispatch", () => {
    const dispatch = [figure({ suite: "dispatch" }), figure({ suite: "dispatch", quantity: "count" })];
    expect(decidesOf(dispatch)).toEqual([true, false]);
    const inQemu = dispatch.map(({ definition, samples }) => ({
      ...{ definition: { ...definition, source: "qemu" as const }, samples },
    }));
    expect(decidesOf(inQemu)).toEqual([false, true]);
  });

  it("lets reads decide if neither form reads a field: equal by construction", () => {
    const onlyShown = "the reads of region fields decide, of which there are none";
    expect(standingsOf([time, count, none], null)).toEqual([
      { decides: false, byConstruction: BY_CONSTRUCTION, onlyShown },
      { decides: false, byConstruction: BY_CONSTRUCTION, onlyShown },
      { decides: true, byConstruction: BY_CONSTRUCTION, onlyShown: null },
    ]);
    for (const some of [figure({ quantity: "reads" }, [0, 1]), figure({ quantity: "reads" }, [1, 0])]) {
      expect(standingsOf([time, some], null)).toEqual([
        { decides: true, byConstruction: null, onlyShown: null },
        {
          ...{ decides: false, byConstruction: null },
          onlyShown: "reads of region fields decide only where there are none",
        },
      ]);
    }
  });

  it("lets a time of slices decide only if the self-test found identical arms alike", () => {
    const sliced = figure({ estimator: SLICE_ESTIMATOR });
    expect(decidesOf([sliced], selfTest(true))).toEqual([true]);
    expect(decidesOf([sliced], selfTest(false))).toEqual([false]);
    expect(decidesOf([sliced], null)).toEqual([true]);
    expect(decidesOf([time], selfTest(false))).toEqual([true]);
  });

  it("says why a figure is only shown", () => {
    const why = (figures: readonly Figure[], test: SelfTest | null = null) =>
      standingsOf(figures, test).map(({ onlyShown }) => onlyShown);
    const sliced = (name: string) => figure({ estimator: SLICE_ESTIMATOR, name });
    expect(why([time, count])).toEqual([expect.stringMatching(/^the count of instructions decides: /), null]);
    expect(why([figure({ suite: "dispatch", quantity: "count" })])).toEqual([
      expect.stringMatching(/^instructions say little about latency/),
    ]);
    expect(why([sliced(QUESTION.name)], selfTest(false))).toEqual([
      expect.stringMatching(/self-test, identical forms differed by too much/),
    ]);
    expect(why([sliced("another")], selfTest(true))).toEqual([
      expect.stringMatching(/self-test does not cover this work/),
    ]);
    expect(why([figure({ decides: false })])).toEqual([expect.stringMatching(/^nothing exact decides this/)]);
  });

  it("ignores the figures of another source", () => {
    const inQemu = figure({ quantity: "count", source: "qemu" });
    expect(decidesOf([time, inQemu])).toEqual([true, true]);
  });

  it("lets at most one figure of a question decide, and is idempotent", () => {
    const figures = fc.array(
      fc
        .record({
          suite: fc.constantFrom(...SUITES),
          name: fc.constantFrom("one", "other"),
          quantity: fc.constantFrom(...QUANTITIES.filter((quantity) => quantity !== "memory")),
          decides: fc.boolean(),
          estimator: fc.constantFrom("least", SLICE_ESTIMATOR),
          reads: fc.constantFrom(0, 1),
        })
        .map(({ reads, ...definition }) => figure(definition, [reads, reads])),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(figures, fc.constantFrom(null, selfTest(true), selfTest(false)), (drawn, test) => {
        const unique = [
          ...new Map(
            drawn.map((each) => {
              const { suite, name, quantity } = each.definition;
              return [`${suite} ${name} ${quantity}`, each] as const;
            }),
          ).values(),
        ];
        const once = standingsOf(unique, test);
        const deciding = unique.flatMap(({ definition: { suite, name } }, i) =>
          once[i]?.decides ? [`${suite} ${name}`] : [],
        );
        expect(new Set(deciding).size).toBe(deciding.length);
        const again = unique.map((each, i) => ({
          ...each,
          definition: { ...each.definition, decides: once[i]?.decides ?? false },
        }));
        expect(standingsOf(again, test)).toEqual(once);
      }),
    );
  });
});

describe("stillMissing", () => {
  const omission: Omission = {
    ...QUESTION,
    ...{ quantity: "count", role: "headline", decides: true, reason: "No valgrind." },
  };

  it("drops figures that are present after all", () => {
    expect(stillMissing([omission], [{ ...QUESTION, quantity: "count", decides: true }])).toEqual([]);
  });

  it("keeps an omission as deciding only if nothing else decides", () => {
    expect(stillMissing([omission], [{ ...QUESTION, quantity: "time", decides: false }])).toEqual([omission]);
    expect(stillMissing([omission], [{ ...QUESTION, quantity: "time", decides: true }])).toEqual([
      { ...omission, decides: false },
    ]);
  });
});

it("arms are alike if none is farther from the mean than the limit", () => {
  expect(areAlike([0.3, -0.3, 0])).toBe(true);
  expect(areAlike([0.1, -0.31])).toBe(false);
});
