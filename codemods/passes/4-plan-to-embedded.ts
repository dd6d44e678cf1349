/** Edits of one class, owned to embedded: the exact inverse of the other direction for sources in canonical order. */
import { type ClassDeclaration, Node } from "ts-morph";
import { creationPoint, firstCreation } from "../hazards/order.ts";
import type { CountingLoop, RegionField, RegionLocal } from "../regions/facts.ts";
import { usesOfBinding } from "../regions/follow.ts";
import { memberOf } from "../regions/syntax.ts";
import type { TextEdit } from "../source/edits.ts";
import { type LaidOut, layOut } from "../source/statements.ts";
import { styleOf } from "../source/style.ts";
import {
  attachedComments,
  docComment,
  indentOf,
  lineEnd,
  lineStart,
  reindent,
  type Span,
  semicolonOf,
} from "../source/trivia.ts";
import { fieldNameOf, type JudgedDevice } from "./3-judge.ts";

interface Replacement {
  readonly node: Node;
  readonly edit: TextEdit;
}

export function planToEmbedded({ device, fields, locals }: JudgedDevice): LaidOut {
  const replacements: Replacement[] = [];
  const edits: TextEdit[] = [];
  const restored: RegionLocal[] = [];
  for (const [field, verdict] of fields) {
    if (verdict.outcome === "converted") embedKept(field, replacements, edits);
  }
  for (const [local, verdict] of locals) {
    if (verdict.outcome !== "converted") continue;
    restored.push(local);
    embedLocal(local, replacements, edits);
  }
  edits.push(...restoreFields(device.declaration, [...fields.keys()], restored));
  const laidOut = layOut(replacements);
  return { edits: [...edits, ...laidOut.edits], notes: laidOut.notes };
}

/** A field that refers to an owned region becomes the region itself. */
function embedKept(field: RegionField, replacements: Replacement[], edits: TextEdit[]): void {
  const { declaration, name, className, array, creations } = field;
  const modifiers = declaration.getModifiers().map((modifier) => modifier.getText());
  if (!modifiers.includes("readonly")) modifiers.push("readonly");
  const loop = creations[0]?.loop;
  const count = loop?.kind === "counting" ? loop.count.getText() : "";
  const value = array ? `this.embedArray(${className}, ${count})` : `this.embed(${className})`;
  const text = [...modifiers, `${name} = ${value}${semicolonOf(declaration)}`].join(" ");
  edits.push({ start: declaration.getStart(), end: declaration.getEnd(), text });
  for (const { call, statement, maker, loop } of creations) {
    const callee = call.getExpression();
    let target = `this.${name}`;
    if (loop?.kind === "counting") {
      target = localName(statement);
      convertLoop(loop, name, target, edits);
    }
    replacements.push({
      node: callee,
      edit: { start: statement.getStart(), end: callee.getEnd(), text: `${target}.${maker.init}` },
    });
  }
}

/** A local becomes a field: its statement becomes an initialisation, and its uses become uses of the field. */
function embedLocal(local: RegionLocal, replacements: Replacement[], edits: TextEdit[]): void {
  const { statement, call, maker, name, loop, declaration, device } = local;
  const callee = call.getExpression();
  const target = loop === undefined ? `this.${name}` : name;
  replacements.push({
    node: callee,
    edit: { start: statement.getStart(), end: callee.getEnd(), text: `${target}.${maker.init}` },
  });
  const text = statement.getSourceFile().getFullText();
  const doc = docComment(loop?.statement ?? statement);
  if (doc !== undefined) {
    edits.push({ start: lineStart(text, doc.start), end: lineEnd(text, doc.end), text: "" });
  }
  if (loop !== undefined) {
    convertLoop(loop, fieldNameOf(local), name, edits);
    return;
  }
  const scope = memberOf(statement, device.declaration) ?? statement;
  for (const use of usesOfBinding(declaration.getNameNode(), scope)) {
    const shorthand = Node.isShorthandPropertyAssignment(use.getParent());
    const field = shorthand ? `${name}: this.${name}` : `this.${name}`;
    replacements.push({ node: use, edit: { start: use.getStart(), end: use.getEnd(), text: field } });
  }
}

/** The loop over indices becomes one over the array, with the index if the loop's body uses it. */
function convertLoop(loop: CountingLoop, array: string, item: string, edits: TextEdit[]): void {
  const { statement, index, store } = loop;
  const body = statement.getStatement();
  const uses = body
    .getDescendants()
    .filter((node) => Node.isIdentifier(node) && node.getText() === index && !within(node, store));
  const head =
    uses.length > 0
      ? `for (const [${index}, ${item}] of this.${array}.entries()) `
      : `for (const ${item} of this.${array}) `;
  edits.push({ start: statement.getStart(), end: body.getStart(), text: head });
  if (store === undefined) return;
  const text = statement.getSourceFile().getFullText();
  edits.push({ start: lineStart(text, store.getStart()), end: lineEnd(text, store.getEnd()), text: "" });
}

function within(node: Node, scope: Node | undefined): boolean {
  return scope !== undefined && node.getStart() >= scope.getStart() && node.getEnd() <= scope.getEnd();
}

function localName(statement: Node): string {
  return Node.isVariableStatement(statement) ? (statement.getDeclarations()[0]?.getName() ?? "") : "";
}

/**
 * Restores dropped fields. In canonical order a class's region fields stand together, before all other fields of the
 * object, in the order of creation. A restored field goes before the next kept one, else after the last kept one,
 * else to the head of the fields, else before the first method. Static and merely declared fields stand above them all.
 */
function restoreFields(
  declaration: ClassDeclaration,
  kept: readonly RegionField[],
  restored: readonly RegionLocal[],
): TextEdit[] {
  const leading = leadingFields(declaration, kept);
  const byPlace = new Map<number, RegionLocal[]>();
  const inOrder = [...restored].sort((a, b) => a.statement.getStart() - b.statement.getStart());
  for (const local of inOrder) {
    const place = placeFor(local, leading, declaration);
    byPlace.set(place, [...(byPlace.get(place) ?? []), local]);
  }
  const hasFields = leading.length > 0 || firstField(declaration) !== undefined;
  const indent = memberIndent(declaration);
  return [...byPlace].map(([place, locals]) => {
    const lines = locals.map((local) => fieldText(local, indent, endOf(declaration, place))).join("");
    return { start: place, end: place, text: hasFields ? lines : `${lines}\n` };
  });
}

/** Kept region fields that stand together at the head of the object's fields. */
function leadingFields(declaration: ClassDeclaration, kept: readonly RegionField[]): RegionField[] {
  const leading: RegionField[] = [];
  for (const member of objectFields(declaration)) {
    const field = kept.find((each) => each.declaration === member);
    if (field === undefined) break;
    leading.push(field);
  }
  return leading;
}

function placeFor(
  local: RegionLocal,
  leading: readonly RegionField[],
  declaration: ClassDeclaration,
): number {
  const text = declaration.getSourceFile().getFullText();
  const next = leading.find((field) => {
    const creation = firstCreation(field);
    return creation !== undefined && creationPoint(creation).getStart() > local.statement.getStart();
  });
  if (next !== undefined) return startWithComments(next.declaration);
  const last = leading.at(-1);
  if (last !== undefined) return lineEnd(text, last.declaration.getEnd());
  const before = firstField(declaration) ?? firstMethod(declaration);
  return before === undefined ? lineEnd(text, declaration.getStart()) : startWithComments(before);
}

function startWithComments(node: Node): number {
  const text = node.getSourceFile().getFullText();
  const first: Span | undefined = attachedComments(node)[0];
  return lineStart(text, first?.start ?? node.getStart());
}

/** Fields that an object has storage for: neither static ones nor those that only declare a type. */
function objectFields(declaration: ClassDeclaration): Node[] {
  return declaration
    .getMembers()
    .filter((member) => Node.isPropertyDeclaration(member) && !isHeading(member));
}

function firstField(declaration: ClassDeclaration): Node | undefined {
  return objectFields(declaration)[0];
}

function firstMethod(declaration: ClassDeclaration): Node | undefined {
  return declaration.getMembers().find((member) => !isHeading(member));
}

/** Members that stand above the fields of a class: statics, and fields that are only declared. */
function isHeading(member: Node): boolean {
  if (Node.isClassStaticBlockDeclaration(member)) return true;
  return Node.isPropertyDeclaration(member) && (member.isStatic() || member.hasDeclareKeyword());
}

function memberIndent(declaration: ClassDeclaration): string {
  const [member] = declaration.getMembers();
  const step = styleOf(declaration.getSourceFile()).indent;
  return member === undefined ? `${indentOf(declaration)}${step}` : indentOf(member);
}

/** What ends a field before `place`: without a semicolon, some members would continue it. */
function endOf(declaration: ClassDeclaration, place: number): ";" | "" {
  const file = declaration.getSourceFile();
  const continues = /^\s*[[(*]/.test(file.getFullText().slice(place));
  return styleOf(file).semicolons || continues ? ";" : "";
}

function fieldText(local: RegionLocal, indent: string, end: ";" | ""): string {
  const { statement, className, loop } = local;
  const text = statement.getSourceFile().getFullText();
  const commented = loop?.statement ?? statement;
  const doc = docComment(commented);
  const comment =
    doc === undefined
      ? ""
      : `${indent}${reindent(text.slice(doc.start, doc.end), indentOf(commented), indent)}\n`;
  const value =
    loop === undefined
      ? `this.embed(${className})`
      : `this.embedArray(${className}, ${loop.count.getText()})`;
  return `${comment}${indent}private readonly ${fieldNameOf(local)} = ${value}${end}\n`;
}
