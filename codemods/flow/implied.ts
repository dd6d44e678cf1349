/**
 * What the language and its library call without the source naming it: methods that turn an object into a text or a number,
 * iterators, `toJSON`, accessors of objects that are copied. The walk calls those that an operator calls where it stands. A
 * function of the library may call all of them, of all objects that it can reach from what it is given.
 */
import { ts } from "ts-morph";
import { accessorsIn, type Names } from "./accessors.ts";
import type { Body } from "./callees.ts";
import { addSource, type Frame, type Source } from "./frames.ts";
import { UNKNOWN_NAME } from "./program.ts";
import { isCollection } from "./source-kinds.ts";
import { isFunctionExpression, nameOf, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** Objects within objects are looked for this deep. */
const DEPTH = 8;

const textMethods = ["toString", "valueOf", "@@toPrimitive", "@@toStringTag"];

/** What runs when a value is turned into a text or a number: `${this}`, `"" + this`, `table[this]`. */
export function asText<S>(
  walker: Walker<S>,
  node: ts.Expression,
  state: S | undefined,
  frame: Frame,
): S | undefined {
  if (state === undefined || !isAnyImplied(walker, textMethods)) return state;
  // The text of an array consists of those of its elements.
  return implied(walker, node, textMethods, state, frame, (source) => elementsIn(walker, source));
}

/** What runs when a value is iterated over: `for (const each of this)`, `[...this]`, `const [first] = this`. */
export function iterated<S>(
  walker: Walker<S>,
  node: ts.Expression,
  state: S | undefined,
  frame: Frame,
): S | undefined {
  if (state === undefined || !isAnyImplied(walker, iterators)) return state;
  return iteratedOver(walker, rootsOf(walker, node, frame), node, state, frame);
}

const iterators = ["@@iterator", "@@asyncIterator"];

/** @param node where it happens */
export function iteratedOver<S>(
  walker: Walker<S>,
  objects: readonly Source[],
  node: ts.Node,
  state: S,
  frame: Frame,
): S | undefined {
  if (!isAnyImplied(walker, iterators)) return state;
  const methods = callsOf(walker, objects, iterators, frame);
  const after = runAll(walker, methods, state, frame, false);
  // Each step of an iterator that is made by hand is a call of its own.
  const made = methods.flatMap(({ fn, self, outer }) => {
    const inner = walker.callees.frameFor(fn, node, self, outer, frame);
    return walker.program.returnsOf(fn).flatMap((each) => walker.callees.sources.of(each, inner));
  });
  if (after === undefined) return undefined;
  return runAll(walker, callsOf(walker, made, ["next", "return"], frame), after, frame, true);
}

/** What `value instanceof type` runs. */
export function instanceTested<S>(
  walker: Walker<S>,
  type: ts.Expression,
  state: S | undefined,
  frame: Frame,
): S | undefined {
  return state === undefined ? undefined : implied(walker, type, ["@@hasInstance"], state, frame);
}

/** What runs at the end of the block in which `using` declares a value. */
export function disposed<S>(walker: Walker<S>, node: ts.Expression, state: S, frame: Frame): S {
  const names = ["@@dispose", "@@asyncDispose"];
  return implied(walker, node, names, state, frame) ?? state;
}

function isAnyImplied<S>({ program }: Walker<S>, names: readonly string[]): boolean {
  return program.implied.has(UNKNOWN_NAME) || names.some((name) => program.implied.has(name));
}

/** Each of the methods that a value has under these names is called, or none; those of objects in it any number of times. */
function implied<S>(
  walker: Walker<S>,
  node: ts.Expression,
  names: readonly string[],
  state: S,
  frame: Frame,
  within: (source: Source) => readonly Source[] = () => [],
): S | undefined {
  if (!isAnyImplied(walker, names)) return state;
  const roots = rootsOf(walker, node, frame);
  const after = runAll(walker, callsOf(walker, roots, names, frame), state, frame, false);
  const inner = reached(roots, within).filter((each) => !roots.includes(each));
  return after === undefined
    ? undefined
    : runAll(walker, callsOf(walker, inner, names, frame), after, frame, true);
}

/** The objects that a value may be. One that cannot be followed is known by its type. */
function rootsOf<S>({ callees }: Walker<S>, node: ts.Expression, frame: Frame): readonly Source[] {
  const itself: Source = { kind: "expression", node: strip(node), frame };
  return reached(callees.sources.of(node, frame), (source) => {
    if (source.kind !== "field" && source.kind !== "element") return [];
    const held = callees.sources.contents(source);
    return held.length === 0 ? [itself] : held;
  });
}

/** These sources and, as long as there are more, those inside them. */
function reached(roots: readonly Source[], within: (source: Source) => readonly Source[]): readonly Source[] {
  const all: Source[] = [];
  let added: readonly Source[] = roots;
  for (let depth = 0; depth < DEPTH && added.length > 0; depth++) {
    const known = all.length;
    for (const each of added) addSource(all, each);
    added = all.slice(known).flatMap(within);
  }
  return all;
}

function elementsIn<S>({ callees }: Walker<S>, source: Source): readonly Source[] {
  if (source.kind === "element") return callees.sources.contents(source);
  const held = source.kind === "field" ? callees.sources.contents(source) : [];
  return isCollection(source) ? [...held, ...callees.sources.elementsOf(source)] : held;
}

/** What the library can reach: elements of collections, members of objects, fields. */
function partsOf<S>(walker: Walker<S>, source: Source): readonly Source[] {
  const { callees } = walker;
  const { sources } = callees;
  if (source.kind === "device") return fieldsOf(walker, source, callees.shape.fieldNames());
  const inside = elementsIn(walker, source);
  if (source.kind !== "expression") return inside;
  const { node, frame } = source;
  if (ts.isObjectLiteralExpression(node)) return membersOf(walker, node, frame);
  const shape = ts.isNewExpression(node) ? sources.shapeMadeBy(node) : undefined;
  if (shape !== undefined) return fieldsOf(walker, source, shape.fieldNames());
  return inside;
}

function membersOf<S>(
  { callees: { sources } }: Walker<S>,
  node: ts.ObjectLiteralExpression,
  frame: Frame,
): readonly Source[] {
  return node.properties.flatMap((each) => {
    if (ts.isPropertyAssignment(each)) return sources.of(each.initializer, frame);
    if (ts.isShorthandPropertyAssignment(each)) return sources.of(each.name, frame);
    return ts.isSpreadAssignment(each) ? sources.of(each.expression, frame) : [];
  });
}

function fieldsOf<S>({ callees }: Walker<S>, source: Source, names: readonly string[]): readonly Source[] {
  const node = callees.shape.declaration;
  return names.flatMap((name) => callees.sources.property(source, name, node, callees.top));
}

/** Methods and accessors that objects have under these names, or under names that are computed. */
function callsOf<S>(
  walker: Walker<S>,
  objects: readonly Source[],
  names: readonly string[],
  frame: Frame,
): readonly Body[] {
  const found: Body[] = [];
  for (const object of objects) {
    if (object.kind === "field" || object.kind === "element") continue; // what it holds is among the objects
    const node = object.kind === "expression" ? object.node : walker.callees.shape.declaration;
    for (const name of names) {
      if (name === "next" || name === "return" || walker.program.implied.has(name))
        found.push(
          ...walker.callees.methodOn(object, name, node, frame),
          ...typedMethod(walker, object, name),
        );
      found.push(...gettersOf(walker, object, [name]));
    }
    found.push(...computedOf(walker, object));
  }
  return found;
}

function gettersOf<S>(walker: Walker<S>, object: Source, names: Names): readonly Body[] {
  return accessorsIn(walker, [object], names, "get", () => undefined).bodies;
}

/** Methods and accessors with computed names may have any. */
function computedOf<S>({ callees, program }: Walker<S>, object: Source): readonly Body[] {
  if (!program.implied.has(UNKNOWN_NAME)) return [];
  const node = object.kind === "expression" ? object.node : undefined;
  if (node !== undefined && ts.isObjectLiteralExpression(node)) {
    const outer = object.kind === "expression" ? object.frame : undefined;
    return node.properties.flatMap((each) => {
      if (each.name === undefined || nameOf(each.name) !== undefined) return [];
      const value = ts.isPropertyAssignment(each) ? strip(each.initializer) : each;
      const isBody = ts.isMethodDeclaration(value) || ts.isAccessor(value) || isFunctionExpression(value);
      return isBody ? [{ fn: value, self: [object], outer }] : [];
    });
  }
  const shape =
    object.kind === "device"
      ? callees.shape
      : node !== undefined && ts.isNewExpression(node)
        ? callees.sources.shapeMadeBy(node)
        : undefined;
  return (shape?.computed() ?? []).map((fn) => ({ fn, self: [object], outer: undefined }));
}

/** The method that the type of a value declares, if the value cannot be followed. */
function typedMethod<S>({ program, callees }: Walker<S>, object: Source, name: string): readonly Body[] {
  if (object.kind !== "expression" || !ts.isExpression(object.node)) return [];
  const { node } = object;
  if (ts.isNewExpression(node) || ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node))
    return [];
  const holder = program.checker.getTypeAtLocation(node).symbol?.declarations?.find(ts.isClassLike);
  if (holder === undefined || program.isOutside(holder)) return [];
  const shape = callees.shape.chain.includes(holder) ? callees.shape : program.shapeOf(holder);
  const fn = shape.method(name);
  return fn === undefined ? [] : [{ fn, self: [object], outer: undefined }];
}

/** Runs some of the functions: each of them once, in order, or any number of times. */
function runAll<S>(
  walker: Walker<S>,
  bodies: readonly Body[],
  state: S,
  frame: Frame,
  isRepeated: boolean,
): S | undefined {
  if (bodies.length === 0) return state;
  walker.mayThrow(state);
  const round = (start: S): S | undefined => {
    let current: S | undefined = start;
    for (const { fn, self, outer } of bodies) {
      if (current === undefined) return undefined;
      const after = walker.enter({ fn, self, outer, bindings: new Map() }, current, frame);
      current = walker.join(current, after);
    }
    return current;
  };
  return isRepeated ? walker.repeat(state, round) : round(state);
}

/** Functions of the library that turn what they are given into texts or numbers, and do nothing else with it. */
const converters =
  /^(?:String|Number|BigInt|Boolean|Symbol|Date|RegExp|\w*Error|isNaN|isFinite|parseInt|parseFloat|(?:Math|Number|String)\.\w+)$/;
/** Functions of the library that do not look into what they are given. */
const blind = /^(?:Array\.(?:isArray|of)|Object\.(?:is|freeze|seal|getPrototypeOf)|Promise\.resolve)$/;
/** Collections of the library, whose methods compare what they hold, and hand it out, but do not look into it. */
const collections = /^(?:Readonly)?(?:Array|Map|Set)$|^Weak(?:Map|Set|Ref)$/;
/** Methods of collections after which the walk still knows where their elements are. */
const handing =
  /^(?:has|includes|indexOf|lastIndexOf|forEach|some|every|get|at|find\w*|delete|clear|pop|shift|entries|values|keys|slice|filter|reverse|toReversed)$/;
/** Methods of collections that add to them; the walk knows what it finds in fields. */
const adding = /^(?:push|unshift|add|set|fill)$/;

function givenTo(node: ts.CallExpression | ts.NewExpression): readonly ts.Expression[] {
  return (node.arguments ?? []).map((each) => (ts.isSpreadElement(each) ? each.expression : each));
}

/** What a function of the library, or of code that is not at hand, may run of what it is given. */
export function handedOver<S>(
  walker: Walker<S>,
  node: ts.CallExpression | ts.NewExpression,
  state: S,
  frame: Frame,
): S | undefined {
  const { program, callees } = walker;
  if (program.implied.size === 0 && program.accessors.size === 0) return state;
  const target = strip(node.expression);
  const callee = program.declarationOf(ts.isPropertyAccessExpression(target) ? target.name : target);
  if (callee !== undefined && program.isFramework(callee)) {
    const objects = givenTo(node).flatMap((each) => callees.sources.of(each, frame));
    return copied(walker, objects, state, frame);
  }
  const name = target.getText();
  if (blind.test(name)) return state;
  const given = givenTo(node);
  const [first] = given;
  if (ts.isNewExpression(node) && collections.test(name) && name !== "Array")
    return first === undefined ? state : iterated(walker, first, state, frame);
  if (converters.test(name))
    return given.reduce<S | undefined>((current, each) => asText(walker, each, current, frame), state);
  const receiver =
    ts.isCallExpression(node) &&
    (ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target))
      ? callees.sources.of(target.expression, frame)
      : [];
  const isOfCollection =
    callee !== undefined &&
    ts.isInterfaceDeclaration(callee.parent) &&
    collections.test(callee.parent.name.text) &&
    ts.isPropertyAccessExpression(target);
  const method = isOfCollection ? target.name.text : "";
  if (handing.test(method)) return state;
  const isAdding = adding.test(method);
  if (isAdding && receiver.length > 0 && receiver.every(({ kind }) => kind === "field")) return state;
  const args = given.flatMap((each) => callees.sources.of(each, frame));
  // Accessors of a class are its objects' only by name, which the library may give of what it is given itself.
  const named = isOfCollection ? [] : accessorsOfAll(walker, args);
  return outOfSight(walker, isAdding ? args : [...receiver, ...args], node, state, frame, named);
}

/** What code that is not followed may run of objects that it reaches. */
function outOfSight<S>(
  walker: Walker<S>,
  roots: readonly Source[],
  node: ts.Node,
  state: S,
  frame: Frame,
  more: readonly Body[] = [],
): S | undefined {
  const all = reached(roots, (each) => partsOf(walker, each));
  const calls = callsOf(walker, all, [...walker.program.implied], frame);
  const bodies = [...more, ...accessorsOfAll(walker, all.filter(isLiteral)), ...calls];
  const unique = bodies.filter(({ fn }, index) => bodies.findIndex((each) => each.fn === fn) === index);
  const after = runAll(walker, unique, state, frame, true);
  return after === undefined ? undefined : iteratedOver(walker, all, node, after, frame);
}

/** A value is stored where the walk does not find it again: what uses it from there, by whatever name, may do so now. */
export function storedOutOfSight<S>(
  walker: Walker<S>,
  target: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  value: ts.Expression,
  state: S,
  frame: Frame,
): S | undefined {
  const { callees, program } = walker;
  if (strip(target.expression).kind === ts.SyntaxKind.ThisKeyword) return state;
  const holders = callees.sources.of(target.expression, frame);
  const followed = ts.isElementAccessExpression(target) ? "field" : "device";
  if (holders.every(({ kind }) => kind === followed || kind === "device")) return state;
  const declared = program.declarationOf(ts.isPropertyAccessExpression(target) ? target.name : target);
  if (declared !== undefined && program.isFramework(declared)) return state;
  for (const { fn, frame: outer, self } of callees.sources.functionsOf(value, frame))
    walker.listen({ fn, self, outer, bindings: new Map() }, target);
  if (program.implied.size === 0 && program.accessors.size === 0) return state;
  return outOfSight(walker, callees.sources.of(value, frame), target, state, frame);
}

/** True if a value is the device, or an array or an object literal that holds it. */
export function holdsDeviceInside<S>(walker: Walker<S>, node: ts.Expression, frame: Frame): boolean {
  const { sources } = walker.callees;
  const all = reached(sources.of(node, frame), (source) => {
    if (source.kind !== "expression") return [];
    if (ts.isArrayLiteralExpression(source.node)) return sources.elementsOf(source);
    return ts.isObjectLiteralExpression(source.node) ? membersOf(walker, source.node, source.frame) : [];
  });
  return all.some(({ kind }) => kind === "device");
}

function isLiteral(object: Source): boolean {
  return object.kind === "expression" && ts.isObjectLiteralExpression(object.node);
}

function accessorsOfAll<S>(walker: Walker<S>, objects: readonly Source[]): readonly Body[] {
  const none = () => undefined;
  return (["get", "set"] as const).flatMap((kind) => accessorsIn(walker, objects, "any", kind, none).bodies);
}

/** `{ ...object }` and `{ a, ...rest } = object` read what the object itself has. */
export function copied<S>(
  walker: Walker<S>,
  objects: readonly Source[],
  state: S,
  frame: Frame,
): S | undefined {
  return runAll(walker, accessorsOfAll(walker, objects.filter(isLiteral)), state, frame, false);
}
