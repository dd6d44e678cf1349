import { describe, expect, it } from "vitest";
import { type ClaimRow, failures, isAsPredicted, kindOf } from "./claims.ts";
import { parseRun } from "./parse.ts";
import { CLAIM_FORMATS, renderClaims } from "./render-claims.ts";
import type { Run } from "./schema.ts";
import { serializeRun } from "./store.ts";
import { syntheticClaims } from "./testing/synthetic-claims.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const rows = syntheticClaims();
const at = (id: string) => rows.find((row) => row.id === id) as ClaimRow;
const parsed = (claims: unknown) =>
  parseRun(serializeRun({ ...syntheticRun(), claims: claims as readonly ClaimRow[] }), "run.json");

describe("claims of a stored run", () => {
  it("are read as they were written", () => {
    expect(parsed(rows).claims).toEqual(rows);
  });

  it("may be missing, as in runs that were stored before", () => {
    const { claims: _, ...before } = syntheticRun();
    expect(parseRun(serializeRun(before as Run), "run.json").claims).toEqual([]);
  });

  const changed = (change: (row: ClaimRow) => object) => [{ ...at("C1"), ...change(at("C1")) }];
  const withCell = (cell: object) =>
    changed(({ scenarios: [scenario] }) => ({
      scenarios: [{ ...scenario, cells: [{ ...scenario?.cells[0], ...cell }] }],
    }));

  it.each<[string, unknown, RegExp]>([
    [
      "a number that is not in the debate",
      changed(() => ({ id: "C28" })),
      /claims\[0\]\.id is "C28", expected C1 to C27/,
    ],
    ["the same claim twice", [at("C1"), at("C1")], /claims\[1\] .* an entry other than "C1"/],
    [
      "a verdict that its cells do not support",
      changed(() => ({ verdict: { kind: "does not hold", text: "" } })),
      /verdict\.kind is "does not hold", expected "holds", which follows/,
    ],
    [
      "an unknown outcome",
      withCell({ observed: "crash" }),
      /observed is "crash", expected "clean", or outcomes/,
    ],
    ["outcomes in the wrong order", withCell({ predicted: "leak + abort" }), /predicted is "leak \+ abort"/],
    ["an unknown policy", withCell({ policy: "none" }), /policy is "none", expected one of: owner/],
    ["figures that are a list", withCell({ figures: [] }), /figures is an array of 0, expected an object/],
  ])("are refused with %s", (_, claims, message) => {
    expect(() => parsed(claims)).toThrow(message);
  });
});

describe("predictions", () => {
  it("that failed are told, with combination and figures", () => {
    expect(rows.map(isAsPredicted)).toEqual([true, true, false, false]);
    expect(rows.flatMap(failures)).toEqual([
      "C3, both, heap with owner: predicted clean; ends: yes, observed use after finalize",
      "C4, lines: predicted 1, observed 2",
    ]);
  });

  it("do not decide the verdict", () => {
    expect(rows.map(kindOf)).toEqual(rows.map(({ verdict }) => verdict.kind));
  });
});

describe("renderings", () => {
  it.each(CLAIM_FORMATS)("as %s have every claim, its verdict and what failed", async (format) => {
    const text = (await renderClaims(rows.slice(1, 4), format, false)).replace(/\s+/g, " ");
    for (const { id, verdict } of rows.slice(1, 4)) {
      expect(text).toContain(id);
      expect(text).toContain(verdict.kind);
    }
    if (format !== "json") expect(text).toMatch(/PREDICTED: clean|predicted: clean/);
    expect(text).not.toContain("undefined");
  });

  it("as JSON are the rows", async () => {
    expect(JSON.parse(await renderClaims(rows, "json", false))).toEqual(rows);
  });

  it("escape what is not trusted", async () => {
    const row = { ...at("C1"), claim: "<img src=x> | `a`", notes: ["<b>"] };
    expect(await renderClaims([row], "html", false)).not.toMatch(/<img|<b>/);
    expect(await renderClaims([row], "markdown", false)).not.toMatch(/(?<!\\)<(img|b>)|(?<!\\)\| .?`a/);
  });
});
