/** What may be entered from outside during an object's life, and the hooks that the object model calls. */
import { ts } from "ts-morph";
import { type Binding, DEVICE, type Frame, type Source } from "./frames.ts";
import type { ClassShape, FlowProgram } from "./program.ts";
import {
  hasModifier,
  isFunctionExpression,
  isPrivate,
  isProtected,
  isStatic,
  nameOf,
  type Runnable,
  strip,
} from "./syntax.ts";

/** A function that may be called from outside. */
export interface Entry {
  readonly fn: Runnable;
  readonly self: readonly Source[];
  readonly bindings: ReadonlyMap<ts.ParameterDeclaration, Binding>;
  /** The frame in which a closure was made. */
  readonly outer: Frame | undefined;
  /** Whether it may run before the device is realized, or in a life in which the device never is. */
  readonly early?: boolean;
}

/** Methods that the object model calls in a life; everything else is entered in any order. */
const hooks: ReadonlySet<string> = new Set([
  "instanceInit",
  "instanceFinalize",
  "realize",
  "unrealize",
  "onUnparent",
]);

/**
 * Public members of the framework's base classes that it calls only on a device that is realized, or whose `realize` has
 * succeeded. An override of any other may run before, or without it; so may the functions of `properties`.
 */
const whileRealized: ReadonlySet<string> = new Set(["reset", "translate"]);

/** The static field that lists the options of a class. */
const PROPERTIES = "properties";

/** The method that a machine is built by, once, before anything else is asked of it. */
export const BUILD = "build";

export function isMachine(program: FlowProgram, shape: ClassShape): boolean {
  return program.frameworkBases(shape.declaration).includes("Machine");
}

/** True for code that runs before the device is realized: setters, and `set` of an option. */
export function isConfiguring({ fn }: Entry): boolean {
  if (ts.isSetAccessorDeclaration(fn)) return true;
  const holder = ts.isMethodDeclaration(fn) ? fn : fn.parent;
  return ts.isObjectLiteralElement(holder) && nameOf(holder.name) === "set";
}

/** Members of a class, and functions in its static declarations, that other code calls. */
export function entriesOf(program: FlowProgram, shape: ClassShape): Entry[] {
  const entries: Entry[] = [];
  const names = new Set<string>();
  for (const each of shape.chain) {
    for (const member of each.members) {
      if (isStatic(member)) {
        collectStatic(program, shape, member, entries);
        continue;
      }
      const name = nameOf(member.name);
      const key = `${member.kind} ${name}`;
      if (name === undefined || names.has(key) || hooks.has(name)) continue;
      if (name === BUILD && isMachine(program, shape)) continue;
      if (hasModifier(member, ts.SyntaxKind.AbstractKeyword)) continue;
      names.add(key);
      const fn = functionIn(member);
      if (fn === undefined || !isReachable(member, name, shape, each)) continue;
      const early = ts.isSetAccessorDeclaration(fn) || isHook(program, each, member, name);
      entries.push({ fn, self: [DEVICE], bindings: new Map(), outer: undefined, early });
    }
  }
  return entries;
}

/** True for a member that the framework, and everybody who knows its classes, may call before the device is realized. */
function isHook(
  program: FlowProgram,
  holder: ts.ClassLikeDeclaration,
  member: ts.ClassElement,
  name: string,
): boolean {
  if (isProtected(member) || whileRealized.has(name)) return false;
  // What a machine declares is asked of one that has been built.
  return program.isDeclaredAbove(holder, name, (base) => base.name?.text !== "Machine");
}

function functionIn(member: ts.ClassElement): Runnable | undefined {
  if (ts.isMethodDeclaration(member) || ts.isAccessor(member)) return member.body && member;
  if (!ts.isPropertyDeclaration(member) || member.initializer === undefined) return undefined;
  const value = strip(member.initializer);
  return isFunctionExpression(value) ? value : undefined;
}

/** Protected members are entered from outside only if they override one of the framework, which then calls it. */
function isReachable(
  member: ts.ClassElement,
  name: string,
  shape: ClassShape,
  holder: ts.ClassLikeDeclaration,
): boolean {
  if (isPrivate(member)) return false;
  if (!isProtected(member)) return true;
  if (!hasModifier(member, ts.SyntaxKind.OverrideKeyword)) return false;
  const above = shape.chain.slice(shape.chain.indexOf(holder) + 1);
  return !above.some((each) => each.members.some((other) => nameOf(other.name) === name));
}

/** Functions in `static properties`, `static vmState` and their like, which are given the device. */
function collectStatic(
  program: FlowProgram,
  shape: ClassShape,
  member: ts.ClassElement,
  entries: Entry[],
): void {
  const isOption = nameOf(member.name) === PROPERTIES;
  let content: ts.Node | undefined;
  if (ts.isPropertyDeclaration(member)) content = member.initializer;
  else if (isOption && ts.isGetAccessorDeclaration(member)) content = member.body;
  if (content === undefined) return;
  const lists = new Set<ts.Node>();
  const add = (fn: Runnable, self: readonly Source[], bindings: Entry["bindings"]): void => {
    const entry = { fn, self, bindings, outer: undefined };
    entries.push({ ...entry, early: isOption || isConfiguring(entry) });
  };
  const visit = (node: ts.Node): void => {
    if (isFunctionExpression(node) || (ts.isMethodDeclaration(node) && node.body !== undefined)) {
      const [first] = node.parameters;
      if (first !== undefined && takesObject(program, first, shape))
        add(node, [], new Map([[first, { sources: [DEVICE] }]]));
      return;
    }
    if (isOption && ts.isStringLiteralLike(node)) {
      // `uintProperty("size", "size", "size")` names a field, which may be an accessor.
      for (const fn of [shape.getter(node.text), shape.setter(node.text)])
        if (fn?.body !== undefined) add(fn, [DEVICE], new Map());
    }
    if (isOption && ts.isIdentifier(node)) {
      const made = program.declarationOf(node);
      if (made === undefined || program.isOutside(made) || lists.has(made)) return;
      lists.add(made);
      if (ts.isVariableDeclaration(made) && made.initializer !== undefined) visit(made.initializer);
      if (ts.isFunctionDeclaration(made) && made.body !== undefined) visit(made.body);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(content);
}

function takesObject(program: FlowProgram, parameter: ts.ParameterDeclaration, shape: ClassShape): boolean {
  const declarations = program.checker.getTypeAtLocation(parameter).symbol?.declarations ?? [];
  return declarations.some((each) => shape.chain.some((holder) => holder === each));
}
