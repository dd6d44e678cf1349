/**
 * Finds lifetime bugs in the devices of a program: independent of any conversion, and for both forms of regions.
 *
 * Each concrete class that derives from a QOM object is walked through its life by the flow engine (`../flow`), with its
 * base classes, helpers and callbacks; `watch.ts` follows its regions on the way.
 */
import { dirname } from "node:path";
import { type Project, type SourceFile, ts } from "ts-morph";
import { accessOf, FlowProgram, flow, strip } from "../flow/index.ts";
import type { Workspace } from "../source/workspace.ts";
import { Callers } from "./callers.ts";
import { checkLife } from "./ending.ts";
import { Findings, type LifetimeFinding } from "./finding.ts";
import { Rule } from "./rules.ts";
import { madeBy, type TargetKind } from "./targets.ts";
import { Watch } from "./watch.ts";

/**
 * All lifetime bugs in the target files of a workspace, in the order of files and lines. `sources` are further files of the
 * program, in which bases, subclasses and callers are looked up.
 */
export function auditLifetimes(
  { project, targets }: Workspace,
  sources: readonly SourceFile[] = targets,
): LifetimeFinding[] {
  const program = flowProgramOf(project, targets, sources);
  const files = [...new Set([...targets, ...sources])].map(({ compilerNode }) => compilerNode);
  return new LifetimeAudit(program, files).findingsIn(targets.map(({ compilerNode }) => compilerNode));
}

/** The audit of one program, of which files can be asked for one by one. */
export class LifetimeAudit {
  private readonly program: FlowProgram;
  private readonly callers: Callers;

  /** `files` are all files of the program that may hold devices or call them. */
  constructor(program: FlowProgram, files: readonly ts.SourceFile[]) {
    this.program = program;
    this.callers = new Callers(program, files);
  }

  /** Lifetime bugs in some files, in the order of files and lines. */
  findingsIn(files: readonly ts.SourceFile[]): LifetimeFinding[] {
    const { program } = this;
    const named = new Set(files);
    const findings = new Findings();
    for (const file of named) checkAllocations(program, file, findings);
    for (const declaration of program.classes) {
      if (!isConcrete(program, declaration)) continue;
      const bases = program.frameworkBases(declaration);
      if (!bases.includes("QomObject") || bases.includes("MemoryRegion")) continue;
      const shape = program.shapeOf(declaration);
      if (!shape.chain.some((each) => named.has(each.getSourceFile()))) continue;
      const kind = { isDevice: bases.includes("Device"), isMachine: bases.includes("Machine") };
      const watch = new Watch(program, shape, kind, findings, this.callers);
      flow(program, declaration, watch, { enteredAfterwards: true, abandoned: true });
      checkLife(watch);
    }
    const paths = new Set(files.map(({ fileName }) => fileName));
    return findings.sorted().filter(({ file }) => paths.has(file));
  }
}

/** The program of a workspace; the components of the object model are its framework. */
export function flowProgramOf(
  project: Project,
  targets: readonly SourceFile[],
  sources: readonly SourceFile[] = targets,
): FlowProgram {
  const from = targets[0]?.getFilePath();
  const isFramework = frameworkOf(project.getCompilerOptions(), project.getModuleResolutionHost(), from);
  const checker = project.getTypeChecker().compilerObject;
  const files = [...new Set([...targets, ...sources])].map(({ compilerNode }) => compilerNode);
  return new FlowProgram(checker, files, isFramework);
}

/** Which files belong to the object model, the memory core and the device core, as they resolve from the file `from`. */
export function frameworkOf(
  options: ts.CompilerOptions,
  host: ts.ModuleResolutionHost,
  from: string | undefined,
): (file: ts.SourceFile) => boolean {
  const rooms: string[] = [];
  if (from !== undefined)
    for (const room of ["qom", "memory", "qdev"])
      for (const name of [`#${room}`, `regionlab/${room}`]) {
        const { resolvedModule } = ts.resolveModuleName(
          name,
          from,
          options,
          host,
          undefined,
          undefined,
          ts.ModuleKind.ESNext,
        );
        if (resolvedModule !== undefined) rooms.push(`${dirname(resolvedModule.resolvedFileName)}/`);
      }
  return (file) =>
    file.fileName.includes("/node_modules/") || rooms.some((room) => file.fileName.startsWith(room));
}

/** Abstract classes are walked with each class that derives from them; without one, by themselves. */
function isConcrete(program: FlowProgram, declaration: ts.ClassLikeDeclaration): boolean {
  const isAbstract = ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Abstract;
  return !isAbstract || program.subclassesOf(declaration).length === 0;
}

/** Kinds of storage that no `new…` made. */
const byHand: ReadonlySet<TargetKind> = new Set(["allocated", "constructed", "created"]);

/** Storage of regions that is allocated by hand, wherever it is: in classes and in plain functions. */
function checkAllocations(program: FlowProgram, file: ts.SourceFile, findings: Findings): void {
  const freed = new Set<string>();
  const allocations: { node: ts.Node; name: string; kind: TargetKind }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && accessOf(strip(node.expression))?.name === "freeBlockOf") {
      const [region] = node.arguments;
      if (region !== undefined) freed.add(lastName(region));
    }
    const made = madeBy(program, node);
    if (made !== undefined && byHand.has(made.kind))
      allocations.push({ node, name: holderOf(node), kind: made.kind });
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const { node, name, kind } of allocations) {
    if (kind !== "constructed" && name !== "" && freed.has(name)) continue;
    const around = classNameAround(node);
    const rule = kind === "constructed" ? Rule.HandConstructed : Rule.HandAllocated;
    findings.add(rule, node, around === "" ? name || "region" : `${around}.${name || "region"}`);
  }
}

function lastName(node: ts.Expression): string {
  const bare = strip(node);
  return accessOf(bare)?.name ?? bare.getText();
}

function holderOf(node: ts.Node): string {
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent)) return parent.name.getText();
  if (ts.isBinaryExpression(parent) && parent.right === node) return lastName(parent.left);
  return "";
}

function classNameAround(node: ts.Node): string {
  for (let each: ts.Node | undefined = node; each !== undefined; each = each.parent)
    if (ts.isClassLike(each)) return each.name?.text ?? "(anonymous)";
  return "";
}
