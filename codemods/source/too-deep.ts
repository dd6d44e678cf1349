import { ts } from "ts-morph";
import { CommandError } from "#host";
import { shown } from "./workspace.ts";

/**
 * Does work on sources that may be nested more deeply than the compiler can follow.
 * @param read the text of a path; by default that of the file
 * @throws CommandError that names such a source
 */
export function withinStack<T>(
  paths: readonly string[],
  work: () => T,
  read: (path: string) => string | undefined = ts.sys.readFile,
): T {
  try {
    return work();
  } catch (error) {
    if (!isOverflow(error)) throw error;
    const path = paths.find((each) => overflows(each, read(each) ?? ""));
    const what = path === undefined ? `one of ${paths.length} sources, or what they import` : shown(path);
    throw new CommandError(
      `${what}: an expression or statement in it is nested too deeply for the compiler, which follows some hundred levels; split it, or leave the file out`,
      { cause: error },
    );
  }
}

function isOverflow(error: unknown): boolean {
  return error instanceof RangeError && /call stack/.test(error.message);
}

/** Whether the compiler cannot follow a source, even alone. */
function overflows(path: string, text: string): boolean {
  try {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const host: ts.CompilerHost = {
      ...ts.createCompilerHost({}),
      getSourceFile: (name) => (name === path ? source : undefined),
      fileExists: (name) => name === path,
      readFile: () => undefined,
    };
    const options: ts.CompilerOptions = { noLib: true, noResolve: true, types: [] };
    ts.createProgram([path], options, host).getSemanticDiagnostics(source);
    visit(source);
    return false;
  } catch (error) {
    if (isOverflow(error)) return true;
    throw error;
  }
}

/** The passes walk sources as this does. */
function visit(node: ts.Node): void {
  ts.forEachChild(node, visit);
}
