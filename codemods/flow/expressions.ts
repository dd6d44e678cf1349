/** Expressions, in the order in which JavaScript evaluates them. */
import { ts } from "ts-morph";
import { accessorsOf, mayBeMissing, runAccessors } from "./accessors.ts";
import { CallbackTime } from "./callees.ts";
import type { Frame, Source } from "./frames.ts";
import { asText, copied, handedOver, instanceTested, iterated, storedOutOfSight } from "./implied.ts";
import { isHidden, keepFunction, keepMethod, keepName } from "./kept.ts";
import { isAssignmentPattern, takeApart } from "./patterns.ts";
import type { ClassShape } from "./program.ts";
import { accessOf, isCompoundAssignment, isFunctionExpression, isStatic, stores, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** The state after an expression; undefined if it has no value, because it throws. */
export function evaluate<S>(
  walker: Walker<S>,
  expression: ts.Expression,
  state: S,
  frame: Frame,
): S | undefined {
  const node = strip(expression);
  if (!ts.isOptionalChain(node) || continuesChain(node)) return value(walker, node, state, frame);
  const outer = walker.cut;
  walker.cut = undefined;
  const after = value(walker, node, state, frame);
  const result = walker.join(after, walker.cut);
  walker.cut = outer;
  return result;
}

/** True for a link of an optional chain that goes on: `a?.b` in `a?.b.c`. */
function continuesChain(node: ts.Node): boolean {
  const { parent } = node;
  return parent !== undefined && ts.isOptionalChain(parent) && parent.expression === node;
}

function value<S>(walker: Walker<S>, node: ts.Expression, state: S, frame: Frame): S | undefined {
  if (isFunctionExpression(node)) {
    keepFunction(walker, node, frame);
    return walker.done(node, state, frame);
  }
  if (ts.isIdentifier(node)) {
    keepName(walker, node, frame);
    return walker.done(node, state, frame);
  }
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node))
    return access(walker, node, state, frame, false);
  if (ts.isCallExpression(node)) return call(walker, node, state, frame);
  if (ts.isNewExpression(node)) return make(walker, node, state, frame);
  if (ts.isBinaryExpression(node)) return binary(walker, node, state, frame);
  if (ts.isConditionalExpression(node)) {
    const { yes, no } = decide(walker, node.condition, state, frame);
    const then = yes === undefined ? undefined : evaluate(walker, node.whenTrue, yes, frame);
    const other = no === undefined ? undefined : evaluate(walker, node.whenFalse, no, frame);
    return finish(walker, node, walker.join(then, other), frame);
  }
  if (ts.isAwaitExpression(node)) {
    const after = evaluate(walker, node.expression, state, frame);
    if (after !== undefined) {
      walker.mayThrow(after);
      walker.exits.suspended = walker.join(walker.exits.suspended, after);
    }
    return finish(walker, node, after, frame);
  }
  if (ts.isYieldExpression(node)) {
    let after = node.expression === undefined ? state : evaluate(walker, node.expression, state, frame);
    if (node.asteriskToken !== undefined && node.expression !== undefined)
      after = iterated(walker, node.expression, after, frame);
    if (after !== undefined) walker.exits.suspended = walker.join(walker.exits.suspended, after);
    return finish(walker, node, after, frame);
  }
  if (ts.isClassExpression(node))
    return finish(walker, node, declareClass(walker, node, state, frame), frame);
  if (ts.isTaggedTemplateExpression(node)) return tagged(walker, node, state, frame);
  return finish(walker, node, children(walker, node, state, frame), frame);
}

function finish<S>(walker: Walker<S>, node: ts.Node, state: S | undefined, frame: Frame): S | undefined {
  return state === undefined ? undefined : walker.done(node, state, frame);
}

/** Literals, templates, unary operators and the like: the parts, in order. */
function children<S>(walker: Walker<S>, node: ts.Node, state: S, frame: Frame): S | undefined {
  let current: S | undefined = state;
  const visit = (child: ts.Node): void => {
    if (
      current === undefined ||
      ts.isTypeNode(child) ||
      (ts.isToken(child) === true && !ts.isIdentifier(child))
    ) {
      if (child.kind === ts.SyntaxKind.ThisKeyword && current !== undefined)
        current = walker.done(child, current, frame);
      return;
    }
    if (ts.isMethodDeclaration(child) || ts.isAccessor(child)) {
      current = named(walker, child.name, current, frame);
      walker.register({
        fn: child,
        self: [{ kind: "expression", node, frame }],
        bindings: new Map(),
        outer: frame,
      });
      return;
    }
    if (ts.isPropertyAssignment(child)) {
      current = named(walker, child.name, current, frame);
      if (current !== undefined) current = evaluate(walker, child.initializer, current, frame);
    } else if (ts.isShorthandPropertyAssignment(child)) {
      keepName(walker, child.name, frame);
      current = walker.done(child.name, current, frame);
    } else if (ts.isTemplateSpan(child)) {
      current = evaluate(walker, child.expression, current, frame);
      if (!ts.isTaggedTemplateExpression(node.parent))
        current = asText(walker, child.expression, current, frame);
    } else if (ts.isSpreadElement(child) || ts.isSpreadAssignment(child)) {
      current = evaluate(walker, child.expression, current, frame);
      if (ts.isSpreadElement(child)) current = iterated(walker, child.expression, current, frame);
      else if (current !== undefined)
        current = copied(walker, walker.callees.sources.of(child.expression, frame), current, frame);
      if (current !== undefined) current = walker.done(child, current, frame);
    } else if (ts.isExpression(child)) current = evaluate(walker, child, current, frame);
  };
  ts.forEachChild(node, visit);
  if (ts.isPrefixUnaryExpression(node) && node.operator !== ts.SyntaxKind.ExclamationToken)
    current = asText(walker, node.operand, current, frame);
  if (current !== undefined && isStep(node)) current = set(walker, strip(node.operand), node, current, frame);
  return current;
}

/** `value++` and its like. */
function isStep(node: ts.Node): node is ts.PostfixUnaryExpression | ts.PrefixUnaryExpression {
  if (ts.isPostfixUnaryExpression(node)) return true;
  const steps: readonly ts.SyntaxKind[] = [ts.SyntaxKind.PlusPlusToken, ts.SyntaxKind.MinusMinusToken];
  return ts.isPrefixUnaryExpression(node) && steps.includes(node.operator);
}

/** Runs the setters of what is assigned to; the value that they are given is that of `by`. */
function set<S>(
  walker: Walker<S>,
  target: ts.Expression,
  by: ts.Node,
  state: S,
  frame: Frame,
): S | undefined {
  if (!ts.isPropertyAccessExpression(target) && !ts.isElementAccessExpression(target)) return state;
  return runAccessors(walker, accessorsOf(walker, target, frame, "set"), by, state, frame);
}

/** The name of a member, which may be computed. */
function named<S>(walker: Walker<S>, name: ts.PropertyName, state: S, frame: Frame): S | undefined {
  if (!ts.isComputedPropertyName(name)) return state;
  return asText(walker, name.expression, evaluate(walker, name.expression, state, frame), frame);
}

/** `object.name`: a getter runs; a method that is not called at once may be called by whoever gets it. */
function access<S>(
  walker: Walker<S>,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  state: S,
  frame: Frame,
  called: boolean,
): S | undefined {
  let current: S | undefined = receiver(walker, node.expression, state, frame);
  if (current === undefined) return undefined;
  if (node.questionDotToken !== undefined) current = unlessMissing(walker, node.expression, current, frame);
  if (ts.isElementAccessExpression(node)) {
    current = key(walker, node, current, frame);
    if (current === undefined) return undefined;
  }
  const name = accessOf(node)?.name;
  current = runAccessors(walker, accessorsOf(walker, node, frame, "get"), node, current, frame);
  if (current === undefined) return undefined;
  if (!called && name !== undefined) keepMethod(walker, node, name, frame);
  return walker.done(node, current, frame);
}

/** The key of `object[key]`, which becomes a text. */
function key<S>(walker: Walker<S>, node: ts.ElementAccessExpression, state: S, frame: Frame): S | undefined {
  const after = evaluate(walker, node.argumentExpression, state, frame);
  return asText(walker, node.argumentExpression, after, frame);
}

/** The state in which an optional chain goes on after `expression`. */
function unlessMissing<S>(walker: Walker<S>, expression: ts.Expression, state: S, frame: Frame): S {
  if (!mayBeMissing(walker, expression)) return state;
  const condition = strip(expression);
  walker.cut = walker.join(
    walker.cut,
    walker.emit({ kind: "branch", condition, taken: false, frame }, state),
  );
  return walker.emit({ kind: "branch", condition, taken: true, frame }, state);
}

function receiver<S>(walker: Walker<S>, node: ts.Expression, state: S, frame: Frame): S | undefined {
  if (strip(node).kind === ts.SyntaxKind.SuperKeyword) return state;
  // A link of a chain shares the chain's short cut, unless parentheses or `!` close it off.
  const bare = strip(node);
  return ts.isOptionalChain(bare) && bare === node
    ? value(walker, bare, state, frame)
    : evaluate(walker, node, state, frame);
}

/** A template with a tag calls the tag. */
function tagged<S>(
  walker: Walker<S>,
  node: ts.TaggedTemplateExpression,
  state: S,
  frame: Frame,
): S | undefined {
  let current = callee(walker, strip(node.tag), state, frame);
  if (current !== undefined) current = evaluate(walker, node.template, current, frame);
  if (current === undefined) return undefined;
  walker.mayThrow(current);
  const found = walker.callees.sources.functionsOf(node.tag, frame);
  let after: S | undefined = found.length === 1 ? undefined : current;
  for (const { fn, self, frame: outer } of found) {
    const inner = walker.callees.frameFor(fn, node, self, outer, frame);
    after = walker.join(after, walker.invoke(fn, inner, current));
  }
  return finish(walker, node, after, frame);
}

/** What is called, before its arguments are evaluated. */
function callee<S>(walker: Walker<S>, target: ts.Expression, state: S, frame: Frame): S | undefined {
  if (ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target))
    return access(walker, target, state, frame, true);
  if (target.kind === ts.SyntaxKind.SuperKeyword || isFunctionExpression(target)) return state;
  return ts.isIdentifier(target) ? walker.done(target, state, frame) : evaluate(walker, target, state, frame);
}

/** A class is declared: what it extends, names that are computed, static fields and blocks. */
export function declareClass<S>(
  walker: Walker<S>,
  node: ts.ClassLikeDeclaration,
  state: S,
  frame: Frame,
): S | undefined {
  const home: Frame = { ...frame, self: [] };
  let current: S | undefined = state;
  for (const { types } of node.heritageClauses ?? [])
    for (const { expression } of types)
      if (current !== undefined && ts.isClassLike(node))
        current = evaluate(walker, expression, current, frame);
  for (const { name } of node.members)
    if (current !== undefined && name !== undefined) current = named(walker, name, current, frame);
  for (const member of node.members) {
    if (current === undefined) return undefined;
    if (ts.isClassStaticBlockDeclaration(member))
      current = walker.steps.execute(walker, member.body, current, home);
    else if (ts.isPropertyDeclaration(member) && isStatic(member) && member.initializer !== undefined)
      current = evaluate(walker, member.initializer, current, home);
  }
  return current;
}

function call<S>(walker: Walker<S>, node: ts.CallExpression, state: S, frame: Frame): S | undefined {
  const target = strip(node.expression);
  let current = callee(walker, target, state, frame);
  if (current === undefined) return undefined;
  if (node.questionDotToken !== undefined) current = unlessMissing(walker, node.expression, current, frame);
  current = args(walker, node.arguments, current, frame);
  return current === undefined ? undefined : walker.call(node, current, frame);
}

/** Arguments; functions among them are left to the call, which knows when they run. */
function args<S>(
  walker: Walker<S>,
  list: readonly ts.Expression[] | undefined,
  state: S,
  frame: Frame,
): S | undefined {
  let current: S | undefined = state;
  for (const each of list ?? []) {
    if (current === undefined) return undefined;
    const bare = strip(each);
    if (isFunctionExpression(bare)) current = walker.done(bare, current, frame);
    else if (ts.isIdentifier(bare)) current = walker.done(bare, current, frame);
    else if (ts.isSpreadElement(bare)) {
      current = evaluate(walker, bare.expression, current, frame);
      current = iterated(walker, bare.expression, current, frame);
      if (current !== undefined) current = walker.done(bare, current, frame);
    } else current = evaluate(walker, bare, current, frame);
  }
  return current;
}

function make<S>(walker: Walker<S>, node: ts.NewExpression, state: S, frame: Frame): S | undefined {
  const given = args(walker, node.arguments, state, frame);
  if (given === undefined) return undefined;
  walker.mayThrow(given);
  const shape = walker.callees.sources.shapeMadeBy(node);
  if (shape === undefined) {
    const library = /^(?:Map|Set|Array|Error|\w+Array|DataView|Date|WeakMap|WeakSet|RegExp)$/.test(
      node.expression.getText(),
    );
    const time = library ? CallbackTime.Many : CallbackTime.Either;
    const after = walker.callbacks(node, time, given, frame);
    const handed = after === undefined ? undefined : handedOver(walker, node, after, frame);
    return finish(walker, node, handed, frame);
  }
  const self: readonly Source[] = [{ kind: "expression", node, frame }];
  const after = construct(walker, shape, self, node, given, frame);
  return after === undefined ? undefined : walker.done(node, after, frame, true);
}

/** Field initialisers and constructors, base to derived. A constructor's part before `super` runs after it here. */
export function construct<S>(
  walker: Walker<S>,
  shape: ClassShape,
  self: readonly Source[],
  call: ts.Node | undefined,
  state: S,
  caller: Frame,
): S | undefined {
  let current: S | undefined = state;
  for (const each of [...shape.chain].reverse()) {
    const home: Frame = {
      fn: undefined,
      self,
      bindings: new Map(),
      outer: caller,
      caller,
      call,
      depth: caller.depth + 1,
    };
    for (const member of each.members) {
      if (current === undefined) return undefined;
      if (!ts.isPropertyDeclaration(member) || isStatic(member)) continue;
      if (member.initializer !== undefined) {
        const bare = strip(member.initializer);
        if (!isFunctionExpression(bare)) current = evaluate(walker, bare, current, home);
      }
      if (current !== undefined) current = walker.done(member, current, home);
    }
    const made = each.members.find(
      (member): member is ts.ConstructorDeclaration =>
        ts.isConstructorDeclaration(member) && member.body !== undefined,
    );
    if (made === undefined || current === undefined) continue;
    const frame =
      call === undefined
        ? { ...home, fn: made }
        : walker.callees.frameFor(made, call, self, undefined, caller);
    current = walker.run(made, frame, current);
  }
  return current;
}

function binary<S>(walker: Walker<S>, node: ts.BinaryExpression, state: S, frame: Frame): S | undefined {
  const { kind } = node.operatorToken;
  if (isCompoundAssignment(node)) return assign(walker, node, state, frame);
  if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
    const { yes, no } = decide(walker, node, state, frame);
    return finish(walker, node, walker.join(yes, no), frame);
  }
  const left = evaluate(walker, node.left, state, frame);
  if (left === undefined) return undefined;
  if (kind !== ts.SyntaxKind.QuestionQuestionToken) {
    let after = evaluate(walker, node.right, left, frame);
    if (kind === ts.SyntaxKind.InstanceOfKeyword) after = instanceTested(walker, node.right, after, frame);
    if (kind === ts.SyntaxKind.InKeyword) after = asText(walker, node.left, after, frame);
    if (converts.has(kind))
      for (const each of [node.left, node.right]) after = asText(walker, each, after, frame);
    return finish(walker, node, after, frame);
  }
  if (!mayBeMissing(walker, node.left)) return walker.done(node, left, frame);
  const { yes, no } = tested(walker, strip(node.left), left, frame);
  return finish(walker, node, walker.join(yes, evaluate(walker, node.right, no, frame)), frame);
}

/** Operators that turn objects into texts or numbers. */
const converts: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PlusToken,
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.AsteriskToken,
  ts.SyntaxKind.AsteriskAsteriskToken,
  ts.SyntaxKind.SlashToken,
  ts.SyntaxKind.PercentToken,
  ts.SyntaxKind.AmpersandToken,
  ts.SyntaxKind.BarToken,
  ts.SyntaxKind.CaretToken,
  ts.SyntaxKind.LessThanLessThanToken,
  ts.SyntaxKind.GreaterThanGreaterThanToken,
  ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

function assign<S>(walker: Walker<S>, node: ts.BinaryExpression, state: S, frame: Frame): S | undefined {
  const target = strip(node.left);
  let current: S | undefined = state;
  const field = ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target);
  if (field) current = receiver(walker, target.expression, state, frame);
  if (current !== undefined && ts.isElementAccessExpression(target))
    current = key(walker, target, current, frame);
  if (current === undefined) return undefined;
  const reads = node.operatorToken.kind !== ts.SyntaxKind.EqualsToken;
  if (reads && field)
    current = runAccessors(walker, accessorsOf(walker, target, frame, "get"), target, current, frame);
  if (current === undefined) return undefined;
  let before = reads ? walker.done(target, current, frame) : current;
  let kept: S | undefined;
  if (reads && stores(node)) {
    const { yes, no } = tested(walker, target, before, frame);
    const onTruth = node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandEqualsToken;
    kept = onTruth ? no : yes;
    before = onTruth ? yes : no;
  }
  let after = stored(walker, node, target, before, frame);
  if (after !== undefined) after = set(walker, target, node, after, frame);
  if (after !== undefined && field && stores(node))
    after = storedOutOfSight(walker, target, node.right, after, frame);
  if (after !== undefined && !reads && isAssignmentPattern(target))
    after = takeApart(walker, target, walker.callees.sources.of(node.right, frame), after, frame);
  if (after !== undefined && !reads) after = walker.done(target, after, frame);
  after = finish(walker, node, after, frame);
  return walker.join(kept, after);
}

/** The right side of an assignment. A function stored in a private field is called by the class alone. */
function stored<S>(
  walker: Walker<S>,
  node: ts.BinaryExpression,
  target: ts.Expression,
  state: S,
  frame: Frame,
): S | undefined {
  const right = strip(node.right);
  if (walker.unrealized && isOfOthers(walker, target, frame)) walker.handOver(right, frame);
  if (!isFunctionExpression(right)) {
    const after = evaluate(walker, right, state, frame);
    if (stores(node)) return after;
    return asText(walker, right, asText(walker, target, after, frame), frame);
  }
  const hidden = ts.isIdentifier(target) || isHidden(walker, target, frame);
  if (!hidden) keepFunction(walker, right, frame);
  return walker.done(right, state, frame);
}

/** True for a field of an object that neither is the device nor was made by followed code. */
function isOfOthers<S>({ callees: { sources } }: Walker<S>, target: ts.Expression, frame: Frame): boolean {
  const object = accessOf(target)?.object;
  if (object === undefined) return false;
  return sources
    .of(object, frame)
    .flatMap((each) => (each.kind === "field" || each.kind === "element" ? sources.contents(each) : [each]))
    .some(
      (each) =>
        each.kind === "expression" &&
        !ts.isObjectLiteralExpression(each.node) &&
        !(ts.isNewExpression(each.node) && sources.shapeMadeBy(each.node) !== undefined),
    );
}

/** The states in which a condition is true and false. */
export function decide<S>(
  walker: Walker<S>,
  expression: ts.Expression,
  state: S,
  frame: Frame,
): { readonly yes: S | undefined; readonly no: S | undefined } {
  const node = strip(expression);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return { yes: state, no: undefined };
  if (node.kind === ts.SyntaxKind.FalseKeyword) return { yes: undefined, no: state };
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    const { yes, no } = decide(walker, node.operand, state, frame);
    return { yes: no, no: yes };
  }
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const isAnd = kind === ts.SyntaxKind.AmpersandAmpersandToken;
    if (isAnd || kind === ts.SyntaxKind.BarBarToken) {
      const left = decide(walker, node.left, state, frame);
      const on = isAnd ? left.yes : left.no;
      const right =
        on === undefined ? { yes: undefined, no: undefined } : decide(walker, node.right, on, frame);
      return isAnd
        ? { yes: right.yes, no: walker.join(left.no, right.no) }
        : { yes: walker.join(left.yes, right.yes), no: right.no };
    }
  }
  const after = evaluate(walker, node, state, frame);
  if (after === undefined) return { yes: undefined, no: undefined };
  const branches = tested(walker, node, after, frame);
  return walker.unrealized && asksWhetherRealized(walker, node, frame)
    ? { yes: undefined, no: branches.no }
    : branches;
}

/** True for `this.realized`. */
function asksWhetherRealized<S>(walker: Walker<S>, node: ts.Expression, frame: Frame): boolean {
  if (!ts.isPropertyAccessExpression(node) || node.name.text !== "realized") return false;
  const declaration = walker.program.declarationOf(node.name);
  return (
    declaration !== undefined &&
    walker.program.isFramework(declaration) &&
    walker.callees.sources.of(node.expression, frame).every(({ kind }) => kind === "device")
  );
}

function tested<S>(walker: Walker<S>, condition: ts.Expression, state: S, frame: Frame): { yes: S; no: S } {
  return {
    yes: walker.emit({ kind: "branch", condition, taken: true, frame }, state),
    no: walker.emit({ kind: "branch", condition, taken: false, frame }, state),
  };
}
