/** Edits of functions that return the region which they used to initialise. */
import type { FileEdits } from "../edits.ts";
import { columnAfter, columnAt, indentAt, lineStart, realign } from "../layout.ts";
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
  edits.removeDeclaration(goneFrom, goneTo);
  if (all.length === 1) edits.replace(goneTo, goneTo, "void");
  const open = end[signature.open] ?? 0;
  const close = end[signature.close] ?? 0;
  const column = columnAt(text, open);
  // An attribute or a line break between the type and the name stays there.
  const between = text.slice(end[type], name).replace(/^[ \t]+/, "");
  edits.rewrite({
    start: from,
    end: close,
    make: (part) => {
      const head = `${/^\r?\n/.test(between) ? TYPE.trimEnd() : TYPE}${between}${text.slice(name, open)}`;
      const moved = head.includes("\n") ? column : columnAfter(head, columnAt(text, from));
      return head + realign(part(open, close), column, moved);
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
    const at = end[statement.first] ?? 0;
    edits.replace(at, at, ` ${parameter.name}`);
  }
  const { root } = bodyOf(fn);
  const last: Statement | undefined = root.children.at(-1);
  if (last === undefined || last.kind === "return") return;
  const brace = start[fn.bodyClose] ?? 0;
  const at = lineStart(text, brace);
  const indent = indentAt(text, start[root.children[0]?.first ?? 0] ?? 0);
  if (text.slice(at, brace).trim() === "") edits.replace(at, at, `${indent}return ${parameter.name};\n`);
  else edits.replace(brace, brace, `return ${parameter.name}; `);
}
