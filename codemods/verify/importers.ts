/** Finds the files whose types may change because the files that they import change. */
import { dirname, resolve } from "node:path";
import { ts } from "ts-morph";
import type { Configuration } from "../source/compiler-options.ts";
import type { TextSource } from "./compiler.ts";

/** `from "x"`, `import "x"`, `import("x")`, `require("x")`. */
const specifiers = /\b(?:from|import|require)\s*\(?\s*["']([^"'\n]+)["']/g;
/** A file that passes on what it imports, or derives a class from it, can affect those that import it. */
const passesOn = /\bexport\s*(?:type\s*)?[*{]|\bexport\s+import\b|\bextends\b/;

/** Who imports whom among the files of a configuration, and others; read when it is first asked. */
export class ImportGraph {
  private importers: ReadonlyMap<string, readonly string[]> | undefined;

  private readonly configuration: Configuration;
  private readonly texts: TextSource;
  private readonly others: readonly string[];

  constructor(configuration: Configuration, texts: TextSource, others: readonly string[]) {
    this.configuration = configuration;
    this.texts = texts;
    this.others = others;
  }

  /**
   * Files that import one of `changed`, directly or through files that export again what they import or derive classes
   * from it. Sorted; without the changed files themselves.
   */
  importersOf(changed: ReadonlySet<string>): string[] {
    this.importers ??= this.readImports();
    const found = new Set<string>();
    const pending = [...changed];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      for (const importer of this.importers.get(path) ?? []) {
        if (found.has(importer) || changed.has(importer)) continue;
        found.add(importer);
        if (passesOn.test(this.texts.read(importer) ?? "")) pending.push(importer);
      }
    }
    return [...found].sort();
  }

  private readImports(): Map<string, string[]> {
    const resolver = new Resolver(this.configuration.options, this.texts);
    const importers = new Map<string, string[]>();
    for (const file of new Set([...this.configuration.files, ...this.others])) {
      if (file.endsWith(".json")) continue;
      for (const imported of resolver.importsOf(file)) {
        const known = importers.get(imported);
        if (known === undefined) importers.set(imported, [file]);
        else known.push(file);
      }
    }
    return importers;
  }
}

/** Resolves the imports of files. Relative specifiers that name a file need no search. */
class Resolver {
  private readonly options: ts.CompilerOptions;
  private readonly texts: TextSource;
  private readonly cache: ts.ModuleResolutionCache;
  private readonly host: ts.ModuleResolutionHost;

  constructor(options: ts.CompilerOptions, texts: TextSource) {
    this.options = options;
    this.texts = texts;
    this.cache = ts.createModuleResolutionCache(process.cwd(), (name) => name, options);
    this.host = {
      fileExists: (path) => texts.exists(path),
      readFile: (path) => texts.read(path),
      directoryExists: (path) => texts.directoryExists(path),
      realpath: (path) => texts.realpath(path),
    };
  }

  importsOf(file: string): Set<string> {
    const found = new Set<string>();
    for (const [, specifier = ""] of (this.texts.read(file) ?? "").matchAll(specifiers)) {
      const path = this.resolve(specifier, file);
      if (path !== undefined) found.add(path);
    }
    return found;
  }

  private resolve(specifier: string, from: string): string | undefined {
    if (/^\.{1,2}\/.*\.[cm]?tsx?$/.test(specifier)) return resolve(dirname(from), specifier);
    const { resolvedModule } = ts.resolveModuleName(
      specifier,
      from,
      this.options,
      this.host,
      this.cache,
      undefined,
      ts.ModuleKind.ESNext,
    );
    return resolvedModule?.resolvedFileName;
  }
}
