/** Claims of a synthetic run: one of each verdict, and a prediction that failed. */
import type { ClaimCell, ClaimRow, ClaimScenario } from "../claims.ts";

export function syntheticClaims(): ClaimRow[] {
  return [
    claim("C1", { kind: "holds", text: "" }, [
      scenario("as claimed", [
        cell("embedded", "clean", true),
        cell("owned", "clean", true),
        cell("heap", "leak", true),
      ]),
    ]),
    claim("C2", { kind: "does not hold", text: "" }, [
      scenario("otherwise", [cell("embedded", "use after free + leak", false)]),
    ]),
    claim("C3", { kind: "depends", text: "the storage: holds for owned; not for embedded" }, [
      scenario("both", [
        cell("embedded", "abort", false),
        cell("owned", "harmless read", true),
        {
          ...cell("heap", "use after finalize", null),
          predicted: "clean",
          predictedFigures: { ends: "yes" },
        },
      ]),
    ]),
    {
      ...claim("C4", { kind: "not decidable here", text: "Decided in C." }, []),
      facts: [{ name: "lines", rule: "A rule [1.2].", predicted: 1, observed: 2, agrees: null }],
      inC: [{ name: "regions", value: "10 of 20" }],
    },
  ];
}

function claim(id: string, verdict: ClaimRow["verdict"], scenarios: readonly ClaimScenario[]): ClaimRow {
  return {
    id,
    claim: `Claim ${id} in a sentence.`,
    by: ["Somebody", "Somebody else"],
    context: "What was said.",
    verdict,
    scenarios,
    facts: [],
    inC: [],
    notes: ["A note."],
    command: `regionlab claims ${id}`,
  };
}

function scenario(name: string, cells: readonly ClaimCell[]): ClaimScenario {
  return { name, description: "Something happens.", rule: "A rule [3.1].", cells };
}

function cell(storage: ClaimCell["storage"], observed: string, agrees: boolean | null): ClaimCell {
  return {
    storage,
    policy: "owner",
    predicted: observed,
    observed,
    predictedFigures: {},
    figures: {},
    agrees,
  };
}
