/** Edits of one class, embedded to owned. */
import {
  type CallExpression,
  type ConditionalExpression,
  type ImportSpecifier,
  Node,
  SyntaxKind,
} from "ts-morph";
import { indexFor, isLengthOfArray } from "../hazards/creation.ts";
import { creationPoint } from "../hazards/order.ts";
import type { RegionConstructor } from "../regions/constructors.ts";
import {
  type Creation,
  type Helper,
  type IndexLoop,
  type RegionAllocation,
  type RegionField,
  UseKind,
} from "../regions/facts.ts";
import { regionArgument } from "../regions/helpers.ts";
import { childConstructor, childMakers, regionMakers } from "../regions/makers.ts";
import { isWithin } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import type { TextEdit } from "../source/edits.ts";
import { identifiersIn } from "../source/node-index.ts";
import {
  attachedComments,
  hasComment,
  hasLinesOfItsOwn,
  indentOf,
  lineEnd,
  lineStart,
  reindent,
  semicolonOf,
  trailingComment,
} from "../source/trivia.ts";
import { type JudgedDevice, ownUses } from "./3-judge.ts";
import type { Draft } from "./draft.ts";
import { localNameOf } from "./keep.ts";

export function planToOwned({ fields, allocations }: JudgedDevice, draft: Draft): void {
  const dropped: RegionField[] = [];
  for (const [field, verdict] of fields) {
    if (verdict.outcome !== "converted") continue;
    removeEmbedding(field, draft);
    if (verdict.treatment === "dropped") {
      dropped.push(field);
      drop(field, draft);
    } else keep(field, draft);
  }
  for (const [allocation, verdict] of allocations) {
    if (verdict.outcome === "converted") merge(allocation, draft);
  }
  removeImports(dropped, draft);
  const [first] = dropped;
  if (first !== undefined) for (const edit of removeFields(dropped)) draft.edit(first.declaration, edit);
}

/** `this.name = this.embed(MemoryRegion);` in the constructor. */
function removeEmbedding({ embedding }: RegionField, draft: Draft): void {
  if (embedding === undefined) return;
  const text = embedding.getSourceFile().getFullText();
  const first = attachedComments(embedding)[0]?.start ?? embedding.getStart();
  const [start, end] = [lineStart(text, first), lineEnd(text, embedding.getEnd())];
  draft.edit(embedding, { start, end, text: "" });
}

/** Where a helper creates the regions, their class may be without a use in the file of the device. */
function removeImports(dropped: readonly RegionField[], draft: Draft): void {
  for (const { declaration, className } of dropped.filter(isMadeByHelper)) {
    const gone = dropped.filter(isMadeByHelper).map((field) => field.declaration);
    const names = identifiersIn(declaration.getSourceFile(), className).filter(
      (node) => !gone.some((each) => isWithin(node, each)),
    );
    const specifier = names[0]?.getParent();
    if (names.length !== 1 || !Node.isImportSpecifier(specifier)) continue;
    draft.once(specifier, () => removeImport(specifier, draft));
  }
}

function isMadeByHelper({ creations }: RegionField): boolean {
  return creations.every(({ helper }) => helper !== undefined);
}

function removeImport(specifier: ImportSpecifier, draft: Draft): void {
  const declaration = specifier.getImportDeclaration();
  const specifiers = declaration.getNamedImports();
  const index = specifiers.indexOf(specifier);
  const [before, after] = [specifiers[index - 1], specifiers[index + 1]];
  if (before !== undefined || after !== undefined) {
    const start = after === undefined && before !== undefined ? before.getEnd() : specifier.getStart();
    draft.edit(specifier, { start, end: after?.getStart() ?? specifier.getEnd(), text: "" });
  } else if (declaration.getDefaultImport() === undefined && hasLinesOfItsOwn(declaration)) {
    const text = declaration.getSourceFile().getFullText();
    const start = lineStart(text, declaration.getStart());
    draft.edit(declaration, { start, end: lineEnd(text, declaration.getEnd()), text: "" });
  }
}

/** The region becomes a local of the method that creates it, and takes its comments along. */
function drop(field: RegionField, draft: Draft): void {
  const [creation] = field.creations;
  if (creation === undefined) return;
  const point = creationPoint(creation);
  const atLineEnd = fieldTrailing(field, creation);
  if (atLineEnd !== "") {
    const end = creation.statement.getEnd();
    draft.edit(creation.statement, { start: end, end, text: ` ${atLineEnd}` });
  }
  const comments = commentsOf(field, indentOf(point), atLineEnd === "");
  if (comments !== "") {
    const start = lineStart(textOf(field), point.getStart());
    draft.edit(point, { start, end: start, text: comments });
  }
  if (field.array) {
    convertLoop(field, creation, draft);
    create(creation, `const ${creation.loop?.kind === "array" ? creation.loop.item : ""} = `, field, draft);
    return;
  }
  const name = localNameOf(field);
  const isUsed = field.uses.some(({ kind }) => kind !== UseKind.Create);
  const isNamed = isUsed || (creation.helper === undefined && creation.maker !== childConstructor);
  create(creation, isNamed ? `const ${name} = ` : "", field, draft);
  const created = creation.call.getExpression();
  for (const use of ownUses(field)) {
    if (isWithin(use, created) || isGivenToCreator(use, creation)) continue;
    draft.replace(use, useAsLocal(use, name));
  }
}

/** The region stays reachable through a field that refers to it. */
function keep(field: RegionField, draft: Draft): void {
  const { declaration, name, className, array } = field;
  const modifiers = declaration.getModifiers().map((modifier) => modifier.getText());
  const kept = array ? modifiers : modifiers.filter((modifier) => modifier !== "readonly");
  const named = declaration.getTypeNode()?.getText() ?? className;
  const type = array ? `: ${className}[] = []` : `!: ${field.creations.some(isOfChild) ? named : className}`;
  draft.edit(declaration, {
    start: declaration.getStart(),
    end: declaration.getEnd(),
    text: [...kept, `${declaration.getNameNode().getText()}${type}${semicolonOf(declaration)}`].join(" "),
  });
  for (const creation of field.creations) {
    if (creation.loop?.kind === "array") {
      convertLoop(field, creation, draft);
      create(creation, `const ${creation.loop.item} = `, field, draft);
      const at = lineEnd(textOf(field), creation.statement.getEnd());
      const { item } = creation.loop;
      const stored = `this.${name}[${indexOf(creation)}] = ${item}${semicolonOf(creation.statement)}`;
      const store = `${indentOf(creation.statement)}${stored}\n`;
      draft.edit(creation.statement, { start: at, end: at, text: store });
    } else if (creation.loop?.kind === "indexed") {
      convertIndexed(field, creation, creation.loop, draft);
    } else create(creation, `${receiverOf(creation).getText()} = `, field, draft);
  }
}

/** In a loop over the indices, the element is assigned where it was initialised. */
function convertIndexed(field: RegionField, creation: Creation, loop: IndexLoop, draft: Draft): void {
  const { item, count, index } = loop;
  if (isLengthOfArray(count) && field.count !== undefined) {
    draft.edit(count, { start: count.getStart(), end: count.getEnd(), text: field.count.getText() });
  }
  if (item === undefined) {
    create(creation, `${receiverOf(creation).getText()} = `, field, draft);
    return;
  }
  const text = textOf(field);
  const [start, end] = [lineStart(text, item.getStart()), lineEnd(text, item.getEnd())];
  draft.edit(item, { start, end, text: "" });
  const name = item.getDeclarations()[0]?.getName() ?? "";
  create(creation, `const ${name} = `, field, draft);
  const at = lineEnd(text, creation.statement.getEnd());
  const store = `${indentOf(creation.statement)}this.${field.name}[${index}] = ${name}${semicolonOf(creation.statement)}\n`;
  draft.edit(creation.statement, { start: at, end: at, text: store });
}

/** The allocation goes, and the initialisation becomes a creation. */
function merge(allocation: RegionAllocation, draft: Draft): void {
  const { statement, init, maker, target, keyword, className } = allocation;
  const text = statement.getSourceFile().getFullText();
  const [start, end] = [lineStart(text, statement.getStart()), lineEnd(text, statement.getEnd())];
  const trailing = trailingComment(statement);
  const rest = trailing === "" ? "" : `${indentOf(statement)}${trailing}\n`;
  draft.edit(statement, { start, end, text: rest });
  replaceCallee(init, `${keyword}${target} = ${className}`, maker.new, draft);
}

/** `region.initIo` becomes `target = MemoryRegion.newIo`. */
function create(creation: Creation, target: string, { className }: RegionField, draft: Draft): void {
  const { call, maker, helper } = creation;
  if (helper !== undefined) {
    createByHelper(creation, helper, target, draft);
    return;
  }
  if (isOfChild(creation)) {
    const callee = call.getExpressionIfKindOrThrow(SyntaxKind.PropertyAccessExpression);
    const name = callee.getNameNode();
    draft.replace(call, { start: call.getStart(), end: call.getStart(), text: target });
    draft.replace(call, { start: name.getStart(), end: name.getEnd(), text: maker.new });
    const child = childMakers.subjectOf(call);
    if (child !== undefined)
      draft.replace(call, { start: child.getStart(), end: child.getEnd(), text: className });
    return;
  }
  const { statement } = creation;
  draft.once(statement, () => separate(statement, draft));
  replaceCallee(call, `${target}${className}`, maker.new, draft);
}

/** A statement `condition ? one : other` becomes an `if`, in which each creation is a statement. */
function separate(statement: Node, draft: Draft): void {
  const value = Node.isExpressionStatement(statement) ? statement.getExpression() : undefined;
  if (!Node.isConditionalExpression(value)) return;
  const [indent, end] = [indentOf(statement), semicolonOf(statement)];
  const split = (alternatives: ConditionalExpression): void => {
    const [condition, one, other] = [
      alternatives.getCondition(),
      alternatives.getWhenTrue(),
      alternatives.getWhenFalse(),
    ];
    const replace = (from: number, to: number, text: string) =>
      draft.replace(statement, { start: from, end: to, text });
    replace(condition.getStart(), condition.getStart(), "if (");
    replace(condition.getEnd(), one.getStart(), ") ");
    replace(one.getEnd(), other.getStart(), `${end}\n${indent}else `);
    if (Node.isConditionalExpression(other)) split(other);
  };
  split(value);
}

/** `initWindow(this, this.window, "a")` becomes `target = initWindow(this, "a")`, and the function returns the region. */
function createByHelper({ call, maker }: Creation, helper: Helper, target: string, draft: Draft): void {
  const argument = call.getArguments()[helper.fn.getParameters().indexOf(helper.parameter)];
  if (argument === undefined) return;
  draft.replace(call, { start: call.getStart(), end: call.getStart(), text: target });
  draft.replace(call, { start: argument.getStart(), end: argument.getEnd(), text: "" });
  draft.once(helper.fn, () => returnRegion(helper, maker, draft));
}

function returnRegion(
  { fn, parameter, className, init }: Helper,
  maker: RegionConstructor,
  draft: Draft,
): void {
  const parameters = fn.getParameters();
  const index = parameters.indexOf(parameter);
  const [before, after] = [parameters[index - 1], parameters[index + 1]];
  const start = after === undefined && before !== undefined ? before.getEnd() : parameter.getStart();
  const end = after?.getStart() ?? parameter.getEnd();
  draft.edit(fn, { start, end, text: "" });
  const type = fn.getReturnTypeNode();
  if (type !== undefined) draft.edit(fn, { start: type.getStart(), end: type.getEnd(), text: className });
  replaceCallee(init, `const ${parameter.getName()} = ${className}`, maker.new, draft);
  const statement = init.getParent();
  const body = fn.getBody();
  if (statement === undefined || body === undefined) return;
  const at = lineStart(fn.getSourceFile().getFullText(), body.getEnd() - 1);
  draft.edit(fn, {
    start: at,
    end: at,
    text: `${indentOf(statement)}return ${parameter.getName()}${semicolonOf(statement)}\n`,
  });
}

/** True for the region that a helper initialises, or the child that `initializeChild` does. */
function isGivenToCreator(use: Node, { call, helper, maker }: Creation): boolean {
  if (maker === childConstructor) return isWithin(use, childMakers.subjectOf(call) ?? call);
  return helper !== undefined && isWithin(use, call);
}

function isOfChild({ maker }: Creation): boolean {
  return maker === childConstructor;
}

/** Replaces the two parts of `receiver.method`, and what is between them unless that is a comment. */
function replaceCallee(call: CallExpression, receiver: string, method: string, draft: Draft): void {
  const callee = call.getExpression();
  if (!Node.isPropertyAccessExpression(callee)) return;
  const [object, name] = [callee.getExpression(), callee.getNameNode()];
  const between = callee.getSourceFile().getFullText().slice(object.getEnd(), name.getStart());
  if (!hasComment(between)) {
    const text = `${receiver}.${method}`;
    draft.replace(callee, { start: callee.getStart(), end: callee.getEnd(), text });
    return;
  }
  draft.replace(callee, { start: callee.getStart(), end: object.getEnd(), text: receiver });
  const dot = callee.getQuestionDotTokenNode();
  if (dot !== undefined) draft.replace(callee, { start: dot.getStart(), end: dot.getEnd(), text: "." });
  draft.replace(callee, { start: name.getStart(), end: name.getEnd(), text: method });
}

/** The access to the field that a creation initialises. */
function receiverOf({ call, helper, maker }: Creation): Node {
  if (helper !== undefined) return regionArgument(call, helper) ?? call;
  const makers = maker === childConstructor ? childMakers : regionMakers;
  return innermost(makers.subjectOf(call) ?? call.getExpression());
}

/** The loop over the array becomes a loop over its indices. */
function convertLoop({ count }: RegionField, creation: Creation, draft: Draft): void {
  const { loop } = creation;
  if (loop?.kind !== "array" || count === undefined) return;
  const index = indexOf(creation);
  const head = `for (let ${index} = 0; ${index} < ${count.getText()}; ${index}++) `;
  const [start, end] = [loop.statement.getStart(), loop.statement.getStatement().getStart()];
  draft.edit(loop.statement, { start, end, text: head });
}

function indexOf({ loop }: Creation): string {
  return loop?.kind === "array" ? (indexFor(loop) ?? "") : "";
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
  const ends = edits.flatMap(({ end }) => semicolonBefore(end, fields) ?? []);
  return [...edits.map((edit) => withoutDoubleBlank(edit, fields)), ...ends];
}

/** Without semicolons, the field above would go on in a member such as `[KEY]()` or `*steps()`: the dropped one ended it. */
function semicolonBefore(end: number, fields: readonly RegionField[]): TextEdit | undefined {
  const last = fields.find(
    ({ declaration }) => lineEnd(declaration.getSourceFile().getFullText(), declaration.getEnd()) === end,
  );
  if (last === undefined || !/^\s*[[(*]/.test(textOf(last).slice(end))) return undefined;
  const dropped = new Set<Node>(fields.map(({ declaration }) => declaration));
  const above = last.device.declaration
    .getMembers()
    .filter((each) => each.getEnd() < last.declaration.getStart() && !dropped.has(each))
    .at(-1);
  if (!Node.isPropertyDeclaration(above) || semicolonOf(above) === ";") return undefined;
  return { start: above.getEnd(), end: above.getEnd(), text: ";" };
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
