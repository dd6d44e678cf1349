/** Which of the figures of a question decides, depending on what was measured, counted and self-tested. */
import { describe, expect, it } from "vitest";
import {
  BY_CONSTRUCTION,
  type MetricDefinition,
  NO_FAULTS,
  type Omission,
  parseRun,
  rowsOf,
  type SelfTest,
  serializeRun,
} from "#results";
import { syntheticRun } from "#results/testing";
import { assembleRun, type RunParts } from "./assemble.ts";
import { definition, measured, outcome, parts, proofOf, raise } from "./fixtures/run-parts.ts";
import { perArm } from "./suites/measurement.ts";

const LIFETIME = {
  ...{ scenario: "plain", description: "A life.", rule: "rule 1", rounds: 1 },
  ...{ expected: NO_FAULTS, observed: NO_FAULTS },
};

/** Proofs, and processes that counted these reads of region fields per hit, by arm. */
const countedReads = (...processes: readonly { readonly A: number; readonly B: number }[]) => [
  ...proofOf(),
  ...processes.map(({ A, B }, repeat) =>
    outcome("proof/outcomes", repeat, {
      outcomes: perArm((arm) => ({
        lifetimes: [LIFETIME],
        fieldReads: [
          { access: "read, section hit", reads: arm === "B" ? B : A, fields: A + B > 0 ? ["ops"] : [] },
        ],
      })),
    }),
  ),
];

/** A self-test with a single metric: the read, found alike or not, or another one. */
function selfTestThat(found: "alike" | "not alike" | "unknown"): SelfTest {
  const { selfTest } = syntheticRun();
  const [known] = selfTest?.alike ?? [];
  if (selfTest === null || known === undefined) throw new RangeError("a synthetic run has a self-test");
  const { suite, workload, name } = definition;
  const alike = found === "alike";
  const own = { ...known, suite, workload, name, arms: { A: 0, B: alike ? 0.1 : 0.4, A2: 0 }, alike };
  return { ...selfTest, alike: [found === "unknown" ? { ...own, name: "another read" } : own] };
}

const countDefinition: MetricDefinition = {
  ...definition,
  quantity: "count",
  unit: "instructions",
  margin: 0.2,
  estimator: "under valgrind",
};
const counted: Partial<RunParts> = {
  counts: [
    {
      definition: countDefinition,
      samples: { A: [1000, 1000, 1000], B: [1100, 1100, 1100], A2: [1000, 1000, 1000] },
      processes: [0, 1, 2],
    },
  ],
  countProcesses: [0, 1, 2].map((repeat) => ({
    ...{ task: "count/hit-read", repeat, machine: 0, slots: null, milliseconds: 5, lost: null },
  })),
};

/** The row of the read, with B 10 % slower, and the verdicts of its figures by quantity. */
const readOf = (change: Partial<RunParts>) => rowOf(parts(10, change));

/** The same as part of the boot suite. */
const bootOf = (change: Partial<RunParts>) =>
  rowOf(
    JSON.parse(
      JSON.stringify(parts(10, change))
        .replaceAll('"suite":"dispatch"', '"suite":"boot"')
        .replaceAll('"margin":0.5', '"margin":1'),
    ) as RunParts,
  );

function rowOf(whole: RunParts) {
  const run = assembleRun(whole);
  expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  const row = rowsOf(run).find(({ name }) => name === definition.name) ?? raise();
  return {
    row,
    decidedBy: row.deciding?.quantity ?? null,
    verdicts: Object.fromEntries(
      row.figures.map(({ quantity, comparison }) => [quantity, comparison.verdict]),
    ),
  };
}

describe("what decides a question", () => {
  it("is not the reads of a stored run whose table of reads was taken out", () => {
    const run = assembleRun(parts(0, { proofs: countedReads({ A: 0, B: 0 }, { A: 0, B: 0 }) }));
    const text = serializeRun({ ...run, fieldReads: [] });
    expect(() => parseRun(text, "run.json")).toThrow(
      /fieldReads is an array of 0, expected the reads of "read, section hit"/,
    );
  });

  it("is the reads of region fields if neither form reads any: then its time is not judged, however long", () => {
    const { row, decidedBy, verdicts } = readOf({
      proofs: countedReads({ A: 0, B: 0 }, { A: 0, B: 0 }),
      ...counted,
      selfTest: selfTestThat("alike"),
    });
    expect(decidedBy).toBe("reads");
    expect(row.deciding).toMatchObject({
      samples: { A: [0, 0], B: [0, 0], A2: [0, 0] },
      processes: [1, 2],
      byConstruction: BY_CONSTRUCTION,
      comparison: { verdict: "equivalent", ab: { estimate: 0, low: 0, high: 0, pairs: 2 } },
    });
    expect(verdicts).toEqual({ reads: "equivalent", time: "not judged", count: "not judged" });
  });

  it.each([
    [
      "both forms read some",
      [
        { A: 2, B: 2 },
        { A: 2, B: 2 },
      ],
    ],
    [
      "one form reads some",
      [
        { A: 0, B: 1 },
        { A: 0, B: 1 },
      ],
    ],
    [
      "one process of two counted some",
      [
        { A: 0, B: 0 },
        { A: 1, B: 0 },
      ],
    ],
  ])("is the time where %s", (_, reads) => {
    const { row, decidedBy, verdicts } = readOf({ proofs: countedReads(...reads) });
    expect(decidedBy).toBe("time");
    expect(verdicts).toEqual({ reads: "not judged", time: "slower" });
    expect(row.deciding?.role).toBe("headline");
  });

  it.each([
    ["no process counted", []],
    ["a single process counted, which shows no spread", [{ A: 0, B: 0 }]],
  ])("is the time where %s", (_, reads) => {
    expect(readOf({ proofs: countedReads(...reads) })).toMatchObject({
      decidedBy: "time",
      verdicts: { time: "slower" },
    });
  });

  it("is the time if the self-test found it alike and there is no count", () => {
    expect(readOf({ selfTest: selfTestThat("alike") })).toMatchObject({
      decidedBy: "time",
      verdicts: { time: "slower" },
    });
  });

  it.each(["alike", "not alike", "unknown"] as const)(
    "is the count if there is one, with a time that is %s to the self-test",
    (found) => {
      expect(bootOf({ selfTest: selfTestThat(found), ...counted })).toMatchObject({
        decidedBy: "count",
        verdicts: { time: "not judged", count: "slower" },
      });
    },
  );

  it("is the time in dispatch, of which a count says little", () => {
    expect(readOf({ selfTest: selfTestThat("alike"), ...counted })).toMatchObject({
      decidedBy: "time",
      verdicts: { time: "slower", count: "not judged" },
    });
  });

  it.each(["not alike", "unknown"] as const)(
    "is nothing if the time is %s to the self-test and there is no count: the row is open and says why",
    (found) => {
      const { row, decidedBy, verdicts } = readOf({
        selfTest: selfTestThat(found),
        proofs: countedReads({ A: 2, B: 2 }, { A: 2, B: 2 }),
      });
      expect(decidedBy).toBeNull();
      expect(verdicts).toEqual({ time: "not judged", reads: "not judged" });
      expect(row.verdict).toBe("inconclusive");
      expect(row.figures[0]?.comparison.reason).toMatch(/^Only shown: (?:in )?the instrument's self-test/);
    },
  );

  it("is a missing count if the self-test found the time not alike: its omission says so", () => {
    const omission = { ...countDefinition, reason: "Not counted: valgrind is not installed." };
    const { row } = readOf({ selfTest: selfTestThat("not alike"), omissions: [identityOf(omission)] });
    expect(row.omissions).toMatchObject([{ quantity: "count", decides: true, reason: omission.reason }]);
    const { row: alike } = readOf({ selfTest: selfTestThat("alike"), omissions: [identityOf(omission)] });
    expect(alike.omissions).toMatchObject([{ quantity: "count", decides: false }]);
  });

  it("is as planned for times that were not measured in slices, whether the self-test knows them or not", () => {
    const outcomes = [0, 1, 2, 3, 4, 5, 6, 7].map((repeat) => {
      const boot = measured("boot", (arm) => (arm === "B" ? 22 : 20) + repeat / 1000);
      const definitionOfBoot = { ...boot.definition, estimator: "sum of the least slices" };
      return outcome("boot/debian", repeat, { measurements: [[{ ...boot, definition: definitionOfBoot }]] });
    });
    const [metric] = assembleRun(parts(0, { outcomes, selfTest: selfTestThat("unknown") })).metrics;
    expect(metric).toMatchObject({ name: "boot", decides: true, comparison: { verdict: "slower" } });
  });
});

function identityOf({ suite, workload, name, quantity, source, role, decides, reason }: Omission): Omission {
  return { suite, workload, name, quantity, source, role, decides, reason };
}
