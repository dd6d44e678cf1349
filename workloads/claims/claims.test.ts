import { describe, expect, it } from "vitest";
import { claims, disagreements, runClaim } from "#workloads/claims";

const evidence = {
  codeSize: [{ embedded: { regionFields: 3, lines: 100 }, owned: { regionFields: 1, lines: 98 } }],
  fieldReads: [{ embedded: 0, owned: 0 }],
};

describe("every claim", () => {
  it.each(claims(evidence))("$id is observed as it was predicted", async (claim) => {
    expect(disagreements(await runClaim(claim))).toEqual([]);
  });
});
