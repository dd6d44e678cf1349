import { describe, expect, it } from "vitest";
import { failures } from "#results";
import { claims, NO_EVIDENCE } from "#workloads/claims";
import { answerClaims } from "../bench/claims.ts";
import { DeviceMixer } from "../codemods/mixed/devices.ts";

/** What they say is for readers, for those who write the code, or for the benchmarks. */
const UNDECIDED = ["C3", "C10", "C11", "C25"];

describe("every claim", () => {
  let mixer: DeviceMixer | undefined;
  const mixDevices = async () => (mixer ??= new DeviceMixer()); // reads the tree once for all claims

  it.each(claims(NO_EVIDENCE))(
    "$id is observed as it was predicted",
    async ({ id }) => {
      const [row] = await answerClaims(mixDevices, [id]);
      expect(row?.id).toBe(id);
      expect(row?.verdict.kind === "not decidable here").toBe(UNDECIDED.includes(id));
      expect(row === undefined ? [] : failures(row)).toEqual([]);
    },
    200_000,
  );
});
