import { describe, expect, it } from "vitest";
import { claimsOf, MEASURED_CLAIM } from "./measured-claim.ts";
import { type Metric, SUITES } from "./schema.ts";
import { base, figure, runOf } from "./testing/figures.ts";

const equal = SUITES.map((suite) => figure({ suite, workload: "w", name: `same in ${suite}` }, 0.05, 0.1));
const dear = figure({ suite: "boot", workload: "w", name: "dear", quantity: "count", margin: 0.2 }, 3, 0.1);
const open = figure({ suite: "boot", workload: "w", name: "wide" }, 0.1, 25);
const claims = base.claims.map((row, i) => (i === 0 ? { ...row, id: MEASURED_CLAIM } : row));
const verdictOf = (metrics: readonly Metric[], options = base.options) =>
  claimsOf(runOf(metrics, { claims, options }))[0]?.verdict;

describe("the claim that the benchmarks decide", () => {
  it.each([
    [equal, "holds", "All 3 headline questions are equal within their margins."],
    [
      [...equal, dear],
      "does not hold",
      "In 1 of 4 headline questions the forms differ by more than the margin: in \u201cw: dear\u201d owned takes more instructions than embedded.",
    ],
    [
      [...equal, open],
      "not decidable here",
      "No difference was found, but 1 of 4 headline questions is open.",
    ],
    [[dear, open], "not decidable here", "This run did not measure dispatch latency and heap retention."],
    [[], "not decidable here", "This run did not measure boot time, dispatch latency and heap retention."],
  ])("follows from the verdicts of the run", (metrics, kind, text) => {
    expect(verdictOf(metrics)).toEqual({ kind, text });
  });

  it("is not answered by a form against itself", () => {
    const options = { ...base.options, forms: { A: "owned", B: "owned" } } as const;
    expect(verdictOf(equal, options)?.text).toBe("This run compares a form with itself.");
  });

  it("leaves the other claims as they are", () => {
    expect(claimsOf(base)).toEqual(base.claims);
  });
});
