/** Sources as modules that a worker can link: types removed, imports resolved. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { ts } from "ts-morph";
import { CommandError } from "#host";
import { shown } from "../source/workspace.ts";
import { Resolver } from "./resolve.ts";
import type { ModuleText } from "./worker/trace.ts";

/** Text of a module and what it requires, before that is resolved. */
interface Compiled {
  readonly code: string;
  readonly specifiers: readonly string[];
}

/** Compiled files of the disk, which many proofs share. */
export type CompiledFiles = Map<string, Compiled>;

/** Compiler options of a project that decide what a class does when it runs. */
type ClassOptions = Pick<ts.CompilerOptions, "experimentalDecorators" | "useDefineForClassFields">;

export class Modules {
  private readonly given: ReadonlyMap<string, string>;
  private readonly disk: CompiledFiles;
  private readonly compiled = new Map<string, Compiled>();
  private readonly resolver: Resolver;
  private readonly options = new Map<string, ClassOptions>();

  /** @param given texts by absolute path, instead of what is on disk. */
  constructor(given: ReadonlyMap<string, string>, disk: CompiledFiles) {
    this.given = given;
    this.disk = disk;
    this.resolver = new Resolver((path) => given.has(path));
  }

  /** As `Resolver.resolve`. */
  resolve(specifier: string, from: string): string | undefined {
    return this.resolver.resolve(specifier, from);
  }

  /**
   * A module and all that it imports, directly or not, except what `known` has.
   * @throws CommandError if one of them does not parse.
   */
  closure(entry: string, known: ReadonlySet<string> = new Set()): ModuleText[] {
    const found = new Map<string, ModuleText>();
    const visit = (id: string): void => {
      if (id.startsWith("node:") || known.has(id) || found.has(id) || this.resolver.isForNode(id)) return;
      const { code, specifiers } = this.compile(id);
      const imports: Record<string, string> = {};
      found.set(id, { id, code, imports });
      for (const specifier of specifiers) {
        const target = this.resolver.resolve(specifier, id);
        if (target === undefined) continue; // reported by the worker, if the import is ever reached
        imports[specifier] = target;
        visit(target);
      }
    };
    visit(entry);
    return [...found.values()];
  }

  private compile(path: string): Compiled {
    const text = this.given.get(path);
    const cache = text === undefined ? this.disk : this.compiled;
    let compiled = cache.get(path);
    if (compiled === undefined) {
      compiled = compile(path, text ?? readFileSync(path, "utf8"), this.optionsFor(path));
      cache.set(path, compiled);
    }
    return compiled;
  }

  private optionsFor(path: string): ClassOptions {
    const folder = dirname(path);
    let options = this.options.get(folder);
    if (options === undefined) {
      options = classOptions(folder);
      this.options.set(folder, options);
    }
    return options;
  }
}

function compile(path: string, text: string, options: ClassOptions): Compiled {
  const { outputText, diagnostics } = ts.transpileModule(text, {
    fileName: path.replace(/\.[cm]ts$/, ".ts"), // the compiler would leave the imports of a .mts as they are
    reportDiagnostics: true,
    compilerOptions: {
      useDefineForClassFields: true,
      ...options,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.CommonJS,
      jsx: ts.JsxEmit.React,
      esModuleInterop: true,
      allowJs: true,
    },
    transformers: { before: [withoutImportMeta] },
  });
  const error = diagnostics?.find(({ category }) => category === ts.DiagnosticCategory.Error);
  if (error !== undefined) {
    const message = ts.flattenDiagnosticMessageText(error.messageText, " ");
    throw new CommandError(`${shown(path)}: does not parse: ${message}`);
  }
  const specifiers = [...outputText.matchAll(/\brequire\((["'])([^"'\n]+)\1\)/g)].map(
    ([, , name]) => name ?? "",
  );
  return { code: outputText, specifiers: [...new Set(specifiers)] };
}

/** `import.meta` exists only in modules that Node itself loads; the linker passes a substitute. */
function withoutImportMeta(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
  const visit = (node: ts.Node): ts.Node =>
    ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
      ? context.factory.createIdentifier("__importMeta")
      : ts.visitEachChild(node, visit, context);
  return (file) => (file.text.includes("import.meta") ? ts.visitEachChild(file, visit, context) : file);
}

/** Options of the nearest tsconfig.json; the standard's behaviour if there is none. */
function classOptions(folder: string): ClassOptions {
  const path = ts.findConfigFile(folder, ts.sys.fileExists);
  if (path === undefined) return {};
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {}, readDirectory: () => [] };
  const { experimentalDecorators, useDefineForClassFields } =
    ts.getParsedCommandLineOfConfigFile(path, undefined, host)?.options ?? {};
  return {
    ...(experimentalDecorators === undefined ? {} : { experimentalDecorators }),
    ...(useDefineForClassFields === undefined ? {} : { useDefineForClassFields }),
  };
}
