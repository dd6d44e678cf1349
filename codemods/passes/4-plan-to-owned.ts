/** Edits of one class, embedded to owned. */
import { Node } from "ts-morph";
import { creationPoint } from "../hazards/order.ts";
import type { Creation, RegionField } from "../regions/facts.ts";
import type { TextEdit } from "../source/edits.ts";
import { type LaidOut, layOut } from "../source/statements.ts";
import {
  attachedComments,
  indentOf,
  lineEnd,
  lineStart,
  reindent,
  semicolonOf,
  trailingComment,
} from "../source/trivia.ts";
import { type JudgedDevice, ownUses } from "./3-judge.ts";

/** A replacement inside a statement, with the node that it replaces. */
interface Replacement {
  readonly node: Node;
  readonly edit: TextEdit;
}

export function planToOwned({ fields }: JudgedDevice): LaidOut {
  const replacements: Replacement[] = [];
  const edits: TextEdit[] = [];
  const dropped: RegionField[] = [];
  for (const [field, verdict] of fields) {
    if (verdict.outcome !== "converted") continue;
    if (verdict.treatment === "dropped") {
      dropped.push(field);
      drop(field, replacements, edits);
    } else keep(field, replacements, edits);
  }
  edits.push(...removeFields(dropped));
  const laidOut = layOut(replacements);
  return { edits: [...edits, ...laidOut.edits], notes: laidOut.notes };
}

/** The region becomes a local of the method that creates it, and takes its comments along. */
function drop(field: RegionField, replacements: Replacement[], edits: TextEdit[]): void {
  const [creation] = field.creations;
  if (creation === undefined) return;
  const point = creationPoint(creation);
  const atLineEnd = fieldTrailing(field, creation);
  if (atLineEnd !== "") {
    const end = creation.statement.getEnd();
    edits.push({ start: end, end, text: ` ${atLineEnd}` });
  }
  const comments = commentsOf(field, indentOf(point), atLineEnd === "");
  if (comments !== "") {
    const start = lineStart(textOf(field), point.getStart());
    edits.push({ start, end: start, text: comments });
  }
  if (field.array) {
    convertLoop(field, creation, edits);
    replacements.push(
      newCall(creation, `const ${creation.loop?.kind === "array" ? creation.loop.item : ""} = `, field),
    );
    return;
  }
  replacements.push(newCall(creation, `const ${field.name} = `, field));
  const created = creation.call.getExpression();
  for (const use of ownUses(field)) {
    if (use.getParent() === created) continue;
    replacements.push({ node: use, edit: useAsLocal(use, field.name) });
  }
}

/** The region stays reachable through a field that refers to it. */
function keep(field: RegionField, replacements: Replacement[], edits: TextEdit[]): void {
  const { declaration, name, className, array } = field;
  const modifiers = declaration.getModifiers().map((modifier) => modifier.getText());
  const kept = array ? modifiers : modifiers.filter((modifier) => modifier !== "readonly");
  const type = array ? `: ${className}[] = []` : `!: ${className}`;
  edits.push({
    start: declaration.getStart(),
    end: declaration.getEnd(),
    text: [...kept, `${name}${type}${semicolonOf(declaration)}`].join(" "),
  });
  for (const creation of field.creations) {
    if (creation.loop?.kind === "array") {
      convertLoop(field, creation, edits);
      replacements.push(newCall(creation, `const ${creation.loop.item} = `, field));
      const at = lineEnd(textOf(field), creation.statement.getEnd());
      const { item } = creation.loop;
      const stored = `this.${name}[${indexOf(creation)}] = ${item}${semicolonOf(creation.statement)}`;
      const store = `${indentOf(creation.statement)}${stored}\n`;
      edits.push({ start: at, end: at, text: store });
    } else replacements.push(newCall(creation, `this.${name} = `, field));
  }
}

/** `region.initIo` becomes `target = MemoryRegion.newIo`. */
function newCall({ call, maker }: Creation, target: string, { className }: RegionField): Replacement {
  const callee = call.getExpression();
  const text = `${target}${className}.${maker.new}`;
  return { node: callee, edit: { start: callee.getStart(), end: callee.getEnd(), text } };
}

/** The loop over the array becomes a loop over its indices. */
function convertLoop({ count }: RegionField, creation: Creation, edits: TextEdit[]): void {
  const { loop } = creation;
  if (loop?.kind !== "array" || count === undefined) return;
  const index = indexOf(creation);
  const head = `for (let ${index} = 0; ${index} < ${count.getText()}; ${index}++) `;
  edits.push({ start: loop.statement.getStart(), end: loop.statement.getStatement().getStart(), text: head });
}

function indexOf({ loop }: Creation): string {
  return loop?.kind === "array" ? (loop.index ?? "i") : "";
}

/** `{ iomem: this.iomem }` becomes `{ iomem }`; any other use becomes the bare name. */
function useAsLocal(use: Node, name: string): TextEdit {
  const parent = use.getParent();
  const shorthand =
    Node.isPropertyAssignment(parent) && parent.getName() === name && parent.getInitializer() === use;
  const replaced = shorthand ? parent : use;
  return { start: replaced.getStart(), end: replaced.getEnd(), text: name };
}

/** The comment after a field on its line, if it can follow the statement that creates the region in the same way. */
function fieldTrailing({ declaration }: RegionField, { statement, loop }: Creation): string {
  const free = loop === undefined && trailingComment(statement) === "";
  return free ? trailingComment(declaration) : "";
}

/** Comments above a field, and after it if so wanted, as lines to insert above the statement that creates its region. */
function commentsOf({ declaration }: RegionField, indent: string, withTrailing: boolean): string {
  const text = declaration.getSourceFile().getFullText();
  const from = indentOf(declaration);
  const lines = attachedComments(declaration).map(({ start, end }) =>
    reindent(text.slice(start, end), from, indent),
  );
  const trailing = trailingComment(declaration);
  if (withTrailing && trailing !== "") lines.push(trailing);
  return lines.map((line) => `${indent}${line}\n`).join("");
}

/** Removes fields with their comments, adjacent fields in one edit, and one blank line where two would meet. */
function removeFields(fields: readonly RegionField[]): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const { declaration } of [...fields].sort(
    (a, b) => a.declaration.getStart() - b.declaration.getStart(),
  )) {
    const text = declaration.getSourceFile().getFullText();
    const first = attachedComments(declaration)[0]?.start ?? declaration.getStart();
    const [start, end] = [lineStart(text, first), lineEnd(text, declaration.getEnd())];
    const before = edits.at(-1);
    if (before !== undefined && text.slice(before.end, start).trim() === "") {
      edits.pop();
      edits.push({ start: before.start, end, text: "" });
    } else edits.push({ start, end, text: "" });
  }
  return edits.map((edit) => withoutDoubleBlank(edit, fields));
}

function withoutDoubleBlank(edit: TextEdit, [field]: readonly RegionField[]): TextEdit {
  if (field === undefined) return edit;
  const text = textOf(field);
  const above = text.slice(lineStart(text, edit.start - 1), edit.start).trim();
  if (above === "" && text.slice(edit.end).trimStart().startsWith("}")) {
    return { ...edit, start: text.slice(0, edit.start).trimEnd().length + 1 };
  }
  if (above !== "" && !above.endsWith("{")) return edit;
  const blank = /^(?:[ \t]*\r?\n)+/.exec(text.slice(edit.end))?.[0] ?? "";
  return { ...edit, end: edit.end + blank.length };
}

function textOf({ declaration }: RegionField): string {
  return declaration.getSourceFile().getFullText();
}
