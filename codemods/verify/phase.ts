/** The verify phase of the pipeline: classes whose conversion does not compile are refused with the diagnostic. */
import type { Unit } from "../passes/4-plan.ts";
import type { Program, Verify } from "../pipeline.ts";
import type { Refusal } from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { shown } from "../source/workspace.ts";
import { type Helpers, libraryOf } from "./compiler.ts";
import { type CompilerProblem, verify } from "./verify.ts";

/** The phase for a plan. */
export function compilePlan(
  units: readonly Unit[],
  program: Program,
  helpers: Helpers = {},
): ReturnType<Verify> {
  const { workspace, sources } = program;
  const targets = new Set(workspace.targets.map((file) => file.getFilePath()));
  const others = filesWithUses(units);
  const edited = new Set(units.flatMap(({ edits }) => [...edits.keys()]));
  const texts = new Map(
    sources
      .filter((file) => targets.has(file.getFilePath()) || edited.has(file.getFilePath()))
      .map((file) => [file.getFilePath(), file.getFullText()]),
  );
  const problems = verify(units, texts, {
    fallback: workspace.project.getCompilerOptions(),
    library: libraryOf(workspace.project.getProgram().compilerObject),
    others,
    ...helpers,
  });
  return new Map([...problems].map(([unit, problem]) => [unit, refusalOf(unit, problem, program)]));
}

/** Files that use a region of the classes: the type of an object can reach them without an import of its class. */
function filesWithUses(units: readonly Unit[]): string[] {
  const fields = units.flatMap(({ devices }) => devices.flatMap((device) => [...device.fields.keys()]));
  return [
    ...new Set(fields.flatMap(({ uses }) => uses.map(({ node }) => node.getSourceFile().getFilePath()))),
  ];
}

/** The refusal points to the place in the class that the compiler complains about, or else to the class. */
function refusalOf(unit: Unit, problem: CompilerProblem, { sources }: Program): Refusal {
  const { path, offset, code, message } = problem;
  const file = sources.find((each) => each.getFilePath() === path);
  const declarations = unit.devices.map(({ device }) => device.declaration);
  const around = declarations.find(
    (each) => each.getSourceFile() === file && offset >= each.getStart() && offset <= each.getEnd(),
  );
  const at = around && file?.getDescendantAtPos(offset);
  const node = at ?? declarations[0];
  if (node === undefined) throw new Error(`${path}: a unit without a class`);
  const place = at === undefined ? `${shown(path)}: ` : "";
  return { reason: Reason.WouldNotCompile, node, detail: `${place}TS${code}: ${message}` };
}
