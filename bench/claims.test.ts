import { describe, expect, it } from "vitest";
import { failures } from "#results";
import { claims } from "#workloads/claims";
import { answerClaims } from "./claims.ts";

describe("every claim", () => {
  const all = claims({ codeSize: () => [], fieldReads: async () => [] });

  it.each(all)("$id is observed as it was predicted", async ({ id }) => {
    const [row] = await answerClaims([id]);
    expect(row?.id).toBe(id);
    expect(row === undefined ? [] : failures(row)).toEqual([]);
  });
});
