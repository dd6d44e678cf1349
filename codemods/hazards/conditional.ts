/** The conditions under which code runs, as far as the text says. */
import { type BinaryExpression, Node, SyntaxKind } from "ts-morph";
import type { RegionField } from "../regions/facts.ts";
import { Phase } from "../regions/lifecycle.ts";
import { declarationsOf, type NameIndex } from "../regions/names.ts";
import { assigns, enclosingFunction, isWithin, isWritten, memberOf } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { descendantsOfKind } from "../source/node-index.ts";
import { creationPoint, phaseOf } from "./order.ts";

/** A condition that is known to hold, or known not to hold. */
export interface Guard {
  readonly condition: Node;
  readonly text: string;
  readonly holds: boolean;
}

/** Everything that has been tested when control reaches `node`: enclosing branches, and branches that leave early. */
export function guardsOf(node: Node): Guard[] {
  const around = enclosingFunction(node);
  const guards: Guard[] = [];
  let inner = node;
  for (const ancestor of node.getAncestors()) {
    if (ancestor === around) break;
    if (Node.isIfStatement(ancestor)) {
      const condition = ancestor.getExpression();
      if (isWithin(inner, ancestor.getThenStatement())) guards.push(...parts(condition, true));
      else if (inner !== condition) guards.push(...parts(condition, false));
    } else if (Node.isConditionalExpression(ancestor) && inner !== ancestor.getCondition()) {
      guards.push(...parts(ancestor.getCondition(), inner === ancestor.getWhenTrue()));
    } else if (isAnd(ancestor) && inner === ancestor.getRight()) {
      guards.push(...parts(ancestor.getLeft(), true));
    } else if (Node.isBlock(ancestor)) guards.push(...leftEarly(ancestor, inner));
    inner = ancestor;
  }
  return guards;
}

/** `if (condition) return;` above `statement` in its block. */
function leftEarly(block: Node, statement: Node): Guard[] {
  if (!Node.isBlock(block)) return [];
  const above = block.getStatements().filter((each) => each.getEnd() <= statement.getStart());
  return above.flatMap((each) => {
    if (!Node.isIfStatement(each) || each.getElseStatement() !== undefined) return [];
    const then = each.getThenStatement();
    const last = Node.isBlock(then) ? then.getStatements().at(-1) : then;
    const leaves = Node.isReturnStatement(last) || Node.isThrowStatement(last);
    return leaves ? parts(each.getExpression(), false) : [];
  });
}

/** A condition taken apart: both parts of `a && b` hold if it does, neither part of `a || b` if it does not. */
function parts(condition: Node, holds: boolean): Guard[] {
  const bare = innermost(condition);
  if (Node.isPrefixUnaryExpression(bare) && bare.getOperatorToken() === SyntaxKind.ExclamationToken) {
    return parts(bare.getOperand(), !holds);
  }
  if (Node.isBinaryExpression(bare)) {
    const kind = bare.getOperatorToken().getKind();
    const splits = holds ? SyntaxKind.AmpersandAmpersandToken : SyntaxKind.BarBarToken;
    if (kind === splits) return [...parts(bare.getLeft(), holds), ...parts(bare.getRight(), holds)];
  }
  return [{ condition: bare, text: bare.getText(), holds }];
}

function isAnd(node: Node): node is BinaryExpression {
  return (
    Node.isBinaryExpression(node) && node.getOperatorToken().getKind() === SyntaxKind.AmpersandAmpersandToken
  );
}

/**
 * True for a condition whose value cannot change once the device is realized: it reads constants, and fields that are
 * assigned, if at all, while the device is constructed and configured.
 */
export function isStable(condition: Node, names: NameIndex): boolean {
  const node = innermost(condition);
  if (Node.isLiteralExpression(node) || Node.isTrueLiteral(node) || Node.isFalseLiteral(node)) return true;
  if (Node.isNullLiteral(node)) return true;
  if (Node.isPrefixUnaryExpression(node)) return isStable(node.getOperand(), names);
  if (Node.isBinaryExpression(node)) {
    return !assigns(node) && isStable(node.getLeft(), names) && isStable(node.getRight(), names);
  }
  if (Node.isIdentifier(node)) {
    const [declaration] = declarationsOf(node);
    if (node.getText() === "undefined") return true;
    const statement = Node.isVariableDeclaration(declaration) && declaration.getVariableStatement();
    return statement !== undefined && statement !== false && statement.getDeclarationKind() === "const";
  }
  if (!Node.isPropertyAccessExpression(node)) return false;
  if (!Node.isThisExpression(innermost(node.getExpression()))) return false;
  const [field] = declarationsOf(node.getNameNode());
  return Node.isPropertyDeclaration(field) && isSettled(field, names);
}

/** True if no code assigns the field after the device has been configured. */
function isSettled(field: Node, names: NameIndex): boolean {
  const holder = field.getParent();
  if (!Node.isPropertyDeclaration(field) || !Node.isClassDeclaration(holder)) return false;
  if (field.isReadonly()) return true;
  return names.referencesTo([field], field.getName()).every((name) => {
    const access = name.getParent();
    if (access === undefined || !isWritten(access)) return true;
    const member = memberOf(access, holder);
    return member !== undefined && phaseOf(member, holder) <= Phase.Init;
  });
}

/** True if every path that completes the creating method normally passes one of the creations. */
export function coversAllPaths({ creations, device }: RegionField): boolean {
  const points = creations.map(creationPoint);
  const creator = points[0] && memberOf(points[0], device.declaration);
  return !Node.isBodyable(creator) || covers(creator.getBody(), points);
}

/** True if every path that completes `node` normally passes one of the creations. */
function covers(node: Node | undefined, points: readonly Node[]): boolean {
  if (node === undefined) return false;
  if (points.includes(node) || Node.isThrowStatement(node)) return true;
  if (Node.isBlock(node) || Node.isCaseClause(node) || Node.isDefaultClause(node)) {
    return coversList(node.getStatements(), points);
  }
  if (Node.isIfStatement(node)) {
    return covers(node.getThenStatement(), points) && covers(node.getElseStatement(), points);
  }
  if (Node.isSwitchStatement(node)) {
    const clauses = node.getClauses();
    return clauses.some(Node.isDefaultClause) && clauses.every((clause) => covers(clause, points));
  }
  if (Node.isTryStatement(node)) {
    const handler = node.getCatchClause()?.getBlock();
    return covers(node.getTryBlock(), points) && (handler === undefined || covers(handler, points));
  }
  return false;
}

function coversList(statements: readonly Node[], points: readonly Node[]): boolean {
  for (const statement of statements) {
    if (covers(statement, points)) return true;
    if (mayReturn(statement)) return false;
  }
  return false;
}

function mayReturn(statement: Node): boolean {
  const around = enclosingFunction(statement);
  if (Node.isReturnStatement(statement)) return true;
  const returns = descendantsOfKind(statement, SyntaxKind.ReturnStatement);
  return returns.some((each) => enclosingFunction(each) === around);
}
