/** The project's own devices do the same in both forms. */
import { expect, test } from "vitest";
import { planConversion } from "../pipeline.ts";
import { sourcesUnder } from "../source/discover.ts";
import { projectTrees } from "../sync.ts";
import type { Proof } from "./prover.ts";
import { provePlan } from "./report.ts";

/** Classes that need more than the prover gives them. The machine that they are part of is proved. */
const NOT_DRIVEN: readonly string[] = [];

const trees = projectTrees();

test.each([
  ["to-owned", trees.embedded],
  ["to-embedded", trees.owned],
] as const)("%s", async (direction, tree) => {
  const proofs = await provePlan(planConversion(sourcesUnder(tree), direction));
  const named = (wanted: Proof["verdict"]) =>
    proofs
      .filter(({ verdict }) => verdict === wanted)
      .map(({ className, notes }) => `${className}: ${notes[0]}`);
  expect(proofs.flatMap(({ differences }) => differences)).toEqual([]);
  expect(named("not driven").sort()).toEqual(NOT_DRIVEN);
  expect(proofs.find(({ className }) => className === "VirtMachine")?.verdict).toBe("equal");
});
