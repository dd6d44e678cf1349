/** Finds owned regions that a method creates without a field, by the variable that holds them. */
import { type CallExpression, Node, type VariableDeclaration } from "ts-morph";
import type { Identity } from "../source/identity.ts";
import { hasLinesOfItsOwn } from "../source/trivia.ts";
import type { DeviceClass, LocalCreation, RegionLocal } from "./facts.ts";
import type { Made } from "./makers.ts";
import { Reason } from "./reasons.ts";
import { countingLoopOf, enclosingFunction, memberOf, outermost, usesOfBinding } from "./syntax.ts";

/** A creation that no field can take the place of, with the reason. */
export interface Misfit {
  readonly made: Made;
  readonly reason: Reason;
}

/** The regions that one variable holds, one after the other. */
export function localsOfVariable(
  declaration: VariableDeclaration,
  made: readonly Made[],
  device: DeviceClass,
  identity: Identity,
): (RegionLocal | Misfit)[] {
  const misfit = (reason: Reason): Misfit[] => made.map((each) => ({ made: each, reason }));
  const [first] = made;
  const statement = declaration.getVariableStatement();
  if (first === undefined || statement === undefined || statement.getDeclarations().length !== 1) {
    return misfit(Reason.LocalReassigned);
  }
  const name = declaration.getNameNode();
  if (!Node.isIdentifier(name)) return misfit(Reason.CreatedInExpression);
  const place = placeProblem(first.call, device, identity);
  if (place !== undefined) return misfit(place);
  const scope = memberOf(declaration, device.declaration);
  if (scope === undefined) return misfit(Reason.CreatedInExpression);
  const names = usesOfBinding(name, scope);
  const writes = writesOf(declaration, names);
  const calls = writes.map(({ value, at }) => creationAt(value, at, made));
  if (calls.some((call) => call === undefined)) return misfit(Reason.LocalReassigned);
  const found = calls.filter((call) => call !== undefined);
  const uses = names.filter((each) => !writes.some(({ target }) => target === each));
  const base = {
    device,
    declaration,
    name: name.getText(),
    className: first.className,
    loop: countingLoopOf(statement),
  };
  const whole = { ...base, calls: found, uses };
  if (declaration.getInitializer() === undefined && !hasLinesOfItsOwn(statement)) {
    return misfit(Reason.LocalReassigned); // its declaration could not be removed as a line
  }
  if (found.length === 1) return [whole];
  if (!isSequence(declaration, writes, uses)) return [whole];
  return found.map((call, index) => {
    const [from, to] = [call.statement.getStart(), found[index + 1]?.statement.getStart()];
    const own = uses.filter((use) => use.getStart() > from && (to === undefined || use.getStart() < to));
    return { ...base, calls: [call], uses: own };
  });
}

/** A region created as an argument of a statement that is a call: `this.initMmio(MemoryRegion.newIo(…));`. */
export function localOfArgument(made: Made, device: DeviceClass, identity: Identity): RegionLocal | Misfit {
  const misfit = (reason: Reason): Misfit => ({ made, reason });
  const value = outermost(made.call);
  const call = value.getParent();
  const statement = call?.getParent();
  if (!Node.isCallExpression(call) || !Node.isExpressionStatement(statement)) {
    return misfit(Reason.CreatedInExpression);
  }
  if (!Node.isBlock(statement.getParent()) || !hasLinesOfItsOwn(statement)) {
    return misfit(Reason.CreatedInExpression);
  }
  const index = call.getArguments().indexOf(value);
  const earlier = [call.getExpression(), ...call.getArguments().slice(0, index)];
  if (index < 0 || !earlier.every(isQuiet)) return misfit(Reason.CreatedInExpression);
  const place = placeProblem(made.call, device, identity);
  if (place !== undefined) return misfit(place);
  const { maker, className } = made;
  const creation: LocalCreation = { call: made.call, maker, statement, how: "argument" };
  const name = nameFor(made.call);
  return { device, declaration: undefined, name, className, calls: [creation], uses: [], loop: undefined };
}

/** Why nothing at the place of a creation could be a field of the device; undefined if it could. */
export function placeProblem(
  call: CallExpression,
  device: DeviceClass,
  identity: Identity,
): Reason | undefined {
  if (!identity.isDevice(device.declaration)) return Reason.NotQomObject;
  const member = memberOf(call, device.declaration);
  if (member === undefined || (Node.isStaticable(member) && member.isStatic())) {
    return Reason.CreatedInExpression;
  }
  return enclosingFunction(call) === member ? undefined : Reason.CreatedInClosure;
}

interface Write {
  readonly target: Node;
  readonly value: Node | undefined;
  readonly at: Node;
}

/** The initialiser and the assignments of a variable, in source order. */
function writesOf(declaration: VariableDeclaration, names: readonly Node[]): Write[] {
  const writes: Write[] = [];
  const initializer = declaration.getInitializer();
  if (initializer !== undefined) {
    writes.push({ target: declaration.getNameNode(), value: initializer, at: declaration });
  }
  for (const target of names) {
    const parent = target.getParent();
    if (!Node.isBinaryExpression(parent) || parent.getLeft() !== target) continue;
    const operator = parent.getOperatorToken().getText();
    if (operator === "=") writes.push({ target, value: parent.getRight(), at: parent });
    else if (/^(?:\?\?|\|\||&&)=$/.test(operator)) writes.push({ target, value: undefined, at: parent });
  }
  return writes;
}

function creationAt(value: Node | undefined, at: Node, made: readonly Made[]): LocalCreation | undefined {
  const found = made.find(({ call }) => call === value);
  if (found === undefined) return undefined;
  const { call, maker } = found;
  const statement = Node.isVariableDeclaration(at) ? at.getVariableStatement() : at.getParent();
  if (Node.isVariableStatement(statement)) return { call, maker, statement, how: "declared" };
  return Node.isExpressionStatement(statement) ? { call, maker, statement, how: "assigned" } : undefined;
}

/** True if the writes follow each other in one block, and every use has the value of the write above it. */
function isSequence(
  declaration: VariableDeclaration,
  writes: readonly Write[],
  uses: readonly Node[],
): boolean {
  const block = declaration.getVariableStatement()?.getParent();
  const around = enclosingFunction(declaration);
  return (
    writes.every(({ at }) => at === declaration || at.getParent()?.getParent() === block) &&
    uses.every((use) => enclosingFunction(use) === around)
  );
}

/** True for an expression whose evaluation neither does anything nor depends on what is done before it. */
function isQuiet(node: Node): boolean {
  if (Node.isPropertyAccessExpression(node)) return isQuiet(node.getExpression());
  return (
    Node.isIdentifier(node) ||
    Node.isThisExpression(node) ||
    Node.isLiteralExpression(node) ||
    Node.isTrueLiteral(node) ||
    Node.isFalseLiteral(node)
  );
}

/** A name for the field of a region that has none: from the region's own name if that is written out. */
export function nameFor(call: CallExpression, otherwise = "region"): string {
  const text = call.getArguments().find(Node.isStringLiteral)?.getLiteralText() ?? "";
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words
    .map((word, index) => (index === 0 ? word[0]?.toLowerCase() : word[0]?.toUpperCase()) + word.slice(1))
    .join("");
  return /^[A-Za-z]/.test(joined) ? joined : otherwise;
}
