/**
 * The compiler options under which a source is type-checked: those of the tsconfig.json that its author checks it with.
 *
 * A file may be in several configurations. It belongs to the first that has it among its files: the nearest
 * tsconfig.json above it, the ones that this refers to (`references`), then those farther up. If none has it, the
 * nearest one's options apply; without any tsconfig.json, the defaults do.
 */
import { dirname, join, resolve } from "node:path";
import { ts } from "ts-morph";
import type { NamedFile } from "#host";

export interface Configuration {
  /** Path of the tsconfig; undefined for the defaults. */
  readonly path: string | undefined;
  readonly options: ts.CompilerOptions;
  /** The files of the configuration, which may import the ones to be converted. */
  readonly files: ReadonlySet<string>;
  readonly references: readonly string[];
}

/** Options for sources without a tsconfig.json: strict, and modules as Node resolves them. */
export const defaultOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ["source"],
  lib: ["lib.es2023.d.ts"],
  types: [],
  strict: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
};

/** Options that say what a compilation writes. Nothing is written here, and some of them only allow whole programs. */
const withoutOutput: ts.CompilerOptions = {
  noEmit: true,
  incremental: false,
  composite: false,
  skipLibCheck: true,
};

/** The configurations that sources (absolute paths) are checked with, and what they extend or refer to. */
export function configurationsRead(sources: readonly string[]): NamedFile[] {
  const configurations = new Configurations();
  for (const source of sources) configurations.forFile(source);
  return [...configurations.filesRead].map((path) => ({ option: "the configuration", path }));
}

/** Finds configurations, each read once. */
export class Configurations {
  private readonly byPath = new Map<string, Configuration | undefined>();
  private readonly byDirectory = new Map<string, readonly string[]>();
  private readonly fallback: Configuration;
  /** Paths of the configurations that were read, with those that they extend. */
  readonly filesRead = new Set<string>();

  /** `fallbackOptions` apply to files without a tsconfig.json. */
  constructor(fallbackOptions: ts.CompilerOptions = defaultOptions) {
    this.fallback = { path: undefined, options: fallbackOptions, files: new Set(), references: [] };
  }

  /** The configuration that a file, given by absolute path, belongs to. */
  forFile(path: string): Configuration {
    const candidates = this.above(dirname(path));
    for (const candidate of candidates) {
      const owner = this.ownerOf(path, candidate, new Set());
      if (owner !== undefined) return owner;
    }
    const [nearest] = candidates.flatMap((candidate) => this.read(candidate) ?? []);
    return nearest ?? this.fallback;
  }

  /** Every tsconfig.json above a directory, nearest first. */
  private above(directory: string): readonly string[] {
    const known = this.byDirectory.get(directory);
    if (known !== undefined) return known;
    const path = join(directory, "tsconfig.json");
    const parent = dirname(directory);
    const farther = parent === directory ? [] : this.above(parent);
    const found = ts.sys.fileExists(path) ? [path, ...farther] : farther;
    this.byDirectory.set(directory, found);
    return found;
  }

  private ownerOf(file: string, config: string, visited: Set<string>): Configuration | undefined {
    if (visited.has(config)) return undefined;
    visited.add(config);
    const configuration = this.read(config);
    if (configuration === undefined || configuration.files.has(file)) return configuration;
    for (const reference of configuration.references) {
      const owner = this.ownerOf(file, reference, visited);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  /** Reads a tsconfig with everything that it extends; undefined if it cannot be read. */
  private read(path: string): Configuration | undefined {
    if (this.byPath.has(path)) return this.byPath.get(path);
    const configuration = parse(path, this.filesRead);
    this.byPath.set(path, configuration);
    return configuration;
  }
}

function parse(path: string, filesRead: Set<string>): Configuration | undefined {
  const host: ts.ParseConfigFileHost = {
    useCaseSensitiveFileNames: ts.sys.useCaseSensitiveFileNames,
    readDirectory: ts.sys.readDirectory,
    fileExists: ts.sys.fileExists,
    readFile: (name) => {
      filesRead.add(name);
      return ts.sys.readFile(name);
    },
    getCurrentDirectory: () => dirname(path),
    onUnRecoverableConfigFileDiagnostic: () => {},
  };
  const parsed = ts.getParsedCommandLineOfConfigFile(path, {}, host);
  if (parsed === undefined) return undefined;
  return {
    path,
    options: {
      ...parsed.options,
      ...withoutOutput,
      declaration: parsed.options.declaration ?? parsed.options.composite ?? false,
    },
    files: new Set(parsed.fileNames.map((name) => resolve(name))),
    references: (parsed.projectReferences ?? []).map((each) => ts.resolveProjectReferencePath(each)),
  };
}
