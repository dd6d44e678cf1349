/** Patterns, `{ name, other: [first] } = value`: they run getters, iterators and setters, in the order in which they stand. */
import { ts } from "ts-morph";
import { accessorsIn, accessorsOf, namesOfKey, runAccessors } from "./accessors.ts";
import type { Frame, Source } from "./frames.ts";
import { asText, copied, iteratedOver } from "./implied.ts";
import { isCollection } from "./source-kinds.ts";
import { nameOf, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

type Pattern = ts.BindingPattern | ts.ArrayLiteralExpression | ts.ObjectLiteralExpression;

/** One part of a pattern; an element of an array has no key. */
interface Part {
  readonly key: ts.PropertyName | undefined;
  readonly isRest: boolean;
  readonly target: ts.BindingName | ts.Expression;
  readonly fallback: ts.Expression | undefined;
}

/** True for the left side of `{ name: this.name } = value`. */
export function isAssignmentPattern(
  node: ts.Node,
): node is ts.ArrayLiteralExpression | ts.ObjectLiteralExpression {
  return ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node);
}

/** The state after a value with these sources has been taken apart; undefined if that throws. */
export function takeApart<S>(
  walker: Walker<S>,
  pattern: Pattern,
  sources: readonly Source[],
  state: S,
  frame: Frame,
): S | undefined {
  const isArray = ts.isArrayBindingPattern(pattern) || ts.isArrayLiteralExpression(pattern);
  let current: S | undefined = isArray ? iteratedOver(walker, sources, pattern, state, frame) : state;
  for (const part of partsOf(pattern)) {
    if (current === undefined) return undefined;
    const { key, isRest, fallback } = part;
    let held: readonly Source[] = [];
    if (isRest) {
      if (!isArray) current = copied(walker, sources, current, frame);
    } else if (isArray) held = sources.flatMap((each) => elementsOf(walker, each));
    else if (key !== undefined) {
      current = named(walker, key, sources, pattern, current, frame);
      const name = nameOf(key);
      if (name !== undefined)
        held = sources.flatMap((each) => walker.callees.sources.property(each, name, pattern, frame));
    }
    if (current !== undefined && fallback !== undefined) {
      current = walker.join(current, walker.steps.evaluate(walker, fallback, current, frame));
      held = [...held, ...walker.callees.sources.of(fallback, frame)];
    }
    if (current !== undefined) current = given(walker, part.target, held, current, frame);
  }
  return current;
}

function elementsOf<S>({ callees }: Walker<S>, source: Source): readonly Source[] {
  // Elements of `entries()` and of maps are pairs; the engine keeps the value only.
  return source.kind === "element" || !isCollection(source) ? [source] : callees.sources.elementsOf(source);
}

/** Runs the getters of a key. */
function named<S>(
  walker: Walker<S>,
  key: ts.PropertyName,
  sources: readonly Source[],
  pattern: Pattern,
  state: S,
  frame: Frame,
): S | undefined {
  let current: S | undefined = state;
  const name = nameOf(key);
  if (name === undefined && ts.isComputedPropertyName(key)) {
    current = walker.steps.evaluate(walker, key.expression, state, frame);
    current = asText(walker, key.expression, current, frame);
  }
  if (current === undefined) return undefined;
  const names =
    name !== undefined ? [name] : ts.isComputedPropertyName(key) ? namesOfKey(walker, key.expression) : [];
  const type = () => walker.program.checker.getTypeAtLocation(pattern);
  const getters = accessorsIn(walker, sources, names, "get", type);
  return runAccessors(walker, getters, pattern, current, frame);
}

/** A part of the value has arrived at its target. */
function given<S>(
  walker: Walker<S>,
  target: ts.BindingName | ts.Expression,
  sources: readonly Source[],
  state: S,
  frame: Frame,
): S | undefined {
  if (ts.isObjectBindingPattern(target) || ts.isArrayBindingPattern(target))
    return takeApart(walker, target, sources, state, frame);
  const bare = strip(target);
  if (isAssignmentPattern(bare)) return takeApart(walker, bare, sources, state, frame);
  if (!ts.isPropertyAccessExpression(bare) && !ts.isElementAccessExpression(bare)) return state;
  let current = walker.steps.evaluate(walker, bare.expression, state, frame);
  if (current !== undefined && ts.isElementAccessExpression(bare))
    current = walker.steps.evaluate(walker, bare.argumentExpression, current, frame);
  if (current === undefined) return undefined;
  return runAccessors(walker, accessorsOf(walker, bare, frame, "set"), bare, current, frame);
}

function partsOf(pattern: Pattern): Part[] {
  if (ts.isObjectBindingPattern(pattern) || ts.isArrayBindingPattern(pattern)) {
    const isObject = ts.isObjectBindingPattern(pattern);
    return pattern.elements.flatMap((each) => {
      if (ts.isOmittedExpression(each)) return [];
      const { name, propertyName, initializer } = each;
      const key = propertyName ?? (isObject && ts.isIdentifier(name) ? name : undefined);
      return [{ key, isRest: each.dotDotDotToken !== undefined, target: name, fallback: initializer }];
    });
  }
  if (ts.isArrayLiteralExpression(pattern))
    return pattern.elements.flatMap((each) =>
      ts.isOmittedExpression(each) ? [] : [assigned(undefined, each)],
    );
  return pattern.properties.flatMap((each) => {
    if (ts.isPropertyAssignment(each)) return [assigned(each.name, each.initializer)];
    if (ts.isSpreadAssignment(each)) return [{ ...assigned(undefined, each.expression), isRest: true }];
    if (!ts.isShorthandPropertyAssignment(each)) return [];
    const { name, objectAssignmentInitializer: fallback } = each;
    return [{ key: name, isRest: false, target: name, fallback }];
  });
}

/** `target = fallback`, `...target` or `target`. */
function assigned(key: ts.PropertyName | undefined, node: ts.Expression): Part {
  const bare = strip(node);
  if (ts.isSpreadElement(bare)) return { key, isRest: true, target: bare.expression, fallback: undefined };
  const hasFallback = ts.isBinaryExpression(bare) && bare.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return {
    key,
    isRest: false,
    target: hasFallback ? bare.left : bare,
    fallback: hasFallback ? bare.right : undefined,
  };
}
