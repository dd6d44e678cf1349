/**
 * Tries conversions of sources that exist only in memory: conversion as the command makes it, then a type check and a proof
 * of its own, which take nothing from the conversion but its texts.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Project } from "ts-morph";
import ts from "typescript";
import { runCodemodOn } from "../harness.ts";
import { type Proof, Prover, type ProverOptions } from "../prove/prover.ts";
import type { Direction } from "../regions/facts.ts";
import type { Subject } from "../regions/makers.ts";
import { newProject } from "../source/workspace.ts";
import { compilePlan } from "../verify/phase.ts";

/** Where the sources pretend to be: next to the project's own device trees, which import as they do. */
const HOME = join(dirname(fileURLToPath(import.meta.url)), "../../emulator/hw");

/** Sources of one trial, by name. */
export type Sources = Readonly<Record<string, string>>;

/** What the codemod did. */
export interface Conversion {
  readonly after: Sources;
  readonly changed: boolean;
  /** Reasons of refused regions, without those that only follow from another one. */
  readonly reasons: readonly string[];
  /** Message of an exception; null if there was none. */
  readonly crash: string | null;
}

export class Trials {
  private readonly project: Project = newProject();
  private readonly prover: Prover;
  private readonly subject: Subject;

  constructor({ subject = "regions", ...options }: ProverOptions & { readonly subject?: Subject } = {}) {
    this.prover = new Prover(options);
    this.subject = subject;
  }

  /**
   * Converts programs that have nothing to do with each other, together, which takes a fraction of the time. If the
   * codemod fails, each is tried again alone, so that the others have a result.
   */
  convert(programs: ReadonlyMap<string, Sources>, direction: Direction): Map<string, Conversion> {
    try {
      return this.convertTogether(programs, direction);
    } catch (error) {
      if (programs.size > 1)
        return new Map([...programs].flatMap((program) => [...this.convert(new Map([program]), direction)]));
      const crash = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      return new Map(
        [...programs].map(([name, after]) => [name, { after, changed: false, reasons: [], crash }]),
      );
    }
  }

  private convertTogether(
    programs: ReadonlyMap<string, Sources>,
    direction: Direction,
  ): Map<string, Conversion> {
    const directory = join(HOME, "trial");
    const files = [...programs].flatMap(([name, sources]) =>
      Object.entries(sources).map(([file, text]): [string, string] => [join(name, file), text]),
    );
    try {
      const { texts, sites } = runCodemodOn(Object.fromEntries(files), direction, {
        directory,
        project: this.project,
        verify: compilePlan,
        subject: this.subject,
      });
      return new Map(
        [...programs].map(([name, sources]) => {
          const after = Object.fromEntries(
            Object.entries(sources).map(([file, text]) => [file, texts.get(join(name, file)) ?? text]),
          );
          const reasons = sites
            .filter(({ file }) => relative(directory, file).startsWith(`${name}/`))
            .flatMap(({ reason }) => (reason === undefined || reason === "class-refused" ? [] : [reason]));
          const changed = Object.entries(sources).some(([file, text]) => after[file] !== text);
          return [name, { after, changed, reasons: [...new Set(reasons)].sort(), crash: null }];
        }),
      );
    } finally {
      for (const file of this.project.getSourceFiles()) {
        if (file.getFilePath().startsWith(directory)) this.project.removeSourceFile(file);
      }
    }
  }

  /** Proves one conversion; `board` has more sources, which the conversion leaves alone. */
  prove(name: string, before: Sources, after: Sources, board: Sources = {}): Promise<Proof[]> {
    const at = (sources: Sources) =>
      new Map(
        Object.entries({ ...sources, ...board }).map(([file, text]) => [
          join(HOME, "trial", name, file),
          text,
        ]),
      );
    return this.prover.prove({ before: at(before), after: at(after) });
  }

  close(): Promise<void> {
    return this.prover.close();
  }
}

/**
 * Compiler messages that each program has after its conversion and did not have before, by the program's name. All
 * programs are checked together.
 */
export function newMessages(
  programs: ReadonlyMap<string, { readonly before: Sources; readonly after: Sources }>,
): Map<string, string[]> {
  const texts = new Map<string, string>();
  for (const [name, program] of programs) {
    for (const form of ["before", "after"] as const) {
      for (const [file, text] of Object.entries(program[form])) texts.set(pathOf(name, form, file), text);
    }
  }
  const messages = messagesOf(texts);
  return new Map(
    [...programs].map(([name, { before, after }]) => {
      const of = (form: "before" | "after", sources: Sources) =>
        Object.keys(sources).flatMap((file) =>
          (messages.get(pathOf(name, form, file)) ?? []).map((message) => `${file}: ${message}`),
        );
      const old = of("before", before);
      return [name, of("after", after).filter((message) => !old.includes(message))];
    }),
  );
}

/** Compiler messages of files that do not import each other, each with the file's name. */
export function messagesOfAll(sources: Sources): string[] {
  const texts = new Map(Object.entries(sources).map(([file, text]) => [pathOf("all", "before", file), text]));
  const messages = messagesOf(texts);
  return Object.keys(sources).flatMap((file) =>
    (messages.get(pathOf("all", "before", file)) ?? []).map((message) => `${file}: ${message}`),
  );
}

function pathOf(name: string, form: "before" | "after", file: string): string {
  return join(HOME, `trial-${form}`, name, file);
}

/** Parsed library and component files, which do not change while tests run. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Messages by path, with the compiler itself, so that nothing of the codemods can hide one. */
function messagesOf(texts: ReadonlyMap<string, string>): Map<string, string[]> {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ["source"],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
    noUnusedLocals: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: false, // several sources fall through on purpose
    exactOptionalPropertyTypes: true,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
  };
  const host = ts.createCompilerHost(options, true);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  const directories = new Set([...texts.keys()].map(dirname));
  const { directoryExists } = host;
  host.directoryExists = (path) => directories.has(path) || directoryExists?.(path) === true;
  host.getSourceFile = (path, language, ...more) => {
    const text = texts.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, language, true);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, language, ...more));
    return parsed.get(path);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const [fault] = program.getGlobalDiagnostics(); // without its library the compiler would find nothing
  if (fault !== undefined) throw new Error(ts.flattenDiagnosticMessageText(fault.messageText, " "));
  return new Map(
    [...texts.keys()].map((path) => {
      const file = program.getSourceFile(path);
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [
        path,
        found.map(
          ({ code, messageText }) => `TS${code} ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
        ),
      ];
    }),
  );
}
