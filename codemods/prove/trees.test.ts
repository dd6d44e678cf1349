/** The project's own devices do the same in both forms. */
import { expect, test } from "vitest";
import { planConversion } from "../pipeline.ts";
import { sourcesUnder } from "../source/discover.ts";
import { projectTrees } from "../sync.ts";
import type { Proof } from "./prover.ts";
import { provePlan } from "./report.ts";

/**
 * Classes that need more than the prover gives them: a file of the host, which devices under proof must not open. The tests
 * of the device drive it in both trees.
 */
const NOT_DRIVEN: readonly string[] = [
  "FileMemory: plain life: plug throws QomError: a file-memory needs a file; give its property mem-path",
];

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

test.each(["embedded", "owned"] as const)("owned children, in the %s tree", async (form) => {
  const plan = planConversion(sourcesUnder(trees[form]), "to-owned", {
    subject: "children",
    searchPackage: false,
  });
  const proofs = await provePlan(plan);
  const found = proofs.flatMap(({ className, differences }) =>
    differences.map(({ life, step, what }) => `${className}: ${life}: ${step}: ${what}`),
  );
  expect(found).toEqual([]);
  expect(proofs.find(({ className }) => className === "SerialMm")?.verdict).toBe("equal");
});
