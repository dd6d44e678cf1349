/** Which getters and setters an access runs, and whether its object may be missing. */
import { ts } from "ts-morph";
import type { Body } from "./callees.ts";
import type { Frame, Source } from "./frames.ts";
import type { ClassShape } from "./program.ts";
import { accessOf, classAround, nameOf, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** True if the value may be null or undefined, according to its type. */
export function mayBeMissing<S>(walker: Walker<S>, node: ts.Expression): boolean {
  const type = walker.program.checker.getTypeAtLocation(node);
  const parts = type.isUnion() ? type.types : [type];
  const missing =
    ts.TypeFlags.Undefined |
    ts.TypeFlags.Null |
    ts.TypeFlags.Any |
    ts.TypeFlags.Unknown |
    ts.TypeFlags.TypeParameter;
  return parts.some(({ flags }) => (flags & missing) !== 0);
}

type AccessorKind = "get" | "set";

/** Accessors that an access may run; one of them runs for certain, or perhaps none does. */
export interface Accessors {
  readonly bodies: readonly Body[];
  readonly isCertain: boolean;
}

const NO_ACCESSORS: Accessors = { bodies: [], isCertain: false };

/** Names of members, as far as they are known. */
export type Names = readonly string[] | "any";

/** The names that a key may stand for, according to its type; numbers stand for elements. */
export function namesOfKey<S>(walker: Walker<S>, key: ts.Expression): Names {
  const type = walker.program.checker.getTypeAtLocation(key);
  const names: string[] = [];
  for (const each of type.isUnion() ? type.types : [type]) {
    if (each.isStringLiteral()) names.push(each.value);
    else if ((each.flags & (ts.TypeFlags.NumberLike | ts.TypeFlags.ESSymbolLike)) === 0) return "any";
  }
  return names;
}

/** Getters or setters that an access runs. */
export function accessorsOf<S>(
  walker: Walker<S>,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  frame: Frame,
  kind: AccessorKind,
): Accessors {
  const name = accessOf(node)?.name;
  if (name === undefined && ts.isElementAccessExpression(node))
    return accessorsOn(walker, node.expression, namesOfKey(walker, node.argumentExpression), frame, kind);
  if (name === undefined || !walker.program.accessors.has(name)) return NO_ACCESSORS;
  if (strip(node.expression).kind !== ts.SyntaxKind.SuperKeyword)
    return accessorsOn(walker, node.expression, [name], frame, kind);
  const fn = pick(walker.callees.shape, name, kind, classAround(node));
  return fn?.body === undefined
    ? NO_ACCESSORS
    : { bodies: [{ fn, self: frame.self, outer: undefined }], isCertain: true };
}

function accessorsOn<S>(
  walker: Walker<S>,
  object: ts.Expression,
  names: Names,
  frame: Frame,
  kind: AccessorKind,
): Accessors {
  if (!isAnyAccessor(walker, names)) return NO_ACCESSORS;
  const type = () => walker.program.checker.getTypeAtLocation(object);
  return accessorsIn(walker, walker.callees.sources.of(object, frame), names, kind, type);
}

function isAnyAccessor<S>({ program }: Walker<S>, names: Names): boolean {
  return names === "any" ? program.accessors.size > 0 : names.some((name) => program.accessors.has(name));
}

/**
 * Getters or setters of these names that objects have.
 * @param type what the checker says that the objects are, for those that cannot be followed
 */
export function accessorsIn<S>(
  walker: Walker<S>,
  objects: readonly Source[],
  names: Names,
  kind: AccessorKind,
  type: () => ts.Type | undefined,
): Accessors {
  if (!isAnyAccessor(walker, names)) return NO_ACCESSORS;
  const { sources } = walker.callees;
  const found: Body[] = [];
  let isLost = objects.length === 0;
  for (const object of objects) {
    const held = object.kind === "field" || object.kind === "element" ? sources.contents(object) : [object];
    if (held.length === 0) isLost = true;
    for (const each of held) {
      const own = accessorsOfObject(walker, each, names, kind);
      if (own === undefined) isLost = true;
      else found.push(...own);
    }
  }
  const lost = isLost ? type() : undefined;
  if (lost !== undefined) found.push(...accessorsOfType(walker, lost, names, kind));
  return { bodies: found, isCertain: !isLost && objects.length === 1 && found.length === 1 };
}

/** Undefined for a value that cannot be followed to an object. */
function accessorsOfObject<S>(
  { callees }: Walker<S>,
  object: Source,
  names: Names,
  kind: AccessorKind,
): readonly Body[] | undefined {
  if (object.kind === "device") return accessorsOfShape(callees.shape, names, kind, [object]);
  if (object.kind !== "expression") return undefined;
  const { node } = object;
  if (ts.isObjectLiteralExpression(node))
    return node.properties.filter(isOfKind(kind)).flatMap((fn) => {
      const name = nameOf(fn.name);
      const isNamed = names === "any" || name === undefined || names.includes(name);
      return isNamed && fn.body !== undefined ? [{ fn, self: [object], outer: object.frame }] : [];
    });
  const shape = ts.isNewExpression(node) ? callees.sources.shapeMadeBy(node) : undefined;
  return shape === undefined ? undefined : accessorsOfShape(shape, names, kind, [object]);
}

function accessorsOfShape(
  shape: ClassShape,
  names: Names,
  kind: AccessorKind,
  self: readonly Source[],
): readonly Body[] {
  const all = names === "any" ? shape.accessorNames() : names;
  return all.flatMap((name) => {
    const fn = pick(shape, name, kind);
    return fn?.body === undefined ? [] : [{ fn, self, outer: undefined }];
  });
}

function accessorsOfType<S>(
  { program, callees }: Walker<S>,
  type: ts.Type,
  names: Names,
  kind: AccessorKind,
): readonly Body[] {
  if (names === "any") return [];
  return names.flatMap((name) => {
    const declared = type.getProperty(name)?.declarations?.find(isOfKind(kind));
    if (declared === undefined || program.isOutside(declared)) return [];
    const holder = classAround(declared);
    const isOwn = holder !== undefined && callees.shape.chain.includes(holder);
    const fn = isOwn ? (pick(callees.shape, name, kind) ?? declared) : declared;
    return fn.body === undefined ? [] : [{ fn, self: [], outer: undefined }];
  });
}

function isOfKind(kind: AccessorKind): (node: ts.Node) => node is ts.AccessorDeclaration {
  return kind === "get" ? ts.isGetAccessorDeclaration : ts.isSetAccessorDeclaration;
}

function pick(
  shape: ClassShape,
  name: string,
  kind: AccessorKind,
  above?: ts.ClassLikeDeclaration,
): ts.AccessorDeclaration | undefined {
  return kind === "get" ? shape.getter(name, above) : shape.setter(name, above);
}

/** Runs accessors in the place of the access that names them. */
export function runAccessors<S>(
  walker: Walker<S>,
  { bodies, isCertain }: Accessors,
  node: ts.Node,
  state: S,
  frame: Frame,
): S | undefined {
  if (bodies.length === 0) return state;
  walker.mayThrow(state);
  let after: S | undefined = isCertain ? undefined : state;
  for (const { fn, self, outer } of bodies)
    after = walker.join(after, walker.run(fn, walker.callees.frameFor(fn, node, self, outer, frame), state));
  return after;
}
