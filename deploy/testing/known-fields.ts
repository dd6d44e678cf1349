/**
 * Finds fields of a manifest that Kubernetes does not know. Its schemas accept them, since an older version may read a
 * newer manifest; the types generated from the same API do not.
 */
import { join } from "node:path";
import ts from "typescript";
import { root } from "./command-line.ts";

/**
 * Compiler errors for a manifest written as a literal of its type: misspelt fields, and values of other types.
 *
 * @param module for instance `kubernetes-models/batch/v1`
 * @param type a type that it exports, for instance `IJob`
 */
export function complaintsOf(manifest: unknown, module: string, type: string): string[] {
  const file = join(root, "deploy", "manifest-in-memory.ts");
  const text = `import type { ${type} } from "${module}";\nexport const manifest: ${type} = ${JSON.stringify(manifest)};\n`;
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? text : readFile(name));
  host.getSourceFile = (name, ...others) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.Latest) : getSourceFile(name, ...others);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
