/** Type-checks files as they would be after a conversion, and as they are. */
import { dirname } from "node:path";
import { Project, ts } from "ts-morph";
import type { Configuration } from "../source/compiler-options.ts";
import { forgetPlainFlow } from "../source/plain-flow.ts";
import type { Foresight } from "./foresight.ts";
import type { SecondThread } from "./second-thread.ts";

/** A message of the compiler about one place. */
export interface Diagnostic {
  readonly path: string;
  readonly code: number;
  readonly message: string;
  /** Offset in the text that was checked. */
  readonly start: number;
  /** True if the text does not parse. */
  readonly syntactic: boolean;
}

/** What the compiler found in some files, and the files that it read for that, without those of its library. */
export interface Checked {
  readonly found: readonly Diagnostic[];
  readonly files: readonly string[];
}

/** Versions of a file that are kept parsed: as it is, and as planned. */
const versionsKept = 2;
/** Characters of source text that are checked at a time. */
const batchSize = 500_000;

/** What shares the work if there is much. */
export interface Helpers {
  readonly second?: SecondThread | undefined;
  readonly foresight?: Foresight | undefined;
}

/**
 * Compiles texts under one configuration, again and again: files that have the same text as before are not parsed
 * again, whichever version of the program they were parsed for.
 */
export class Compiler {
  private readonly host: ts.CompilerHost;
  private readonly parsed = new Map<string, readonly ts.SourceFile[]>();
  private texts: ReadonlyMap<string, string> = new Map();
  private program: ts.Program | undefined;
  private readonly configuration: Configuration;
  private readonly files: TextSource;

  private readonly helpers: Helpers;

  constructor(configuration: Configuration, files: TextSource, helpers: Helpers = {}) {
    this.configuration = configuration;
    this.files = files;
    this.helpers = helpers;
    this.host = this.createHost();
  }

  /** Errors in the files `check` of a program in which `texts` replace the texts on disk. */
  diagnose(check: readonly string[], texts: ReadonlyMap<string, string>): readonly Diagnostic[] {
    this.texts = texts;
    const { configuration } = this;
    const { second, foresight } = this.helpers;
    const part = (paths: readonly string[]) => this.check(paths, texts).found;
    const known = foresight?.take(configuration, new Set(check), texts, part);
    const rest = known === undefined ? check : check.filter((path) => !known.has(path));
    const batches = batchesOf(rest, (path) => this.textOf(path));
    const [batch, another] = batches;
    if (batch !== undefined && another === undefined && rest === check) return this.diagnoseBatch(batch);
    const found = (second?.share(configuration, batches, texts, part) ?? batches.map(part)).flat();
    return known === undefined ? found : inOrderOf(check, [...[...known.values()].flat(), ...found]);
  }

  /** The same for some of many files, which are parsed again if they are asked for again. */
  check(paths: readonly string[], texts: ReadonlyMap<string, string>): Checked {
    this.texts = texts;
    const found = this.diagnoseBatch(paths);
    for (const path of paths) this.parsed.delete(path);
    const files = this.program?.getSourceFiles().map(({ fileName }) => fileName) ?? [];
    return { found, files: files.filter((path) => !isLibrary(path)) };
  }

  /** The program of the files that were checked last. */
  get latest(): ts.Program | undefined {
    return this.program;
  }

  private textOf(path: string): string | undefined {
    return this.texts.get(path) ?? this.files.read(path);
  }

  private diagnoseBatch(check: readonly string[]): Diagnostic[] {
    const { options, files } = this.configuration;
    const ambient = [...files].filter((path) => /\.d\.[cm]?ts$/.test(path));
    this.program = ts.createProgram({
      rootNames: [...check, ...ambient],
      options,
      host: this.host,
      ...(this.program === undefined ? {} : { oldProgram: this.program }),
    });
    const { program } = this;
    const sources = check.map((path) => program.getSourceFile(path));
    forgetPlainFlow(program, sources);
    return check.flatMap((path, index) => {
      const file = sources[index];
      if (file === undefined) return [];
      const syntactic = program.getSyntacticDiagnostics(file);
      if (syntactic.length > 0) return syntactic.map((each) => diagnosticOf(path, each, true));
      const declares = this.configuration.options.declaration === true;
      return [
        ...program.getSemanticDiagnostics(file),
        ...(declares ? program.getDeclarationDiagnostics(file) : []),
      ]
        .filter(({ category }) => category === ts.DiagnosticCategory.Error)
        .map((each) => diagnosticOf(path, each, false));
    });
  }

  private createHost(): ts.CompilerHost {
    const { files } = this;
    const currentDirectory = this.configuration.path && dirname(this.configuration.path);
    return {
      getSourceFile: (name, options) => this.parse(name, options),
      getDefaultLibFileName: (options) => `${libraryDirectory}/${ts.getDefaultLibFileName(options)}`,
      getDefaultLibLocation: () => libraryDirectory,
      getCurrentDirectory: () => currentDirectory ?? process.cwd(),
      getCanonicalFileName: (name) => (ts.sys.useCaseSensitiveFileNames ? name : name.toLowerCase()),
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
      getNewLine: () => "\n",
      fileExists: (name) => files.exists(name),
      readFile: (name) => this.textOf(name),
      directoryExists: (name) => files.directoryExists(name),
      getDirectories: (name) => ts.sys.getDirectories(name),
      realpath: (name) => files.realpath(name),
      writeFile: () => {},
      jsDocParsingMode: ts.JSDocParsingMode.ParseForTypeErrors,
    };
  }

  private parse(
    name: string,
    options: ts.ScriptTarget | ts.CreateSourceFileOptions,
  ): ts.SourceFile | undefined {
    const library = this.files.parsedLibrary(name);
    if (library !== undefined) return library;
    const text = this.textOf(name);
    if (text === undefined) return undefined;
    const versions = this.parsed.get(name) ?? [];
    const known = versions.find((version) => version.text === text);
    if (known !== undefined) return known;
    const file = ts.createSourceFile(name, text, options);
    this.parsed.set(name, [file, ...versions].slice(0, versionsKept));
    return file;
  }
}

function inOrderOf(paths: readonly string[], found: readonly Diagnostic[]): Diagnostic[] {
  const byPath = new Map<string, Diagnostic[]>(paths.map((path) => [path, []]));
  for (const each of found) byPath.get(each.path)?.push(each);
  return [...byPath.values()].flat();
}

/** Many files are checked some at a time, so that the types of all of them are not in memory at once. */
function batchesOf(paths: readonly string[], textOf: (path: string) => string | undefined): string[][] {
  const batches: string[][] = [];
  let room = 0;
  for (const path of paths) {
    const size = textOf(path)?.length ?? 0;
    const batch = batches.at(-1);
    if (batch === undefined || size > room) {
      batches.push([path]);
      room = batchSize - size;
    } else {
      batch.push(path);
      room -= size;
    }
  }
  return batches;
}

function diagnosticOf(path: string, diagnostic: ts.Diagnostic, syntactic: boolean): Diagnostic {
  const { code, messageText, start = 0 } = diagnostic;
  return { path, code, message: ts.flattenDiagnosticMessageText(messageText, " "), start, syntactic };
}

/** Where ts-morph keeps the declarations of the ECMAScript library, which it carries in memory. */
const libraryDirectory = "/node_modules/typescript/lib";

/** Parsed files of the library, by path. They can be used again, as declarations do not depend on the options. */
export type Library = ReadonlyMap<string, ts.SourceFile>;

/** The library as a program has read it. */
export function libraryOf(program: ts.Program | undefined): Library {
  const files = program?.getSourceFiles() ?? [];
  return new Map(files.filter(({ fileName }) => isLibrary(fileName)).map((file) => [file.fileName, file]));
}

/** The texts that replace those on disk, the texts on disk, and those of the library; each is looked up once. */
export class TextSource {
  private readonly library = new Project({ skipAddingFilesFromTsConfig: true }).getModuleResolutionHost();
  private readonly texts: Map<string, string | undefined>;
  private readonly directories = new Map<string, boolean>();
  private readonly parsed: Library;

  constructor(overlay: ReadonlyMap<string, string>, parsed: Library = new Map()) {
    this.parsed = parsed;
    this.texts = new Map(overlay);
    for (const path of overlay.keys()) {
      for (let each = dirname(path); !this.directories.has(each); each = dirname(each)) {
        this.directories.set(each, true);
      }
    }
  }

  read(path: string): string | undefined {
    if (!this.texts.has(path)) {
      this.texts.set(path, isLibrary(path) ? this.library.readFile(path) : ts.sys.readFile(path));
    }
    return this.texts.get(path);
  }

  parsedLibrary(path: string): ts.SourceFile | undefined {
    return this.parsed.get(path);
  }

  exists(path: string): boolean {
    if (isLibrary(path)) return this.library.fileExists(path);
    return this.texts.get(path) !== undefined || ts.sys.fileExists(path);
  }

  directoryExists(path: string): boolean {
    const known = this.directories.get(path);
    if (known !== undefined) return known;
    const exists = ts.sys.directoryExists(path);
    this.directories.set(path, exists);
    return exists;
  }

  realpath(path: string): string {
    return ts.sys.realpath?.(path) ?? path;
  }
}

function isLibrary(path: string): boolean {
  return path.startsWith(`${libraryDirectory}/`);
}
