/** Hazards in how a region is created. */
import { type CallExpression, Node, type SourceFile, SyntaxKind } from "ts-morph";
import {
  type ArrayLoop,
  type CountingLoop,
  type Creation,
  type IndexLoop,
  type Refusal,
  type RegionField,
  UseKind,
} from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import {
  callOn,
  changeOfIndex,
  describeUse,
  enclosingFunction,
  firstLine,
  isConstantCount,
  isWithin,
  memberOf,
  usesOfBinding,
} from "../regions/syntax.ts";
import type { Fate } from "../regions/trace.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { descendantsOfKind, identifiersIn } from "../source/node-index.ts";
import { hasComment, hasLinesOfItsOwn, trailingComment } from "../source/trivia.ts";

/** Something other than a plain statement of the class, or of one derived from it, initialises the region. */
export function createdElsewhere(
  { uses }: RegionField,
  targets: ReadonlySet<SourceFile>,
): Refusal | undefined {
  for (const { node, kind, member, onThis, inDerived } of uses) {
    if (kind !== UseKind.Create && kind !== UseKind.CreateInExpression) continue;
    if (inDerived && targets.has(node.getSourceFile())) continue;
    if (inDerived || member === undefined || (!onThis && kind === UseKind.Create)) {
      const reason = isOnName(node) ? Reason.CreatedElsewhere : Reason.CreatedInExpression;
      return { reason, node, detail: describeUse(node) };
    }
  }
  return undefined;
}

/** False for `(…, this).window`: which object that is takes more than a name. */
function isOnName(node: Node): boolean {
  const access = Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node);
  const object = access ? innermost(node.getExpression()) : node;
  return !Node.isBinaryExpression(object) && !Node.isConditionalExpression(object);
}

export function createdInExpression({ uses }: RegionField): Refusal | undefined {
  const use = uses.find(({ kind }) => kind === UseKind.CreateInExpression);
  if (use === undefined) return undefined;
  return { reason: Reason.CreatedInExpression, node: use.node, detail: describeUse(use.node) };
}

/** The region is initialised under another name: a parameter's, a variable's, another object's. */
export function createdUnderOtherName(
  { array, uses, creations }: RegionField,
  fates: readonly Fate[],
): Refusal | undefined {
  const isKnown = (node: Node) => creations.some(({ helper }) => helper?.init === node);
  const found = array
    ? undefined
    : fates.find(({ kind, via, node }) => kind === "create" && via.size > 0 && !isKnown(node));
  if (found === undefined) return undefined;
  const helper = found.via.has("parameter") && !found.via.has("property");
  const given = helper ? uses.find(({ kind }) => kind === UseKind.Argument)?.node : undefined;
  const node = given ?? receiverOf(found.node) ?? found.node;
  const reason = helper ? Reason.CreatedByHelper : Reason.CreatedThroughAlias;
  return { reason, node, detail: describeUse(node) };
}

export function arrayShape(field: RegionField, fates: readonly Fate[]): Refusal | undefined {
  if (!field.array) return undefined;
  const refuse = (node: Node): Refusal => ({ reason: Reason.ArrayShape, node, detail: firstLine(node) });
  const [creation, another] = field.creations;
  if (creation === undefined || another !== undefined) return refuse(another?.statement ?? field.declaration);
  const other = fates.find(({ kind, node }) => kind === "create" && node !== creation.call);
  if (other !== undefined) return refuse(other.node);
  const { loop } = creation;
  if (loop === undefined || leavesEarly(creation) || hasStrangeText(loop)) return refuse(creation.statement);
  const creator = memberOf(creation.statement, field.device.declaration);
  const count = field.form === "owned" && loop.kind !== "array" ? loop.count : field.count;
  const isKnown = count !== undefined && (isConstantCount(count, creator) || isFixedProperty(count, field));
  if (!isKnown) return refuse(count ?? field.declaration);
  if (loop.kind !== "array") {
    const moved = changeOfIndex(loop) ?? strangeBound(loop, count);
    if (moved !== undefined) return refuse(moved);
  }
  const early = itemOf(creation, creator)?.find((use) => use.getStart() < creation.statement.getStart());
  if (early !== undefined) return refuse(early);
  const resized = field.uses.find(
    ({ node }) => resizing.has(callOn(node)?.method ?? "") && !isStore(node, loop),
  );
  if (resized !== undefined) return refuse(resized.node);
  return loop.kind === "array" && indexFor(loop) === undefined ? refuse(loop.statement) : undefined;
}

/** To owned only: `this.lanes`, which the declaration sets once and for all. An embedded field might stand above it. */
function isFixedProperty(count: Node, { form, device }: RegionField): boolean {
  if (form !== "embedded" || !Node.isPropertyAccessExpression(count)) return false;
  if (!Node.isThisExpression(count.getExpression())) return false;
  const property = device.declaration.getInstanceProperty(count.getName());
  if (!Node.isPropertyDeclaration(property) || !property.isReadonly()) return false;
  const value = property.getInitializer();
  return value !== undefined && isConstantCount(value, undefined);
}

/** Methods after which an array has other elements than the loop made. */
const resizing = new Set(["push", "unshift", "pop", "shift", "splice", "fill", "copyWithin"]);

function isStore(node: Node, loop: Creation["loop"]): boolean {
  return loop?.kind === "counting" && loop.store !== undefined && isWithin(node, loop.store);
}

/** The bound of a loop that is neither the array's count nor its length. */
function strangeBound({ count: bound }: CountingLoop | IndexLoop, count: Node): Node | undefined {
  return bound.getText() === count.getText() || isLengthOfArray(bound) ? undefined : bound;
}

/** `this.windows.length`. */
export function isLengthOfArray(bound: Node): boolean {
  return Node.isPropertyAccessExpression(bound) && bound.getName() === "length";
}

/** The uses of the name that a loop has for the element. */
function itemOf({ loop }: Creation, creator: Node | undefined): Node[] | undefined {
  const name =
    loop?.kind === "array"
      ? loop.itemNode
      : loop?.kind === "indexed"
        ? loop.item?.getDeclarations()[0]?.getNameNode()
        : undefined;
  return name && creator && usesOfBinding(name, creator);
}

/** The index that a loop over an array has, or one that it could have. */
export function indexFor({ index, statement }: ArrayLoop): string | undefined {
  return index ?? ["i", "index", "number", "position"].find((name) => !mentions(statement, name));
}

/** An iteration that ends before its region is created would leave a gap. */
function leavesEarly({ statement }: Creation): boolean {
  const block = statement.getParent();
  if (block === undefined) return false;
  const jumps = jumpKinds.flatMap((kind): Node[] => descendantsOfKind(block, kind));
  return jumps.some((jump) => jump.getEnd() < statement.getStart());
}

const jumpKinds = [
  SyntaxKind.BreakStatement,
  SyntaxKind.ContinueStatement,
  SyntaxKind.ReturnStatement,
] as const;

/** Text that a conversion would lose: comments in the loop's head, or beside the statement that stores the region. */
function hasStrangeText(loop: ArrayLoop | CountingLoop | IndexLoop): boolean {
  const { statement } = loop;
  const head = statement.getText().slice(0, statement.getStatement().getStart() - statement.getStart());
  if (hasComment(head)) return true;
  if (loop.kind === "indexed" && loop.item === undefined) return false; // only the element is edited
  if (!Node.isBlock(statement.getStatement())) return true;
  if (loop.kind === "indexed" && loop.item !== undefined) {
    return !hasLinesOfItsOwn(loop.item) || trailingComment(loop.item) !== "";
  }
  const store = loop.kind === "counting" ? loop.store : undefined;
  return store !== undefined && (!hasLinesOfItsOwn(store) || trailingComment(store) !== "");
}

function mentions(scope: Node, name: string): boolean {
  return identifiersIn(scope, name).length > 0;
}

/** A comment between the parts that a conversion replaces would be lost. */
export function commentInside({ creations, declaration, form, name }: RegionField): Refusal | undefined {
  if (hasComment(declaration.getText())) return { reason: Reason.FieldForm, node: declaration, detail: name };
  const lossy = creations.find(({ statement, call, loop }) => {
    if (loop !== undefined) return hasComment(leadOf(statement, call.getExpression()));
    if (form !== "owned") return false; // only the receiver and the name are replaced
    return hasComment(leadOf(statement, objectOf(call)));
  });
  if (lossy === undefined) return undefined;
  return { reason: Reason.CommentInside, node: lossy.statement, detail: firstLine(lossy.statement) };
}

/** The text of a statement up to the end of an expression in it. */
export function leadOf(statement: Node, expression: Node): string {
  return statement.getText().slice(0, expression.getEnd() - statement.getStart());
}

/** `MemoryRegion` in `MemoryRegion.newIo(…)`. */
export function objectOf(call: CallExpression): Node {
  const callee = call.getExpression();
  return Node.isPropertyAccessExpression(callee) ? callee.getExpression() : callee;
}

export function neverCreated({ creations, declaration, name }: RegionField): Refusal | undefined {
  if (creations.length > 0) return undefined;
  return { reason: Reason.NeverCreated, node: declaration, detail: name };
}

export function createdInClosure({ creations, device }: RegionField): Refusal | undefined {
  const nested = creations.find(({ statement }) => {
    const around = enclosingFunction(statement);
    return (
      around !== memberOf(statement, device.declaration) && !Node.isClassDeclaration(around?.getParent())
    );
  });
  if (nested === undefined) return undefined;
  return { reason: Reason.CreatedInClosure, node: nested.statement, detail: firstLine(nested.statement) };
}

/** A failed constructor has already released the region that its handler would touch. */
export function usedAfterFailure({ creations, uses }: RegionField): Refusal | undefined {
  for (const { statement } of creations) {
    for (const attempt of statement.getAncestors()) {
      if (!Node.isTryStatement(attempt) || !isWithin(statement, attempt.getTryBlock())) continue;
      const handlers = [attempt.getCatchClause(), attempt.getFinallyBlock()];
      const late = uses.find(
        ({ node, kind }) =>
          kind !== UseKind.Create && handlers.some((each) => each !== undefined && isWithin(node, each)),
      );
      if (late !== undefined) {
        return { reason: Reason.UsedAfterFailure, node: late.node, detail: describeUse(late.node) };
      }
    }
  }
  return undefined;
}

function receiverOf(call: Node): Node | undefined {
  const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
  return Node.isPropertyAccessExpression(callee) ? callee.getExpression() : undefined;
}
