/** Which elements of an array of regions a statement means, as far as its text says so. */
import { ts } from "ts-morph";
import { type FlowProgram, strip } from "../flow/index.ts";

/** Indices that are known, or `all`: those of a loop from the start, and those that nothing is known about. */
export type Elements = ReadonlySet<number> | "all";

/** The elements that `this.windows[0]`, or `this.windows[i]` in a loop, stands for. */
export function elementsOf(program: FlowProgram, region: ts.Expression, count: number | undefined): Elements {
  const access = strip(region);
  if (!ts.isElementAccessExpression(access)) return "all";
  const index = strip(access.argumentExpression);
  if (ts.isNumericLiteral(index)) return new Set([Number(index.text)]);
  const first = ts.isIdentifier(index) ? startOf(program, index) : undefined;
  if (first === undefined || first === 0 || count === undefined) return "all";
  return new Set(Array.from({ length: Math.max(0, count - first) }, (_, place) => first + place));
}

/** Where a loop begins to count: `1` for the `i` of `for (let i = 1; …`. */
function startOf(program: FlowProgram, index: ts.Identifier): number | undefined {
  const declaration = program.declarationOf(index);
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return undefined;
  if (!ts.isForStatement(declaration.parent.parent)) return undefined;
  const { initializer } = declaration;
  return initializer !== undefined && ts.isNumericLiteral(initializer) ? Number(initializer.text) : undefined;
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
