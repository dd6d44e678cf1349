/** Whether a region is created on every path through the method that creates it. */
import { Node } from "ts-morph";
import type { Refusal, RegionField } from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { describeUse, enclosingFunction, isWithin, memberOf } from "../regions/syntax.ts";
import { creationPoint } from "./order.ts";

/**
 * A region that one branch creates may be used in that branch, or under an `if` with the same condition. Elsewhere, an
 * embedded region would exist uninitialised, and an owned one would not exist.
 */
export function createdConditionally(field: RegionField): Refusal | undefined {
  const points = field.creations.map(creationPoint);
  const [first] = points;
  const creator = first && memberOf(first, field.device.declaration);
  if (first === undefined || !Node.isBodyable(creator) || covers(creator.getBody(), points)) return undefined;
  const branch = points.length === 1 ? conditionalBranch(first, creator) : undefined;
  const exposed = field.uses.find(({ node }) => {
    if (points.some((point) => isWithin(node, point) || followsInBlock(node, point))) return false;
    return branch === undefined || !isGuarded(node, branch);
  });
  if (exposed === undefined) return undefined;
  return { reason: Reason.CreatedConditionally, node: exposed.node, detail: describeUse(exposed.node) };
}

/** True for a node after the creation in the same block: control that reaches it has passed the creation. */
function followsInBlock(node: Node, point: Node): boolean {
  const block = point.getParent();
  return block !== undefined && isWithin(node, block) && node.getStart() >= point.getEnd();
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
  const returns = [statement, ...statement.getDescendants()].filter(Node.isReturnStatement);
  return returns.some((each) => enclosingFunction(each) === around);
}

interface Branch {
  readonly condition: string;
  readonly taken: boolean;
}

/** The only branch on which the creation depends; undefined if it depends on several branches, or on anything else. */
function conditionalBranch(point: Node, creator: Node): Branch | undefined {
  const branches: Branch[] = [];
  let inner = point;
  for (const ancestor of point.getAncestors()) {
    if (ancestor === creator) break;
    if (Node.isIfStatement(ancestor)) {
      const taken = isWithin(inner, ancestor.getThenStatement());
      branches.push({ condition: ancestor.getExpression().getText(), taken });
    } else if (!Node.isBlock(ancestor)) return undefined;
    inner = ancestor;
  }
  const [branch, another] = branches;
  const returnsEarly = returnsBefore(creator, point);
  return another === undefined && !returnsEarly ? branch : undefined;
}

function returnsBefore(creator: Node, point: Node): boolean {
  const around = enclosingFunction(point);
  return creator
    .getDescendants()
    .some(
      (each) =>
        Node.isReturnStatement(each) &&
        enclosingFunction(each) === around &&
        each.getEnd() < point.getStart(),
    );
}

function isGuarded(node: Node, branch: Branch): boolean {
  return node.getAncestors().some((ancestor) => {
    if (!Node.isIfStatement(ancestor) || ancestor.getExpression().getText() !== branch.condition)
      return false;
    const guarded = branch.taken ? ancestor.getThenStatement() : ancestor.getElseStatement();
    return guarded !== undefined && isWithin(node, guarded);
  });
}
