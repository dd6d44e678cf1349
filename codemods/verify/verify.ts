/**
 * The last phase before anything is written: compiles the program as planned, and refuses what does not compile.
 *
 * A plan is given as units, which are accepted or refused as a whole: usually all edits of one class. The planned files and
 * those that import them are parsed and type-checked with the compiler options of their own tsconfig.json. A diagnostic
 * that the program did not have before refuses the units that caused it, and the rest of the plan is checked again.
 */
import type { ts } from "ts-morph";
import { type Configuration, Configurations } from "../source/compiler-options.ts";
import { applyEdits, editsByPath, OffsetMap, type TextEdit } from "../source/edits.ts";
import { blame } from "./blame.ts";
import { Compiler, type Diagnostic, type Library, TextSource } from "./compiler.ts";
import type { Foresight } from "./foresight.ts";
import { ImportGraph } from "./importers.ts";
import type { SecondThread } from "./second-thread.ts";

/** Edits that are made together or not at all. */
export interface Unit {
  /** By absolute path of the file; offsets are in the text of that file as given to `verify`. */
  readonly edits: ReadonlyMap<string, readonly TextEdit[]>;
}

/** A diagnostic that the conversion causes, at its place in the text before the conversion. */
export interface CompilerProblem {
  readonly path: string;
  readonly offset: number;
  readonly code: number;
  readonly message: string;
}

export interface VerifyOptions {
  /** Compiler options for files without a tsconfig.json. */
  readonly fallback?: ts.CompilerOptions;
  /** Files that need not be parsed again. */
  readonly library?: Library;
  /** Compiles some of the files if there are many. */
  readonly second?: SecondThread | undefined;
  /** What is compiled already. */
  readonly foresight?: Foresight | undefined;
  /** Files to check besides the planned ones and those that import them. */
  readonly others?: readonly string[];
}

/**
 * Compiles a plan. `texts` has the text of every file that a unit edits, and may have those of others. Returns the refused units, each with the
 * first problem that it causes; the plan without them compiles as well as the program did before.
 */
export function verify<U extends Unit>(
  units: readonly U[],
  texts: ReadonlyMap<string, string>,
  options: VerifyOptions = {},
): ReadonlyMap<U, CompilerProblem> {
  const refused = new Map<U, CompilerProblem>();
  const program = new CheckedProgram<U>(texts, options);
  let accepted = units.filter(({ edits }) => [...edits.values()].some((each) => each.length > 0));
  let touched: readonly Unit[] = accepted;
  while (touched.length > 0 && accepted.length > 0) {
    const problems = program.newProblems(accepted, program.affectedBy(touched));
    const found = culprits(problems, accepted, program);
    const [unexplained] = problems;
    if (found.size === 0 && unexplained !== undefined) {
      for (const unit of accepted) found.set(unit, unexplained);
    }
    for (const [unit, problem] of found) refused.set(unit, problem);
    accepted = accepted.filter((unit) => !found.has(unit));
    touched = [...found.keys()];
  }
  return refused;
}

/** The units that cause the problems: at least one for each, unless there are none. */
function culprits<U extends Unit>(
  problems: readonly PlannedProblem[],
  accepted: readonly U[],
  program: CheckedProgram<U>,
): Map<U, CompilerProblem> {
  const found = new Map<U, CompilerProblem>();
  const guesses = new Map(problems.map((problem) => [problem, guess(problem, accepted)]));
  const guessed = new Set([...guesses.values()].flatMap((unit) => unit ?? []));
  const remaining = new Set(
    program
      .newProblems(
        accepted.filter((unit) => !guessed.has(unit)),
        pathsOf(problems),
      )
      .map(keyOf),
  );
  for (const [problem, unit] of guesses) {
    if (unit !== undefined && !remaining.has(keyOf(problem))) found.set(unit, found.get(unit) ?? problem);
  }
  for (const problem of problems) {
    if (!remaining.has(keyOf(problem))) continue;
    const without = (reverted: ReadonlySet<U>) =>
      !program
        .newProblems(
          accepted.filter((unit) => !reverted.has(unit)),
          [problem.path],
        )
        .some((each) => keyOf(each) === keyOf(problem));
    if (without(new Set(found.keys()))) continue;
    for (const unit of blame(accepted, new Set(found.keys()), without)) found.set(unit, problem);
  }
  return found;
}

/** The unit in whose edits, or between whose edits, the problem is. */
function guess<U extends Unit>({ path, offset, edit, syntactic }: PlannedProblem, units: readonly U[]) {
  const here = units.filter(({ edits }) => edits.get(path)?.length);
  const writer = here.find(({ edits }) => edit !== undefined && edits.get(path)?.includes(edit));
  if (writer !== undefined) return writer;
  const extents = here.map((unit) => {
    const edits = unit.edits.get(path) ?? [];
    const start = edits.reduce((least, each) => Math.min(least, each.start), Number.POSITIVE_INFINITY);
    const end = edits.reduce((most, each) => Math.max(most, each.end), 0);
    return { unit, start, end };
  });
  const around = extents
    .filter(({ start, end }) => offset >= start && offset <= end)
    .sort((a, b) => a.end - a.start - (b.end - b.start));
  if (around[0] !== undefined || !syntactic) return around[0]?.unit;
  // A parser notices what is wrong only after the fact.
  return extents.filter(({ start }) => start <= offset).sort((a, b) => b.start - a.start)[0]?.unit;
}

/** A new problem, with the edit that wrote the text at its place. */
interface PlannedProblem extends CompilerProblem {
  readonly edit: TextEdit | undefined;
  readonly syntactic: boolean;
}

/**
 * The problems that are not there before. One that is has the same code and place. Its message may be another, because
 * messages show types; but a second one of the same kind in the same place is new.
 */
function withoutOld(
  problems: readonly PlannedProblem[],
  before: (path: string) => readonly Diagnostic[],
): PlannedProblem[] {
  const byPlace = new Map<string, PlannedProblem[]>();
  for (const problem of problems) {
    const place = JSON.stringify([problem.path, problem.code, problem.offset, problem.edit?.end]);
    byPlace.set(place, [...(byPlace.get(place) ?? []), problem]);
  }
  return [...byPlace.values()].flatMap((here) => {
    const [{ path, code, offset, edit } = { path: "", code: 0, offset: 0, edit: undefined }] = here;
    const old = before(path).filter((each) => {
      return each.code === code && each.start >= offset && each.start <= (edit?.end ?? offset);
    });
    const unknown = here.filter(({ message }) => !old.some((each) => each.message === message));
    return unknown.slice(Math.max(0, old.length - (here.length - unknown.length)));
  });
}

function keyOf({ path, code, message, offset }: CompilerProblem): string {
  return JSON.stringify([path, code, message, offset]);
}

function pathsOf(problems: readonly CompilerProblem[]): string[] {
  return [...new Set(problems.map(({ path }) => path))];
}

/** Files of one configuration that the plan may affect. */
interface Group {
  readonly compiler: Compiler;
  readonly imports: ImportGraph;
}

/** The program with any selection of the units applied. */
class CheckedProgram<U extends Unit> {
  private readonly texts: ReadonlyMap<string, string>;
  private readonly options: VerifyOptions;
  private readonly files: TextSource;
  private readonly configurations: Configurations;
  private readonly groups = new Map<Configuration, Group>();
  private readonly before = new Map<string, readonly Diagnostic[]>();

  constructor(texts: ReadonlyMap<string, string>, options: VerifyOptions) {
    this.texts = texts;
    this.options = options;
    this.files = new TextSource(texts, options.library);
    this.configurations = new Configurations(options.fallback);
  }

  /** The files whose diagnostics may change if these units are applied, or no longer applied. */
  affectedBy(units: readonly Unit[]): string[] {
    const changed = new Set(units.flatMap(({ edits }) => [...edits.keys()]));
    const affected = new Set([...changed, ...(this.options.others ?? [])]);
    for (const path of changed) this.groupOf(path);
    for (const { imports } of this.groups.values()) {
      for (const importer of imports.importersOf(changed)) affected.add(importer);
    }
    return [...affected];
  }

  /** Diagnostics of files with the units applied that they do not have without any. */
  newProblems(units: readonly U[], paths: readonly string[]): PlannedProblem[] {
    const planned = new Map(this.texts);
    const maps = new Map<string, OffsetMap>();
    for (const [path, edits] of editsByPath(units)) {
      planned.set(path, applyEdits(this.texts.get(path) ?? "", edits));
      maps.set(path, new OffsetMap(edits));
    }
    const found = this.diagnose(paths, planned);
    this.diagnoseBefore(new Set(found.map(({ path }) => path)));
    const problems = found.map((diagnostic): PlannedProblem => {
      const { path, code, message, start, syntactic } = diagnostic;
      const { offset, edit } = maps.get(path)?.toOriginal(start) ?? { offset: start, edit: undefined };
      return { path, code, message, offset, edit, syntactic };
    });
    return withoutOld(problems, (path) => this.before.get(path) ?? []);
  }

  private diagnoseBefore(paths: ReadonlySet<string>): void {
    const missing = [...paths].filter((path) => !this.before.has(path));
    if (missing.length === 0) return;
    const found = this.diagnose(missing, this.texts);
    for (const path of missing) {
      this.before.set(
        path,
        found.filter((diagnostic) => diagnostic.path === path),
      );
    }
  }

  private diagnose(paths: readonly string[], texts: ReadonlyMap<string, string>): Diagnostic[] {
    const byGroup = new Map<Group, string[]>();
    for (const path of paths) {
      const group = this.groupOf(path);
      const known = byGroup.get(group);
      if (known === undefined) byGroup.set(group, [path]);
      else known.push(path);
    }
    return [...byGroup].flatMap(([{ compiler }, files]) => compiler.diagnose(files, texts));
  }

  private groupOf(path: string): Group {
    const configuration = this.configurations.forFile(path);
    const known = this.groups.get(configuration);
    if (known !== undefined) return known;
    const group = {
      compiler: new Compiler(configuration, this.files, this.options),
      imports: new ImportGraph(configuration, this.files, [...this.texts.keys()]),
    };
    this.groups.set(configuration, group);
    return group;
  }
}
