/** Edits of functions that return the region which they used to initialise. */
import type { FileEdits } from "../edits.ts";
import { columnAfter, indentAt, lineStart, realign } from "../layout.ts";
import type { Signature } from "../program.ts";
import { bodyOf, type Statement } from "../statements.ts";
import { wordOf } from "../words.ts";
import type { Helper } from "./5-helpers.ts";

const VOID = wordOf("void");
const TYPE = "MemoryRegion *";

/** Changes the head of a definition or prototype: it returns the region, and has one parameter less. */
export function editSignature(edits: FileEdits, signature: Signature, argument: number): void {
  const { tokens } = signature.file;
  const { text, start, end } = tokens;
  let type = signature.nameToken - 1;
  while (type > signature.first && tokens.word[type] !== VOID) type--;
  const from = start[type] ?? 0;
  const name = start[signature.nameToken] ?? 0;
  const all = signature.parameters;
  const gone = all[argument];
  if (gone === undefined) return;
  const next = all[argument + 1];
  const previous = all[argument - 1];
  const goneFrom = previous === undefined ? (start[gone.first] ?? 0) : (end[previous.last - 1] ?? 0);
  const goneTo =
    next !== undefined && previous === undefined ? (start[next.first] ?? 0) : (end[gone.last - 1] ?? 0);
  edits.replace(goneFrom, goneTo, all.length === 1 ? "void" : "");
  const open = end[signature.open] ?? 0;
  const close = end[signature.close] ?? 0;
  const column = columnAfter(text.slice(lineStart(text, open), open));
  const sameLine = !text.slice(from, name).includes("\n");
  edits.rewrite({
    start: from,
    end: close,
    make: (part) => {
      const between = sameLine ? "" : text.slice(text.indexOf("\n", from), name);
      const head = `${sameLine ? TYPE : TYPE.trimEnd()}${between}${text.slice(name, open)}`;
      const moved = sameLine ? TYPE.length - (name - from) : 0;
      return head + realign(part(open, close), column, column + moved);
    },
  });
}

/** True if the helper does nothing after its initialisation, which can then be what it returns. */
export function isTailCall({ fn, inits, uses, returns }: Helper): boolean {
  const [init] = inits;
  return (
    inits.length === 1 &&
    uses.length === 0 &&
    returns.length === 0 &&
    bodyOf(fn).root.children.at(-1) === init?.statement
  );
}

/** What a helper returns at its ends. */
export function editReturns(edits: FileEdits, { fn, parameter, returns }: Helper): void {
  const { text, start, end } = fn.file.tokens;
  for (const statement of returns) {
    edits.replace(start[statement.first] ?? 0, end[statement.last] ?? 0, `return ${parameter.name};`);
  }
  const { root } = bodyOf(fn);
  const last: Statement | undefined = root.children.at(-1);
  if (last === undefined || last.kind === "return") return;
  const at = lineStart(text, start[fn.bodyClose] ?? 0);
  const indent = indentAt(text, start[root.children[0]?.first ?? 0] ?? 0);
  edits.replace(at, at, `${indent}return ${parameter.name};\n`);
}
