/** Which elements of an array of regions a statement means, as far as its text says so. */
import { ts } from "ts-morph";
import { accessOf, type FlowProgram, type Frame, strip } from "../flow/index.ts";
import { isOwnRegion, type Target } from "./targets.ts";
import type { Watch } from "./watch.ts";

/** Indices that are known, or `all`: those of a loop from the start, and those that nothing is known about. */
export type Elements = ReadonlySet<number> | "all";

/**
 * The elements that `this.windows[0]`, `this.windows[i]` in a loop, or the variable of a loop over `this.windows.slice(1)` stands
 * for.
 */
export function elementsOf(program: FlowProgram, region: ts.Expression, count: number | undefined): Elements {
  const access = strip(region);
  if (ts.isIdentifier(access)) return elementsOfSlice(program, iteratedBy(program, access), count);
  if (!ts.isElementAccessExpression(access)) return "all";
  const index = strip(access.argumentExpression);
  if (ts.isNumericLiteral(index)) return new Set([Number(index.text)]);
  return ts.isIdentifier(index) ? valuesOf(program, index, count) : "all";
}

/** What `for (const name of …)` goes over, or `….forEach((name) => …)`. */
function iteratedBy(program: FlowProgram, name: ts.Identifier): ts.Expression | undefined {
  const declared = program.declarationOf(name);
  if (declared === undefined) return undefined;
  if (ts.isVariableDeclaration(declared)) {
    const loop = declared.parent.parent;
    return ts.isForOfStatement(loop) ? givenTo(program, loop.expression) : undefined;
  }
  if (!ts.isParameter(declared) || declared.parent.parameters[0] !== declared) return undefined;
  const call = declared.parent.parent;
  const access = ts.isCallExpression(call) ? accessOf(strip(call.expression)) : undefined;
  return access?.name === "forEach" ? givenTo(program, access.object) : undefined;
}

/** The expression, or what it was that a constant was given. */
function givenTo(program: FlowProgram, expression: ts.Expression): ts.Expression {
  const bare = strip(expression);
  const declared = ts.isIdentifier(bare) ? program.declarationOf(bare) : undefined;
  if (declared === undefined || !ts.isVariableDeclaration(declared)) return bare;
  const isConstant = (ts.getCombinedNodeFlags(declared) & ts.NodeFlags.Const) !== 0;
  return isConstant && declared.initializer !== undefined ? strip(declared.initializer) : bare;
}

function elementsOfSlice(
  program: FlowProgram,
  list: ts.Expression | undefined,
  count: number | undefined,
): Elements {
  if (list === undefined || count === undefined || !ts.isCallExpression(list)) return "all";
  if (accessOf(strip(list.expression))?.name !== "slice") return "all";
  const limits = list.arguments.map((each) => integerOf(program, each));
  const [start = 0, end = count] = limits;
  if (limits.includes(undefined)) return "all";
  const indices = Array.from({ length: count }, (_, index) => index);
  return new Set(indices.slice(start, end));
}

function integerOf(program: FlowProgram, expression: ts.Expression): number | undefined {
  const bare = strip(expression);
  if (!ts.isPrefixUnaryExpression(bare)) return numberOf(program, bare);
  const value = numberOf(program, bare.operand);
  return value !== undefined && bare.operator === ts.SyntaxKind.MinusToken ? -value : undefined;
}

/** The region that a loop meets more than once because its list has it more than once: `for (const each of [a, a])`. */
export function metTwice(watch: Watch, region: ts.Expression, frame: Frame): Target | undefined {
  const name = strip(region);
  const list = ts.isIdentifier(name) ? iteratedBy(watch.program, name) : undefined;
  if (list === undefined) return undefined;
  for (const source of watch.callees.sources.of(list, frame)) {
    if (source.kind !== "expression" || !ts.isArrayLiteralExpression(source.node)) continue;
    const met = new Set<Target>();
    for (const each of source.node.elements) {
      const [target, ...others] = watch.targets.of(each, source.frame);
      if (target === undefined || others.length > 0 || target.many || !isOwnRegion(target)) continue;
      if (met.has(target)) return target;
      met.add(target);
    }
  }
  return undefined;
}

/** The values of an index that a `for` loop counts up or down by one; of a bound that is not known, up to the last element. */
function valuesOf(program: FlowProgram, index: ts.Identifier, count: number | undefined): Elements {
  const declaration = program.declarationOf(index);
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return "all";
  const { initializer, parent } = declaration;
  const loop = parent.parent;
  if (!ts.isForStatement(loop) || initializer === undefined) return "all";
  const first = placeOf(program, initializer, count);
  const step = stepOf(loop.incrementor);
  const { condition } = loop;
  if (first === undefined || step === undefined || condition === undefined) return "all";
  if (!ts.isBinaryExpression(condition) || condition.left.getText() !== index.text) return "all";
  const bound = placeOf(program, condition.right, count);
  const isEnd = comparisons[step].get(condition.operatorToken.kind);
  if (isEnd === undefined) return "all";
  if (bound !== undefined) {
    const last = isEnd ? bound : bound - step;
    return step > 0 ? range(first, last) : range(last, first);
  }
  return step < 0 || first === 0 || count === undefined ? "all" : range(first, count - 1);
}

/** Comparisons that go on while the bound has not been passed, by the step: whether the bound itself is taken. */
const comparisons: Readonly<Record<1 | -1, ReadonlyMap<ts.SyntaxKind, boolean>>> = {
  1: new Map([
    [ts.SyntaxKind.LessThanToken, false],
    [ts.SyntaxKind.LessThanEqualsToken, true],
    [ts.SyntaxKind.ExclamationEqualsEqualsToken, false],
  ]),
  [-1]: new Map([
    [ts.SyntaxKind.GreaterThanToken, false],
    [ts.SyntaxKind.GreaterThanEqualsToken, true],
    [ts.SyntaxKind.ExclamationEqualsEqualsToken, false],
  ]),
};

function range(first: number, last: number): ReadonlySet<number> {
  return new Set(Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => first + place));
}

function stepOf(step: ts.Expression | undefined): 1 | -1 | undefined {
  if (step === undefined) return undefined;
  if (ts.isPostfixUnaryExpression(step) || ts.isPrefixUnaryExpression(step)) {
    if (step.operator === ts.SyntaxKind.PlusPlusToken) return 1;
    return step.operator === ts.SyntaxKind.MinusMinusToken ? -1 : undefined;
  }
  if (!ts.isBinaryExpression(step) || step.right.getText() !== "1") return undefined;
  if (step.operatorToken.kind === ts.SyntaxKind.PlusEqualsToken) return 1;
  return step.operatorToken.kind === ts.SyntaxKind.MinusEqualsToken ? -1 : undefined;
}

/** A number, the length of an array of `count` elements, or the difference of such. */
function placeOf(
  program: FlowProgram,
  expression: ts.Expression,
  count: number | undefined,
): number | undefined {
  const bare = strip(expression);
  if (accessOf(bare)?.name === "length") return count;
  if (!ts.isBinaryExpression(bare)) return integerOf(program, bare);
  if (bare.operatorToken.kind !== ts.SyntaxKind.MinusToken) return undefined;
  const [left, right] = [placeOf(program, bare.left, count), placeOf(program, bare.right, count)];
  return left === undefined || right === undefined ? undefined : left - right;
}

/** The number of elements that `this.embedArray(MemoryRegion, 4)`, or the loop around a creation, makes; if it is written out. */
export function countOf(program: FlowProgram, made: ts.Node): number | undefined {
  const [, count] =
    ts.isCallExpression(made) && /embedArray$/.test(made.expression.getText()) ? made.arguments : [];
  if (count !== undefined) return numberOf(program, count);
  for (let each = made.parent; each !== undefined && !ts.isFunctionLike(each); each = each.parent) {
    if (!ts.isForStatement(each)) continue;
    const { condition } = each;
    const bound = condition !== undefined && ts.isBinaryExpression(condition) ? condition : undefined;
    return bound?.operatorToken.kind === ts.SyntaxKind.LessThanToken
      ? numberOf(program, bound.right)
      : undefined;
  }
  return undefined;
}

function numberOf(program: FlowProgram, expression: ts.Expression): number | undefined {
  const bare = strip(expression);
  if (ts.isNumericLiteral(bare)) return Number(bare.text);
  const declaration = ts.isIdentifier(bare) ? program.declarationOf(bare) : undefined;
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return undefined;
  const isConstant = (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0;
  const value = declaration.initializer;
  return isConstant && value !== undefined && ts.isNumericLiteral(strip(value))
    ? Number(value.getText())
    : undefined;
}

/** True if some element was added that is not removed. */
export function leavesSome(
  added: readonly Elements[],
  removed: readonly Elements[],
  count: number | undefined,
): boolean {
  if (removed.includes("all")) return false;
  const gone = new Set(removed.flatMap((each) => (each === "all" ? [] : [...each])));
  if (added.includes("all")) return count !== undefined && gone.size < count;
  return added.some((each) => each !== "all" && [...each].some((index) => !gone.has(index)));
}
