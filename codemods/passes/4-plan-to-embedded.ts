/** Edits of one class, owned to embedded: the exact inverse of the other direction for sources in canonical order. */
import { type ClassDeclaration, Node } from "ts-morph";
import { objectOf } from "../hazards/creation.ts";
import { creationPoint, firstCreation } from "../hazards/order.ts";
import type { CountingLoop, Creation, LocalCreation, RegionField, RegionLocal } from "../regions/facts.ts";
import { childConstructor, childMakers } from "../regions/makers.ts";
import type { TextEdit } from "../source/edits.ts";
import { layoutCall } from "../source/layout.ts";
import { identifiersIn } from "../source/node-index.ts";
import { styleOf } from "../source/style.ts";
import {
  attachedComments,
  docComment,
  hasComment,
  hasLinesOfItsOwn,
  indentOf,
  lineEnd,
  lineStart,
  reindent,
  type Span,
  semicolonOf,
} from "../source/trivia.ts";
import { type JudgedDevice, statementOf } from "./3-judge.ts";
import type { Draft } from "./draft.ts";

export function planToEmbedded(judged: JudgedDevice, draft: Draft): void {
  const { device, fields, locals } = judged;
  const restored: RestoredField[] = [];
  for (const [field, verdict] of fields) {
    if (verdict.outcome === "converted") embedKept(field, draft);
  }
  for (const [local, verdict] of locals) {
    if (verdict.outcome !== "converted") continue;
    const name = judged.fieldNames.get(local) ?? local.name;
    restored.push({ local, name });
    embedLocal(local, name, draft);
  }
  for (const edit of restoreFields(device.declaration, [...fields.keys()], restored)) {
    draft.edit(device.declaration, edit);
  }
}

/** A local that becomes a field, with the field's name. */
interface RestoredField {
  readonly local: RegionLocal;
  readonly name: string;
}

/** A field that refers to an owned region becomes the region itself. */
function embedKept(field: RegionField, draft: Draft): void {
  const { declaration, name, className, array, creations } = field;
  const modifiers = declaration.getModifiers().map((modifier) => modifier.getText());
  if (!modifiers.includes("readonly")) modifiers.push("readonly");
  const loop = creations[0]?.loop;
  const count = loop?.kind === "counting" || loop?.kind === "indexed" ? loop.count.getText() : "";
  const [creation] = creations;
  const made = creation && childMakers.newOn(creation.call)?.className;
  const embedded = made ?? className;
  const value = array ? `this.embedArray(${embedded}, ${count})` : `this.embed(${embedded})`;
  const type = embedded === className ? "" : `: ${className}${array ? "[]" : ""}`;
  const text = [
    ...modifiers,
    `${declaration.getNameNode().getText()}${type} = ${value}${semicolonOf(declaration)}`,
  ].join(" ");
  draft.edit(declaration, { start: declaration.getStart(), end: declaration.getEnd(), text });
  for (const { call, statement, maker, loop } of creations) {
    let target = targetOf(statement) ?? `this.${name}`;
    if (loop?.kind === "indexed") target = `${target}!`;
    if (loop?.kind === "counting") {
      target = localName(statement);
      convertLoop(loop, name, target, draft);
    }
    initialise({ call, statement, maker }, target, draft);
  }
}

/** `target = MemoryRegion.newIo` becomes `target.initIo`; a comment before the name stays. */
function initialise(
  { call, statement, maker }: Pick<Creation, "call" | "statement" | "maker">,
  target: string,
  draft: Draft,
): void {
  const callee = call.getExpression();
  const start = statement.getStart();
  if (maker === childConstructor) {
    const { classNode } = childMakers.newOn(call) ?? { classNode: call };
    draft.replace(call, { start, end: callee.getEnd(), text: `this.${maker.init}` });
    draft.replace(call, { start: classNode.getStart(), end: classNode.getEnd(), text: target });
    return;
  }
  const name = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
  const between = callee.getText().slice(objectOf(call).getEnd() - callee.getStart());
  if (!hasComment(between)) {
    draft.replace(callee, { start, end: callee.getEnd(), text: `${target}.${maker.init}` });
    return;
  }
  draft.replace(callee, { start, end: objectOf(call).getEnd(), text: target });
  draft.replace(callee, { start: name.getStart(), end: name.getEnd(), text: maker.init });
}

/** What an assignment stores into, as the source writes it. */
function targetOf(statement: Node): string | undefined {
  const assignment = Node.isExpressionStatement(statement) ? statement.getExpression() : undefined;
  return Node.isBinaryExpression(assignment) ? assignment.getLeft().getText() : undefined;
}

/** A local becomes a field: its statement becomes an initialisation, and its uses become uses of the field. */
function embedLocal(local: RegionLocal, fieldName: string, draft: Draft): void {
  const { calls, name, loop, declaration, uses } = local;
  const target = loop === undefined ? `this.${fieldName}` : name;
  for (const creation of calls) {
    if (creation.how === "argument") {
      initialiseBefore(creation, target, draft);
      continue;
    }
    const { statement } = creation;
    initialise(creation, target, draft);
    const doc = docComment(loop?.statement ?? statement);
    if (doc !== undefined) removeLines(statement, doc, draft);
  }
  if (loop !== undefined) {
    convertLoop(loop, fieldName, name, draft);
    return;
  }
  for (const use of uses) {
    const shorthand = Node.isShorthandPropertyAssignment(use.getParent());
    const text = shorthand ? `${name}: this.${fieldName}` : `this.${fieldName}`;
    draft.replace(use, { start: use.getStart(), end: use.getEnd(), text });
  }
  const declared = declaration?.getVariableStatement();
  if (declared !== undefined && declaration?.getInitializer() === undefined) {
    const first = attachedComments(declared)[0]?.start ?? declared.getStart();
    removeLines(declared, { start: first, end: declared.getEnd() }, draft);
  }
}

/** `this.initMmio(MemoryRegion.newIo(…))`: the initialisation becomes a statement of its own above. */
function initialiseBefore({ call, maker, statement }: LocalCreation, target: string, draft: Draft): void {
  const isChild = maker === childConstructor;
  const given = call.getArguments().map((each) => each.getText());
  const args = isChild ? [...given.slice(0, 1), target] : given;
  const indent = indentOf(statement);
  const head = `${isChild ? "this" : target}.${maker.init}`;
  const tail = semicolonOf(statement);
  const text = args.some((each) => each.includes("\n"))
    ? `${head}(${args.join(", ")})${tail}`
    : layoutCall({ indent, head, args, tail }, styleOf(statement.getSourceFile()));
  const at = lineStart(statement.getSourceFile().getFullText(), statement.getStart());
  draft.edit(statement, { start: at, end: at, text: `${indent}${text}\n` });
  draft.replace(call, { start: call.getStart(), end: call.getEnd(), text: target });
}

function removeLines(node: Node, { start, end }: Span, draft: Draft): void {
  const text = node.getSourceFile().getFullText();
  draft.edit(node, { start: lineStart(text, start), end: lineEnd(text, end), text: "" });
}

/** The loop over indices becomes one over the array, with the index if the loop's body uses it. */
function convertLoop(loop: CountingLoop, array: string, item: string, draft: Draft): void {
  const { statement, index, store } = loop;
  const body = statement.getStatement();
  const uses = identifiersIn(body, index).filter((node) => {
    if (within(node, store)) return false;
    const parent = node.getParent();
    const symbol = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : node.getSymbol();
    const [declaration] = symbol?.getDeclarations() ?? [];
    return declaration !== undefined && within(declaration, statement.getInitializer());
  });
  const head =
    uses.length > 0
      ? `for (const [${index}, ${item}] of this.${array}.entries()) `
      : `for (const ${item} of this.${array}) `;
  draft.edit(statement, { start: statement.getStart(), end: body.getStart(), text: head });
  if (store !== undefined) removeLines(store, { start: store.getStart(), end: store.getEnd() }, draft);
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
  restored: readonly RestoredField[],
): TextEdit[] {
  const leading = leadingFields(declaration, kept);
  const byPlace = new Map<number, RestoredField[]>();
  const inOrder = [...restored].sort((a, b) => placeIn(a) - placeIn(b));
  const lastPlace = placeAfter(leading, declaration);
  for (const each of inOrder) {
    const place = placeBefore(each, leading) ?? lastPlace;
    const there = byPlace.get(place);
    if (there === undefined) byPlace.set(place, [each]);
    else there.push(each);
  }
  const hasFields = leading.length > 0 || firstField(declaration) !== undefined;
  const indent = memberIndent(declaration);
  return [...byPlace].map(([place, fields]) => {
    const file = declaration.getSourceFile().getFullText();
    if (lineStart(file, place) !== place) {
      const inline = fields.map((each) => fieldText(each, "", ";").trim());
      return { start: place, end: place, text: `${inline.join(" ")} ` };
    }
    const lines = fields.map((each) => fieldText(each, indent, endOf(declaration, place))).join("");
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

/** Where the source creates a region. */
function placeIn({ local }: RestoredField): number {
  return statementOf(local).getStart();
}

/** The place of the kept field that is created next after a restored one. */
function placeBefore(restored: RestoredField, leading: readonly RegionField[]): number | undefined {
  const next = leading.find((field) => {
    const creation = firstCreation(field);
    return creation !== undefined && creationPoint(creation).getStart() > placeIn(restored);
  });
  return next && startWithComments(next.declaration);
}

/** The place after the kept fields or, without one that ends its line, before the first field or method. */
function placeAfter(leading: readonly RegionField[], declaration: ClassDeclaration): number {
  const text = declaration.getSourceFile().getFullText();
  const last = leading.at(-1);
  if (last !== undefined && hasLinesOfItsOwn(last.declaration)) {
    return lineEnd(text, last.declaration.getEnd());
  }
  const before = firstField(declaration) ?? firstMethod(declaration);
  return before === undefined ? lineEnd(text, declaration.getStart()) : startWithComments(before);
}

function startWithComments(node: Node): number {
  const text = node.getSourceFile().getFullText();
  const first: Span | undefined = attachedComments(node)[0];
  const place = first?.start ?? node.getStart();
  const start = lineStart(text, place);
  // A class on one line has its fields there.
  return text.slice(start, place).trim() === "" ? start : place;
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

function fieldText({ local, name }: RestoredField, indent: string, end: ";" | ""): string {
  const { className, loop, declaration } = local;
  const statement = statementOf(local);
  const text = statement.getSourceFile().getFullText();
  const separate =
    declaration?.getInitializer() === undefined ? declaration?.getVariableStatement() : undefined;
  const commented = loop?.statement ?? separate ?? statement;
  const doc = docComment(commented);
  const comment =
    doc === undefined
      ? ""
      : `${indent}${reindent(text.slice(doc.start, doc.end), indentOf(commented), indent)}\n`;
  const value =
    loop === undefined
      ? `this.embed(${className})`
      : `this.embedArray(${className}, ${loop.count.getText()})`;
  return `${comment}${indent}private readonly ${name} = ${value}${end}\n`;
}
