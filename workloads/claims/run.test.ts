import { describe, expect, it } from "vitest";
import {
  ALL_POLICIES,
  type Claim,
  combinationsOf,
  ENDS_WELL,
  isFine,
  outcomesText,
  predictionOf,
  type Scenario,
} from "./claim.ts";
import { claims, NO_EVIDENCE } from "./index.ts";
import { observe, runClaim } from "./run.ts";

const all = claims(NO_EVIDENCE);

const scenario: Scenario = {
  name: "planted",
  description: "",
  rule: "",
  predicted: ENDS_WELL,
  agrees: ({ storage }, seen) => (storage === "heap" ? null : isFine(seen)),
  run: (stage) => {
    stage.device((subject) => void subject.window()).remove();
    return undefined;
  },
};
const claim: Claim = { id: "C1", claim: "", by: [], context: "", scenarios: [scenario] };

describe("the list of claims", () => {
  it("has each of the debate's once, in order", () => {
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 27 }, (_, i) => `C${i + 1}`));
    expect(claims(NO_EVIDENCE, ["c7", "C15"]).map(({ id }) => id)).toEqual(["C7", "C15"]);
    expect(() => claims(NO_EVIDENCE, ["C28"])).toThrow(/there is no claim C28; give one of C1 to C27/);
  });

  it("predicts every combination, and names the rule's section", () => {
    for (const { id, scenarios, facts = [] } of all) {
      expect([id, scenarios.length + facts.length]).not.toEqual([id, id === "C12" ? -1 : 0]); // needs evidence
      for (const each of scenarios) {
        expect(each.rule).toMatch(/\[[\dI]+(\.\d+)?/);
        for (const combination of combinationsOf(each)) expect(predictionOf(each, combination)).not.toBe("");
      }
    }
  });
});

describe("outcomes", () => {
  it.each(all.flatMap(({ id, scenarios }) => scenarios.map((each) => [id, each.name, each] as const)))(
    "of %s, %s: do not depend on the order in which properties are released",
    (_, __, each) => {
      for (const combination of combinationsOf(each)) {
        for (const releaseSeed of [1, 2, 3])
          expect(outcomesText(observe(each, combination, releaseSeed).outcomes)).toBe(
            predictionOf(each, combination),
          );
      }
    },
  );
});

describe("the instrument", () => {
  it("runs each scenario in twelve combinations, or in fifteen", () => {
    expect(combinationsOf(scenario)).toHaveLength(12);
    expect(combinationsOf({ ...scenario, policies: ALL_POLICIES })).toHaveLength(15);
  });

  it("shows a prediction that fails next to what was observed", async () => {
    const wrong = { ...scenario, predicted: { ...ENDS_WELL, owned: "leak" }, figures: () => ({ n: 1 }) };
    const { scenarios } = await runClaim({ ...claim, scenarios: [wrong] });
    const cell = scenarios[0]?.cells.find(({ storage }) => storage === "owned");
    expect(cell).toMatchObject({
      predicted: "leak",
      observed: "clean",
      predictedFigures: { n: 1 },
      figures: {},
    });
  });

  it("finds what it is to find", () => {
    const seen = (run: Scenario["run"]) =>
      outcomesText(observe({ ...scenario, run }, { storage: "owned", policy: "owner" }).outcomes);
    expect(seen((stage) => void stage.model.heap.allocate("lost", 8))).toBe("leak");
    expect(
      seen((stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        device.remove();
        void window.size;
      }),
    ).toBe("use after free");
    expect(
      seen((stage) => {
        const device = stage.device((subject) => void subject.window());
        stage.map(device.region(0));
        stage.map(device.region(0));
      }),
    ).toBe("abort");
    expect(() =>
      seen(() => {
        throw new RangeError("a bug");
      }),
    ).toThrow(/a bug/);
  });
});

describe("verdicts follow from what was observed", () => {
  const verdict = async (agrees: Scenario["agrees"]) =>
    (await runClaim({ ...claim, scenarios: [{ ...scenario, agrees }] })).verdict;

  it("holds, does not hold, or cannot be decided", async () => {
    expect(await verdict(() => true)).toEqual({ kind: "holds", text: "" });
    expect(await verdict(() => false)).toEqual({ kind: "does not hold", text: "" });
    expect((await verdict(() => null)).kind).toBe("not decidable here");
  });

  it("depends on the axis that separates", async () => {
    expect(await verdict(({ storage }) => storage === "owned")).toEqual({
      kind: "depends",
      text: "the storage: holds for owned; not for embedded, heap",
    });
    expect((await verdict(({ policy }) => policy === "self")).text).toBe(
      "the references: holds for self; not for owner, owner-7.2, owner+unparent",
    );
    expect((await verdict(({ storage, policy }) => storage !== "owned" || policy !== "self")).text).toBe(
      "the scenario: “planted” not for owned with self",
    );
  });

  it("depends on the scenario", async () => {
    const never = { ...scenario, name: "never", agrees: () => false };
    const mixed = {
      ...scenario,
      name: "mixed",
      agrees: ({ storage }: { storage: string }) => storage === "owned",
    };
    const { text } = (await runClaim({ ...claim, scenarios: [scenario, never, mixed] })).verdict;
    expect(text).toBe(
      "the scenario: “planted” holds; “never” does not hold; “mixed” not for embedded, heap. " +
        "Asked of “planted”: embedded and owned. What else was observed is in its row.",
    );
  });
});
