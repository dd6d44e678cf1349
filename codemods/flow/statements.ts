/** Statements: branches join, loops run to a fixed point, `break`, `return` and exceptions leave by their own edges. */
import { ts } from "ts-morph";
import { newExits } from "./exits.ts";
import { decide, declareClass, evaluate } from "./expressions.ts";
import type { Frame } from "./frames.ts";
import { disposed, iterated } from "./implied.ts";
import { isAssignmentPattern, takeApart } from "./patterns.ts";
import { strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** The state after a statement; undefined if it does not complete. */
export function execute<S>(walker: Walker<S>, node: ts.Statement, state: S, frame: Frame): S | undefined {
  const after = step(walker, node, state, frame);
  return after === undefined ? undefined : walker.done(node, after, frame);
}

function sequence<S>(
  walker: Walker<S>,
  nodes: readonly ts.Statement[],
  state: S,
  frame: Frame,
): S | undefined {
  const run = () => {
    let current: S | undefined = state;
    for (const node of nodes) {
      if (current === undefined) return undefined;
      current = execute(walker, node, current, frame);
    }
    return current;
  };
  const used = nodes.flatMap(usedIn);
  if (used.length === 0) return run();
  return leaving(walker, run, (left) =>
    used.reduceRight((current, each) => disposed(walker, each, current, frame), left),
  );
}

function step<S>(walker: Walker<S>, node: ts.Statement, state: S, frame: Frame): S | undefined {
  if (ts.isBlock(node)) return sequence(walker, node.statements, state, frame);
  if (ts.isExpressionStatement(node)) return evaluate(walker, node.expression, state, frame);
  if (ts.isVariableStatement(node)) return declare(walker, node.declarationList, state, frame);
  if (ts.isIfStatement(node)) {
    const { yes, no } = decide(walker, node.expression, state, frame);
    const then = yes === undefined ? undefined : execute(walker, node.thenStatement, yes, frame);
    const other =
      no === undefined || node.elseStatement === undefined
        ? no
        : execute(walker, node.elseStatement, no, frame);
    return walker.join(then, other);
  }
  if (ts.isReturnStatement(node)) {
    const value = node.expression === undefined ? state : evaluate(walker, node.expression, state, frame);
    if (value !== undefined)
      walker.exits.returned = walker.join(walker.exits.returned, walker.done(node, value, frame));
    return undefined;
  }
  if (ts.isThrowStatement(node)) {
    const value = evaluate(walker, node.expression, state, frame);
    walker.exits.thrown = walker.join(walker.exits.thrown, value);
    return undefined;
  }
  if (ts.isBreakOrContinueStatement(node)) {
    const target = targetOf(node);
    const exits = ts.isBreakStatement(node) ? walker.exits.broken : walker.exits.continued;
    const joined = walker.join(target === undefined ? undefined : exits.get(target), state);
    if (target !== undefined && joined !== undefined) exits.set(target, joined);
    return undefined;
  }
  if (ts.isTryStatement(node)) return attempt(walker, node, state, frame);
  if (ts.isSwitchStatement(node)) return choose(walker, node, state, frame);
  if (ts.isLabeledStatement(node)) {
    const after = execute(walker, node.statement, state, frame);
    return walker.join(after, takeBreak(walker, node));
  }
  if (ts.isIterationStatement(node, false)) return loop(walker, node, state, frame);
  if (ts.isClassDeclaration(node)) return declareClass(walker, node, state, frame);
  return state; // declarations of functions and types
}

/** The values that a statement declares by `using`. */
function usedIn(node: ts.Statement): readonly ts.Expression[] {
  if (!ts.isVariableStatement(node)) return [];
  const kind = node.declarationList.flags & ts.NodeFlags.BlockScoped;
  if (kind !== ts.NodeFlags.Using && kind !== ts.NodeFlags.AwaitUsing) return [];
  return node.declarationList.declarations.flatMap(({ initializer }) => initializer ?? []);
}

export function declare<S>(
  walker: Walker<S>,
  list: ts.VariableDeclarationList,
  state: S,
  frame: Frame,
): S | undefined {
  let current: S | undefined = state;
  for (const each of list.declarations) {
    if (current === undefined) return undefined;
    if (each.initializer !== undefined) {
      current = evaluate(walker, each.initializer, current, frame);
      if (current !== undefined && !ts.isIdentifier(each.name)) {
        const sources = walker.callees.sources.of(each.initializer, frame);
        current = takeApart(walker, each.name, sources, current, frame);
      }
    }
    if (current !== undefined) current = walker.done(each, current, frame);
  }
  return current;
}

function loop<S>(walker: Walker<S>, node: ts.IterationStatement, state: S, frame: Frame): S | undefined {
  let start: S | undefined = state;
  if (ts.isForStatement(node) && node.initializer !== undefined) {
    start = ts.isVariableDeclarationList(node.initializer)
      ? declare(walker, node.initializer, state, frame)
      : evaluate(walker, node.initializer, state, frame);
  } else if (ts.isForOfStatement(node) || ts.isForInStatement(node)) {
    start = evaluate(walker, node.expression, state, frame);
    if (ts.isForOfStatement(node)) start = iterated(walker, node.expression, start, frame);
  }
  if (start === undefined) return undefined;
  let done: S | undefined;
  const round = (head: S, first: boolean): S | undefined => {
    let inside: S | undefined = head;
    const condition = conditionOf(node);
    if (condition !== undefined && !(first && ts.isDoStatement(node))) {
      const { yes, no } = decide(walker, condition, head, frame);
      if (!(first && runsOnce(walker, node, frame))) done = walker.join(done, no);
      inside = yes;
    } else if (condition === undefined && !isEndless(node)) {
      if (!(first && runsOnce(walker, node, frame))) done = walker.join(done, head);
    }
    if (inside !== undefined && ts.isForOfStatement(node)) inside = next(walker, node, inside, frame);
    if (inside === undefined) return undefined;
    let after = execute(walker, node.statement, inside, frame);
    after = walker.join(after, takeContinue(walker, node));
    if (after !== undefined && ts.isForStatement(node) && node.incrementor !== undefined)
      after = evaluate(walker, node.incrementor, after, frame);
    return after;
  };
  const once = round(start, true);
  if (once !== undefined) walker.repeat(once, (head) => round(head, false));
  return walker.join(done, takeBreak(walker, node));
}

/** An element is given to the pattern at the head of a loop. */
function next<S>(walker: Walker<S>, node: ts.ForOfStatement, state: S, frame: Frame): S | undefined {
  const { initializer } = node;
  const target = ts.isVariableDeclarationList(initializer)
    ? initializer.declarations[0]?.name
    : strip(initializer);
  if (target === undefined || ts.isIdentifier(target)) return state;
  const isPattern =
    ts.isObjectBindingPattern(target) || ts.isArrayBindingPattern(target) || isAssignmentPattern(target);
  if (!isPattern) return state;
  const { sources } = walker.callees;
  const elements = sources.of(node.expression, frame).flatMap((each) => sources.elementsOf(each));
  return takeApart(walker, target, elements, state, frame);
}

function conditionOf(node: ts.IterationStatement): ts.Expression | undefined {
  if (ts.isForStatement(node)) return node.condition;
  return ts.isWhileStatement(node) || ts.isDoStatement(node) ? node.expression : undefined;
}

/** `for (;;)`: only a `break` ends it. */
function isEndless(node: ts.IterationStatement): boolean {
  return ts.isForStatement(node) && node.condition === undefined;
}

/** True for a loop with a constant bound, or over an array of constant length, that is not zero. */
function runsOnce<S>(walker: Walker<S>, node: ts.IterationStatement, frame: Frame): boolean {
  if (ts.isForOfStatement(node)) {
    return walker.callees.sources.of(node.expression, frame).some((source) => {
      const held = source.kind === "field" ? walker.callees.sources.contents(source) : [source];
      return (
        held.length > 0 && held.every((each) => each.kind === "expression" && lengthOf(walker, each.node) > 0)
      );
    });
  }
  if (!ts.isForStatement(node) || node.condition === undefined) return false;
  const { condition, initializer } = node;
  if (!ts.isBinaryExpression(condition) || initializer === undefined) return false;
  if (!ts.isVariableDeclarationList(initializer)) return false;
  const from = constantOf(walker, initializer.declarations[0]?.initializer);
  const to = constantOf(walker, condition.right);
  if (from === undefined || to === undefined) return false;
  const { kind } = condition.operatorToken;
  if (kind === ts.SyntaxKind.LessThanToken) return from < to;
  return kind === ts.SyntaxKind.LessThanEqualsToken && from <= to;
}

function lengthOf<S>(walker: Walker<S>, node: ts.Node): number {
  if (ts.isArrayLiteralExpression(node))
    return node.elements.some(ts.isSpreadElement) ? 0 : node.elements.length;
  if (!ts.isCallExpression(node)) return 0;
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : "";
  return name === "embedArray" ? (constantOf(walker, node.arguments[1]) ?? 0) : 0;
}

/** The value of a literal, or of a constant that is one. */
function constantOf<S>(walker: Walker<S>, node: ts.Expression | undefined): number | undefined {
  if (node === undefined) return undefined;
  const bare = strip(node);
  if (ts.isNumericLiteral(bare)) return Number(bare.text);
  const name = ts.isPropertyAccessExpression(bare) ? bare.name : bare;
  if (!ts.isIdentifier(name)) return undefined;
  const declaration = walker.program.declarationOf(name);
  const value = declaration === undefined ? undefined : fixedValue(declaration);
  return value !== undefined && ts.isNumericLiteral(strip(value))
    ? Number(strip(value).getText())
    : undefined;
}

/** The initialiser of a `const`, or of a `static readonly` field. */
function fixedValue(declaration: ts.Declaration): ts.Expression | undefined {
  if (ts.isVariableDeclaration(declaration))
    return declaration.parent.flags & ts.NodeFlags.Const ? declaration.initializer : undefined;
  if (!ts.isPropertyDeclaration(declaration)) return undefined;
  const fixed = ts.ModifierFlags.Static | ts.ModifierFlags.Readonly;
  return (ts.getCombinedModifierFlags(declaration) & fixed) === fixed ? declaration.initializer : undefined;
}

function takeBreak<S>(walker: Walker<S>, node: ts.Node): S | undefined {
  const state = walker.exits.broken.get(node);
  walker.exits.broken.delete(node);
  return state;
}

function takeContinue<S>(walker: Walker<S>, node: ts.Node): S | undefined {
  const state = walker.exits.continued.get(node);
  walker.exits.continued.delete(node);
  return state;
}

/** The loop, switch or labelled statement that a `break` or `continue` leaves. */
function targetOf(node: ts.BreakOrContinueStatement): ts.Node | undefined {
  for (
    let each: ts.Node = node.parent;
    !ts.isFunctionLike(each) && each.parent !== undefined;
    each = each.parent
  ) {
    if (node.label === undefined) {
      if (ts.isIterationStatement(each, false)) return each;
      if (ts.isBreakStatement(node) && ts.isSwitchStatement(each)) return each;
    } else if (ts.isLabeledStatement(each) && each.label.text === node.label.text) {
      let inner: ts.Statement = each.statement;
      while (ts.isLabeledStatement(inner)) inner = inner.statement;
      return ts.isContinueStatement(node) ? inner : each;
    }
  }
  return undefined;
}

function choose<S>(walker: Walker<S>, node: ts.SwitchStatement, state: S, frame: Frame): S | undefined {
  let current = evaluate(walker, node.expression, state, frame);
  const entered = new Map<ts.CaseOrDefaultClause, S | undefined>();
  const { clauses } = node.caseBlock;
  for (const clause of clauses) {
    if (!ts.isCaseClause(clause) || current === undefined) continue;
    current = evaluate(walker, clause.expression, current, frame);
    entered.set(clause, current);
  }
  const fallback = clauses.find(ts.isDefaultClause);
  if (fallback !== undefined) entered.set(fallback, current);
  let through: S | undefined;
  for (const clause of clauses) {
    const start: S | undefined = walker.join(through, entered.get(clause));
    through = start === undefined ? undefined : sequence(walker, clause.statements, start, frame);
  }
  const missed = fallback === undefined ? current : undefined;
  return walker.join(walker.join(through, missed), takeBreak(walker, node));
}

function attempt<S>(walker: Walker<S>, node: ts.TryStatement, state: S, frame: Frame): S | undefined {
  const { catchClause, finallyBlock } = node;
  const run = () => {
    walker.catching++;
    const after = execute(walker, node.tryBlock, state, frame);
    walker.catching--;
    const { thrown } = walker.exits;
    if (catchClause === undefined || thrown === undefined) return after;
    walker.exits.thrown = undefined;
    const guarded = finallyBlock === undefined ? 0 : 1;
    walker.catching += guarded;
    const caught = execute(walker, catchClause.block, thrown, frame);
    walker.catching -= guarded;
    return walker.join(after, caught);
  };
  return leaving(walker, run, (left) =>
    finallyBlock === undefined ? left : execute(walker, finallyBlock, left, frame),
  );
}

/** Runs something, and `last` however it is left. */
function leaving<S>(
  walker: Walker<S>,
  run: () => S | undefined,
  last: (left: S) => S | undefined,
): S | undefined {
  const outer = walker.exits;
  const tried = newExits<S>();
  walker.exits = tried;
  const after = run();
  walker.exits = outer;
  const finished = (left: S | undefined): S | undefined => (left === undefined ? undefined : last(left));
  // `last` may itself return, throw or break, so it runs before the exits are read that it adds to.
  const [failed, returned] = [finished(tried.thrown), finished(tried.returned)];
  outer.thrown = walker.join(outer.thrown, failed);
  outer.returned = walker.join(outer.returned, returned);
  outer.suspended = walker.join(outer.suspended, tried.suspended);
  for (const [inner, outside] of [
    [tried.broken, outer.broken],
    [tried.continued, outer.continued],
  ] as const)
    for (const [target, state] of inner) {
      const left = finished(state);
      const joined = walker.join(outside.get(target), left);
      if (joined !== undefined) outside.set(target, joined);
    }
  return finished(after);
}
