/**
 * The objects that a class's code makes and that the audit follows: regions in each form, address spaces, mappings and
 * child objects. One place in the source stands for one object, or for several if it is run in a loop.
 */
import { ts } from "ts-morph";
import {
  accessOf,
  type Callees,
  type FlowProgram,
  type Frame,
  nameOf,
  type Source,
  strip,
} from "../flow/index.ts";
import { constructorByNew, type RegionConstructor } from "../regions/constructors.ts";

export type TargetKind =
  /** `this.embed(MemoryRegion)`. */
  | "embedded"
  /** `MemoryRegion.new…(…)`. */
  | "owned"
  /** `model.allocate(MemoryRegion)`. */
  | "allocated"
  /** `model.create(MemoryRegion)`. */
  | "created"
  /** `new MemoryRegion(storage)`. */
  | "constructed"
  /** A region of a child that the device made. */
  | "child"
  | "space"
  | "mapping"
  /** `model.create(…)` of something else. */
  | "object";

export interface Target {
  readonly index: number;
  readonly node: ts.Node;
  readonly kind: TargetKind;
  /** Stands for several objects: nothing that is done to it is done to all of them. */
  readonly many: boolean;
  /** The field or variable that holds it first. */
  readonly name: string;
}

/** True for regions of the device itself, in whichever form. */
export function isOwnRegion({ kind }: Target): boolean {
  return kind !== "child" && kind !== "space" && kind !== "mapping" && kind !== "object";
}

/** True for a class that is, or derives from, the framework's class of this name. */
export function derivesFrom(program: FlowProgram, type: ts.Node | undefined, name: string): boolean {
  if (type === undefined || !ts.isClassLike(type)) return false;
  if (program.isFramework(type) && type.name?.text === name) return true;
  return program.frameworkBases(type).includes(name);
}

/** The class that an expression names, such as `MemoryRegion` or `memory.MemoryRegion`. */
export function classNamed(
  program: FlowProgram,
  expression: ts.Expression,
): ts.ClassLikeDeclaration | undefined {
  const target = strip(expression);
  if (!ts.isIdentifier(target) && !ts.isPropertyAccessExpression(target)) return undefined;
  const declared = program.declarationOf(ts.isIdentifier(target) ? target : target.name);
  if (declared === undefined || ts.isClassLike(declared)) return declared;
  // `const Region = MemoryRegion`
  const isConstant = ts.isVariableDeclaration(declared) && (declared.parent.flags & ts.NodeFlags.Const) !== 0;
  return isConstant && declared.initializer !== undefined
    ? classNamed(program, declared.initializer)
    : undefined;
}

function isRegionClass(program: FlowProgram, expression: ts.Expression | undefined): boolean {
  return expression !== undefined && derivesFrom(program, classNamed(program, expression), "MemoryRegion");
}

/** What an expression makes, judged by itself alone. */
export function madeBy(
  program: FlowProgram,
  node: ts.Node,
): { readonly kind: TargetKind; readonly many: boolean } | undefined {
  if (ts.isNewExpression(node)) {
    if (isRegionClass(program, node.expression)) return { kind: "constructed", many: false };
    const made = classNamed(program, node.expression);
    return derivesFrom(program, made, "AddressSpace") ? { kind: "space", many: false } : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const access = accessOf(strip(node.expression));
  if (access?.name === undefined) return undefined;
  const [first] = node.arguments;
  switch (access.name) {
    case "embed":
      return isRegionClass(program, first) ? { kind: "embedded", many: false } : undefined;
    case "embedArray":
      return isRegionClass(program, first) ? { kind: "embedded", many: true } : undefined;
    case "allocate":
      return isRegionClass(program, first) ? { kind: "allocated", many: false } : undefined;
    case "create":
      if (first === undefined || classNamed(program, first) === undefined) return undefined;
      return { kind: isRegionClass(program, first) ? "created" : "object", many: false };
    case "map":
      return node.arguments.length >= 2 && isOfSpace(program, access.object)
        ? { kind: "mapping", many: false }
        : undefined;
    default:
      return constructorByNew.has(access.name) && isRegionClass(program, access.object)
        ? { kind: "owned", many: false }
        : undefined;
  }
}

function isOfSpace(program: FlowProgram, expression: ts.Expression): boolean {
  const type = program.checker.getNonNullableType(program.checker.getTypeAtLocation(expression));
  return derivesFrom(program, type.symbol?.valueDeclaration, "AddressSpace");
}

/** The pair of constructors that `MemoryRegion.new…(…)` belongs to. */
export function makerOf(node: ts.Node): RegionConstructor | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const name = accessOf(strip(node.expression))?.name;
  return name === undefined ? undefined : constructorByNew.get(name);
}

export class Targets {
  readonly all: Target[] = [];
  private readonly program: FlowProgram;
  private readonly callees: Callees;
  private readonly byNode = new Map<ts.Node, Map<string, Target>>();
  private windows: readonly Target[] | undefined;

  constructor(program: FlowProgram, callees: Callees) {
    this.program = program;
    this.callees = callees;
  }

  /** The objects that an expression may refer to; empty if it refers to none of the device's, as far as is known. */
  of(expression: ts.Expression, frame: Frame): readonly Target[] {
    const found = this.from(this.callees.sources.of(expression, frame), 0);
    return this.isElement(expression, frame) ? found.map((each) => this.asMany(each)) : found;
  }

  /** True for the variable of a loop, and for a callback's element: each round has another value. */
  private isElement(expression: ts.Expression, frame: Frame): boolean {
    const name = strip(expression);
    if (!ts.isIdentifier(name)) return false;
    let declared: ts.Node | undefined = this.program.declarationOf(name);
    while (declared !== undefined && isPartOfPattern(declared)) declared = declared.parent;
    if (declared === undefined) return false;
    if (ts.isVariableDeclaration(declared)) return ts.isForOfStatement(declared.parent.parent);
    if (!ts.isParameter(declared)) return false;
    for (let each: Frame | undefined = frame; each !== undefined; each = each.outer) {
      const binding = each.bindings.get(declared);
      if (binding !== undefined) return "element" in binding && binding.element;
    }
    return false;
  }

  /** The object that the expression makes, if it makes one. */
  made(node: ts.Node): Target | undefined {
    const made = madeBy(this.program, node);
    return made === undefined ? undefined : this.target(node, made.kind, made.many || isRepeated(node), "");
  }

  /** True if the sources say everything: no part of the value is unknown. */
  isOnly(expression: ts.Expression, frame: Frame): boolean {
    const sources = this.callees.sources.of(expression, frame);
    return sources.every((source) => this.from([source], 0).length > 0);
  }

  private from(sources: readonly Source[], depth: number): readonly Target[] {
    const found: Target[] = [];
    if (depth > 8) return found;
    for (const source of sources)
      for (const target of this.fromOne(source, depth)) if (!found.includes(target)) found.push(target);
    return found;
  }

  private fromOne(source: Source, depth: number): readonly Target[] {
    if (source.kind === "device") return [];
    if (source.kind === "field") return this.from(this.callees.sources.contents(source), depth + 1);
    if (source.kind === "element") {
      const held = this.callees.sources.contents(source);
      if (held.length > 0) return this.from(held, depth + 1).map((each) => this.asMany(each));
      if (isChildren(source.of)) return this.ownRegions();
      return this.from([source.of], depth + 1).map((each) => this.asMany(each));
    }
    const { node, frame } = source;
    const made = this.made(node);
    if (made !== undefined) return [made];
    return ts.isCallExpression(node) ? this.ofCall(node, frame) : [];
  }

  private ofCall(call: ts.CallExpression, frame: Frame): readonly Target[] {
    const access = accessOf(strip(call.expression));
    if (access?.name === undefined) return [];
    const holders = this.callees.sources.of(access.object, frame);
    const onDevice = holders.some(({ kind }) => kind === "device");
    if (access.name === "mmioRegion") {
      if (onDevice) return this.windowsOf(call.arguments[0]);
      const child = this.childIn(holders);
      return child === undefined ? [] : this.windowOfChild(child, call.arguments[0]);
    }
    if (access.name === "child" && onDevice) return this.ownRegions();
    return [];
  }

  /** The place where a child device is made, if the value is one that this device makes. */
  childOf(expression: ts.Expression, frame: Frame): ts.Node | undefined {
    return this.childIn(this.callees.sources.of(expression, frame));
  }

  private childIn(holders: readonly Source[]): ts.Node | undefined {
    for (const holder of holders) {
      const held =
        holder.kind === "field" || holder.kind === "element"
          ? this.callees.sources.contents(holder)
          : [holder];
      for (const each of held) {
        if (each.kind !== "expression" || !ts.isCallExpression(each.node)) continue;
        const name = accessOf(strip(each.node.expression))?.name;
        if (name === "embed" || name === "create" || name === "newChild" || name === "embedArray")
          return each.node;
      }
    }
    return undefined;
  }

  /** The region that a child declared as its window. */
  windowOfChild(child: ts.Node, index: ts.Expression | undefined): readonly Target[] {
    return [this.target(child, "child", false, index?.getText() ?? "")];
  }

  /** The regions that `initMmio` was given, in the order of the source; all of them if the index is not a literal. */
  windowsOf(index: ts.Expression | undefined): readonly Target[] {
    this.windows ??= this.collectWindows();
    const number = index !== undefined && ts.isNumericLiteral(index) ? Number(index.text) : undefined;
    const one = number === undefined ? undefined : this.windows[number];
    const counted = !this.windows.some(({ many }) => many);
    return one !== undefined && counted ? [one] : this.windows;
  }

  private collectWindows(): Target[] {
    this.windows = [];
    const found: Target[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && accessOf(strip(node.expression))?.name === "initMmio") {
        const [region] = node.arguments;
        if (region !== undefined) found.push(...this.of(region, this.callees.top));
      }
      ts.forEachChild(node, visit);
    };
    for (const each of [...this.callees.shape.chain].reverse()) visit(each);
    return found;
  }

  /** Every region that the class's own code makes: what a walk over the children finds. */
  private ownRegions(): readonly Target[] {
    const found: Target[] = [];
    const visit = (node: ts.Node): void => {
      const made = this.made(node);
      if (made !== undefined && isOwnRegion(made)) found.push(this.asMany(made));
      ts.forEachChild(node, visit);
    };
    for (const each of this.callees.shape.chain) for (const member of each.members) visit(member);
    return found;
  }

  private target(node: ts.Node, kind: TargetKind, many: boolean, key: string): Target {
    let known = this.byNode.get(node);
    if (known === undefined) {
      known = new Map();
      this.byNode.set(node, known);
    }
    let target = known.get(key);
    if (target === undefined) {
      target = { index: this.all.length, node, kind, many, name: displayName(node) };
      known.set(key, target);
      this.all.push(target);
    }
    return target;
  }

  private readonly several = new Map<Target, Target>();

  /** The same object, of which it is not known whether it is meant. */
  private asMany(target: Target): Target {
    if (target.many) return target;
    let other = this.several.get(target);
    if (other === undefined) {
      other = { ...target, many: true };
      this.several.set(target, other);
    }
    return other;
  }
}

function isPartOfPattern(node: ts.Node): boolean {
  return ts.isBindingElement(node) || ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node);
}

/** `this.children()` and what is derived from it. */
function isChildren(source: Source): boolean {
  if (source.kind === "element") return isChildren(source.of);
  if (source.kind !== "expression" || !ts.isCallExpression(source.node)) return false;
  const name = accessOf(strip(source.node.expression))?.name;
  return name === "children" || name === "descendants";
}

/** True for an expression in a loop or in a function inside a method, which may run several times. */
function isRepeated(node: ts.Node): boolean {
  for (let each = node.parent; each !== undefined && !ts.isClassLike(each); each = each.parent) {
    if (ts.isMethodDeclaration(each) || ts.isConstructorDeclaration(each)) return false;
    if (ts.isIterationStatement(each, false) || ts.isArrowFunction(each) || ts.isFunctionExpression(each))
      return true;
  }
  return false;
}

/** What a reader would call it: the field or variable that it is first stored in. */
function displayName(node: ts.Node): string {
  for (let each = node.parent; each !== undefined; each = each.parent) {
    if (ts.isPropertyDeclaration(each) || ts.isVariableDeclaration(each) || ts.isPropertyAssignment(each))
      return nameOf(each.name) ?? each.name.getText();
    if (ts.isBinaryExpression(each) && each.right.pos <= node.pos) {
      const target = strip(each.left);
      return accessOf(target)?.name ?? target.getText().replace(/^this\./, "");
    }
    if (ts.isStatement(each) || ts.isClassLike(each)) break;
  }
  const literal =
    ts.isCallExpression(node) || ts.isNewExpression(node)
      ? node.arguments?.find(ts.isStringLiteralLike)
      : undefined;
  return literal?.text ?? "region";
}
