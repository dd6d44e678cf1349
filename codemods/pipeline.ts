/**
 * The pipeline of a conversion. Each phase takes the data of the phases before it and returns its own; none of them
 * changes what an earlier one returned.
 *
 *     open       source/workspace.ts    parse the named sources
 *     find       passes/1-analyse.ts    the regions that they declare and create
 *     combine    passes/2-combine.ts    every use of those regions, in the whole package
 *     judge      passes/3-judge.ts      a verdict for every region
 *     plan       passes/4-plan*.ts      the new text of every file
 *     verify     given as `verify`      refuses classes whose new text does not hold
 *
 * A conversion of child objects has phases of its own to find and judge them, in `children/`.
 * `passes/5-apply.ts` writes a plan and `passes/6-report.ts` describes it.
 */
import type { SourceFile } from "ts-morph";
import { analyseChildren } from "./children/analyse.ts";
import { childRules } from "./children/judge.ts";
import { analyse } from "./passes/1-analyse.ts";
import { combine } from "./passes/2-combine.ts";
import { culpritOf, type JudgedDevice, judge, refuseDevice, regionRules } from "./passes/3-judge.ts";
import { type JudgedFile, type Plan, planFile, planUnits, type Unit } from "./passes/4-plan.ts";
import { Evidence } from "./passes/evidence.ts";
import { linkedGroups } from "./passes/links.ts";
import type { Direction, FileFacts, Refusal } from "./regions/facts.ts";
import type { Subject } from "./regions/makers.ts";
import { Reason } from "./regions/reasons.ts";
import { forgetPlainFlow } from "./source/plain-flow.ts";
import { openWorkspace, type Workspace, type WorkspaceOptions } from "./source/workspace.ts";

/** Sources after the phases that do not depend on the direction. */
export interface Program {
  readonly workspace: Workspace;
  readonly files: readonly FileFacts[];
  /** Every source that was searched for uses: the named ones first. */
  readonly sources: readonly SourceFile[];
  /** Paths of sources that were only searched, and could not be rewritten. */
  readonly notUtf8: readonly string[];
  readonly evidence: Evidence;
  readonly subject: Subject;
}

/**
 * Checks planned units before anything is written. Returns those that do not hold, each with the reason; their
 * classes are refused, and the remaining units are expected to hold together.
 */
export type Verify = (units: readonly Unit[], program: Program) => ReadonlyMap<Unit, Refusal>;

/** What checks a plan. */
export interface Verification {
  readonly verify?: Verify | undefined;
  /** Told the units of each file as soon as that file has been judged; most of them are verified as they are. */
  readonly foresee?: ((units: readonly Unit[], program: Program) => void) | undefined;
}

export interface PipelineOptions extends WorkspaceOptions, Verification {
  /** What is converted: memory regions, or child objects. Default `regions`. */
  readonly subject?: Subject | undefined;
}

/** Opens sources (absolute paths) and finds their regions. @throws CommandError if one cannot be read or parsed. */
export function readProgram(paths: readonly string[], options: PipelineOptions = {}): Program {
  const { subject = "regions" } = options;
  const workspace = openWorkspace(paths, options);
  const found = subject === "regions" ? analyse(workspace) : analyseChildren(workspace);
  const { files, sources, notUtf8, names } = combine(workspace, found, subject);
  const { project, targets } = workspace;
  forgetPlainFlow(
    project.getProgram().compilerObject,
    targets.map((file) => file.compilerNode),
  );
  const evidence = new Evidence(workspace, sources, names, subject);
  return { workspace, files, sources, notUtf8, evidence, subject };
}

/** The verdict on every region of those files of a program that `paths` names: a plan without edits. */
export function surveyProgram(program: Program, paths: readonly string[], direction: Direction): Plan {
  const files = filesAt(paths, program).map((facts) => judgeFile(facts, direction, program));
  const { subject, notUtf8 } = program;
  const judged = refuseLinked(files, direction);
  return { direction, subject, notUtf8, files: judged.map((file) => planFile(file, [], direction)) };
}

/** Plans the conversion of those files of a program that `paths` names. */
export function planProgram(
  program: Program,
  paths: readonly string[],
  direction: Direction,
  { verify = () => new Map(), foresee }: Verification = {},
): Plan {
  const files = filesAt(paths, program);
  const foreseen: Unit[] = [];
  const judgeNext = (facts: FileFacts): JudgedFile => {
    const file = judgeFile(facts, direction, program);
    if (foresee !== undefined) {
      const units = planUnits([file], direction);
      foresee(units, program);
      foreseen.push(...units);
    }
    return file;
  };
  const judged = refuseLinked(files.map(judgeNext), direction);
  const units = planUnits(judged, direction, foreseen);
  const failures = verify(units, program);
  const held = units.filter((unit) => !failures.has(unit));
  const verified = judged.map((file) => refuseFailed(file, failures));
  const byPath = unitsByPath(held);
  const unitsOf = ({ facts }: JudgedFile) => byPath.get(facts.file.getFilePath()) ?? [];
  return {
    direction,
    subject: program.subject,
    notUtf8: program.notUtf8,
    files: verified.map((file) => planFile(file, unitsOf(file), direction)),
  };
}

function filesAt(paths: readonly string[], { files }: Program): FileFacts[] {
  const wanted = new Set(paths);
  return files.filter(({ file }) => wanted.has(file.getFilePath()));
}

function unitsByPath(units: readonly Unit[]): Map<string, Unit[]> {
  const byPath = new Map<string, Unit[]>();
  for (const unit of units) {
    for (const path of unit.edits.keys()) {
      const known = byPath.get(path);
      if (known === undefined) byPath.set(path, [unit]);
      else known.push(unit);
    }
  }
  return byPath;
}

/** Plans the conversion of sources, given by absolute path. Throws like `readProgram`. */
export function planConversion(
  paths: readonly string[],
  direction: Direction,
  options: PipelineOptions = {},
): Plan {
  return planProgram(readProgram(paths, options), paths, direction, options);
}

/** Plans opposite conversions of two sets of sources, parsed and resolved together. Throws like `readProgram`. */
export function planBothWays(
  embedded: readonly string[],
  owned: readonly string[],
  options: PipelineOptions = {},
): { readonly toOwned: Plan; readonly toEmbedded: Plan } {
  const program = readProgram([...embedded, ...owned], options);
  return {
    toOwned: planProgram(program, embedded, "to-owned", options),
    toEmbedded: planProgram(program, owned, "to-embedded", options),
  };
}

function judgeFile(facts: FileFacts, direction: Direction, program: Program): JudgedFile {
  const { workspace, evidence, subject } = program;
  const { raw } = workspace;
  const rules = subject === "regions" ? regionRules : childRules;
  const text = raw.get(facts.file.getFilePath()) ?? facts.file.getFullText();
  const devices = facts.devices.map((device) => judge(device, direction, evidence, rules));
  return { facts, devices, text };
}

/** Refuses classes whose edits depend on those of a class that is refused. */
function refuseLinked(files: readonly JudgedFile[], direction: Direction): JudgedFile[] {
  const refused = new Map<JudgedDevice, JudgedDevice>();
  for (const group of linkedGroups(files.flatMap(({ devices }) => devices))) {
    const detail = group.map((each) => culpritOf(each, direction)).find((each) => each !== undefined);
    if (detail === undefined) continue;
    for (const each of group.filter(({ converts }) => converts)) {
      const refusal = { reason: Reason.ClassRefused, node: each.device.declaration, detail };
      refused.set(each, refuseDevice(each, refusal));
    }
  }
  return files.map((file) => ({ ...file, devices: file.devices.map((each) => refused.get(each) ?? each) }));
}

/** The file with the classes refused whose planned units do not hold. */
function refuseFailed(file: JudgedFile, failures: ReadonlyMap<Unit, Refusal>): JudgedFile {
  const devices = file.devices.map((device) => {
    const failed = [...failures].find(([unit]) => unit.devices.includes(device));
    return failed === undefined ? device : refuseDevice(device, failed[1]);
  });
  return { ...file, devices };
}
