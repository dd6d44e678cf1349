/** Whether an owned region needs a field, or a local in the method that creates it is enough. */
import { Node, SyntaxKind, ts } from "ts-morph";
import { creationPoint } from "../hazards/order.ts";
import { type RegionField, UseKind } from "../regions/facts.ts";
import { isWithin, memberOf } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { identifiersIn, namesIn } from "../source/node-index.ts";
import { hasLinesOfItsOwn } from "../source/trivia.ts";

/** Why an owned region needs a field; undefined if a local in the method that creates it is enough. */
export function reasonToKeep(field: RegionField): string | undefined {
  const { declaration, device, name } = field;
  const hidden = name.startsWith("#") || declaration.hasModifier(SyntaxKind.PrivateKeyword);
  if (!hidden) return "other code can reach it: it is not private";
  if (device.declaration.isAbstract()) return "subclasses share it: the class is abstract";
  const [creation, another] = field.creations;
  if (creation === undefined) return "nothing creates it";
  if (another !== undefined) return "it is created in several branches";
  const creator = memberOf(creation.statement, device.declaration);
  if (field.uses.some(({ kind }) => kind === UseKind.Type)) return "its type is named elsewhere";
  if (field.uses.some(({ kind }) => kind === UseKind.Destructure))
    return "a pattern takes it out of the device";
  const outside = field.uses.find(({ member }) => member !== creator);
  if (outside !== undefined) return `used in ${memberName(outside.member)}`;
  if (creator === undefined) return "nothing creates it";
  if (field.array) return reasonToKeepArray(field);
  if (field.uses.some(({ onThis }) => !onThis)) return "used on another object than this";
  if (field.uses.some(({ node }) => !isOnThisItself(node))) return "used under another name of this";
  const scope = creation.statement.getParent();
  const alone = creation.helper !== undefined || creation.call.getParent() === creation.statement;
  if (!alone || !Node.isBlock(scope) || !hasLinesOfItsOwn(creation.statement))
    return "its creation has no block of its own";
  const point = creationPoint(creation);
  for (const { node, kind } of field.uses) {
    if (kind === UseKind.Create) continue;
    if (!isWithin(node, scope)) return "used outside the block that creates it";
    if (node.getStart() < point.getStart()) return "a function declared before its creation uses it";
    if (isWithin(node, creation.statement)) return "its own creation refers to it";
  }
  const local = localNameOf(field);
  if (isReserved(local)) return `${local} cannot be the name of a local`;
  if (bindsName(creator, local)) return `${local} means something else in ${memberName(creator)}`;
  return undefined;
}

/** The name that a local would have in the place of a field. */
export function localNameOf({ name }: RegionField): string {
  return name.replace(/^#/, "");
}

function isOnThisItself(node: Node): boolean {
  const access = Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node);
  return access && Node.isThisExpression(innermost(node.getExpression()));
}

function reasonToKeepArray(field: RegionField): string | undefined {
  const loop = field.creations[0]?.loop;
  if (loop?.kind !== "array") return "it is not created by a loop over the array";
  if (field.uses.length > 1) return "used outside the loop that creates it";
  if (field.name !== `${loop.item}s`) return `its name is not the loop variable's (${loop.item}) with an s`;
  const uses = identifiersIn(loop.statement.getStatement(), loop.item);
  return uses.length > 1 ? undefined : "the loop only creates it";
}

/** The member's name as written in the source. */
export function memberName(member: Node | undefined): string {
  if (member === undefined) return "another class";
  if (Node.isConstructorDeclaration(member)) return "the constructor";
  return Node.hasName(member) ? member.getName() : "the class";
}

export function isReserved(name: string): boolean {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) return true;
  if (name === "arguments" || name === "eval" || name === "await" || name === "undefined") return true;
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, name);
  return scanner.scan() !== ts.SyntaxKind.Identifier;
}

/** True if `name` refers to a variable, parameter or import anywhere in `scope`. */
function bindsName(scope: Node, name: string): boolean {
  return namesIn(scope, name).some((node) => {
    const { parent } = node;
    const isKey =
      ts.isPropertyAccessExpression(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isMethodDeclaration(parent);
    return !(isKey && parent.name === node);
  });
}
