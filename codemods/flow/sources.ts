/**
 * Follows a value back to where it comes from: through variables, parameters of followed calls, getters, results of
 * followed functions, fields of objects that the class makes itself, and elements of collections. Order is ignored: a
 * variable that is assigned twice comes from both.
 */
import { ts } from "ts-morph";
import { addSource, type Binding, DEVICE, type Frame, type Source, sameSource } from "./frames.ts";
import type { ClassShape, FlowProgram } from "./program.ts";
import {
  type CalleeResolver,
  copies,
  homeOf,
  isCollection,
  isNothing,
  keyOf,
  picks,
} from "./source-kinds.ts";
import {
  accessOf,
  classAround,
  functionAround,
  isStatic,
  nameOf,
  type Runnable,
  stores,
  strip,
} from "./syntax.ts";

/** Values are followed through at most this many steps; what lies further back is left as an expression. */
const DEPTH = 32;
export class Sources {
  readonly program: FlowProgram;
  readonly shape: ClassShape;
  private readonly callees: CalleeResolver;
  private readonly known = new WeakMap<Frame, Map<ts.Node, readonly Source[]>>();
  /** The frame of code whose own call is not at hand: `this` is the device, parameters are unknown. */
  private readonly detached: Frame;
  private readonly held = new Map<string, readonly Source[]>();
  private depth = 0;

  constructor(program: FlowProgram, shape: ClassShape, callees: CalleeResolver, detached: Frame) {
    this.program = program;
    this.shape = shape;
    this.callees = callees;
    this.detached = detached;
  }

  of(expression: ts.Expression, frame: Frame): readonly Source[] {
    const node = strip(expression);
    let values = this.known.get(frame);
    if (values === undefined) {
      values = new Map();
      this.known.set(frame, values);
    }
    const known = values.get(node);
    if (known !== undefined) return known;
    const itself: Source = { kind: "expression", node, frame };
    if (this.depth > DEPTH) return [itself];
    values.set(node, [itself]); // a value that depends on itself ends here
    this.depth++;
    const found = this.trace(node, frame);
    this.depth--;
    const result = found.length === 0 ? [itself] : found;
    values.set(node, result);
    return result;
  }

  /** What a field of the device, or an element of what it holds, was given; empty if that is not known. */
  contents(source: Source): readonly Source[] {
    const key = keyOf(source);
    if (key === undefined) return [];
    let known = this.held.get(key);
    if (known === undefined) {
      this.held.set(key, []); // fields that hold each other end here
      known = this.contentsOf(source);
      this.held.set(key, known);
    }
    return known;
  }

  private contentsOf(source: Source): readonly Source[] {
    if (source.kind === "field") {
      const held = this.fieldContents(this.shape, source.name, this.detached);
      return held.filter((each) => !sameSource(each, source));
    }
    if (source.kind !== "element" || source.of.kind !== "field") return [];
    const list: Source[] = [];
    for (const each of this.shape.storedInElements(source.of.name))
      for (const found of this.of(each, this.detachedAt(each))) addSource(list, found);
    for (const holder of this.contents(source.of))
      if (holder.kind === "expression") for (const each of this.elementsOf(holder)) addSource(list, each);
    return list.filter((each) => !sameSource(each, source));
  }

  /** Elements of a collection. */
  elementsOf(source: Source): readonly Source[] {
    const list: Source[] = [];
    if (source.kind === "expression") {
      const { node, frame } = source;
      if (ts.isArrayLiteralExpression(node)) {
        for (const each of node.elements) {
          if (ts.isSpreadElement(each)) {
            for (const spread of this.of(each.expression, frame))
              for (const found of this.elementsOf(spread)) addSource(list, found);
          } else for (const found of this.of(each, frame)) addSource(list, found);
        }
        return list;
      }
      if (ts.isNewExpression(node) && node.arguments?.[0] !== undefined) return this.entriesOf(node, frame);
    }
    return [{ kind: "element", of: source }];
  }

  /** The functions that a value may be. */
  functionsOf(
    expression: ts.Expression,
    frame: Frame,
  ): { fn: Runnable; frame: Frame; self: readonly Source[] }[] {
    return this.of(expression, frame).flatMap((source) => this.functionIn(source));
  }

  functionIn(source: Source): { fn: Runnable; frame: Frame; self: readonly Source[] }[] {
    if (source.kind === "field" || source.kind === "element") {
      if (this.depth > DEPTH) return [];
      this.depth++;
      const found = this.contents(source).flatMap((each) => this.functionIn(each));
      this.depth--;
      return found;
    }
    if (source.kind !== "expression") return [];
    const { node, frame } = source;
    if (ts.isArrowFunction(node)) return [{ fn: node, frame, self: frame.self }];
    if (ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node))
      return node.body === undefined ? [] : [{ fn: node, frame, self: [] }];
    if (ts.isMethodDeclaration(node) && node.body !== undefined) {
      const self = ts.isObjectLiteralExpression(node.parent) ? [] : isStatic(node) ? [] : frame.self;
      return [{ fn: node, frame, self }];
    }
    if (ts.isCallExpression(node) && accessOf(node.expression)?.name === "bind") {
      const access = accessOf(node.expression);
      const self = node.arguments[0];
      if (access === undefined || self === undefined) return [];
      const bound = this.of(self, frame);
      return this.functionsOf(access.object, frame).map((each) => ({ ...each, self: bound }));
    }
    return [];
  }

  private trace(node: ts.Expression, frame: Frame): readonly Source[] {
    if (node.kind === ts.SyntaxKind.ThisKeyword) return frame.self;
    if (ts.isIdentifier(node)) return this.ofName(node, frame);
    if (ts.isConditionalExpression(node)) return this.union([node.whenTrue, node.whenFalse], frame);
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind === ts.SyntaxKind.CommaToken || kind === ts.SyntaxKind.EqualsToken)
        return this.of(node.right, frame);
      const either =
        kind === ts.SyntaxKind.QuestionQuestionToken ||
        kind === ts.SyntaxKind.BarBarToken ||
        kind === ts.SyntaxKind.AmpersandAmpersandToken ||
        stores(node);
      return either ? this.union([node.left, node.right], frame) : [];
    }
    if (ts.isAwaitExpression(node)) return this.of(node.expression, frame);
    if (ts.isCallExpression(node)) return this.ofCall(node, frame);
    const access = accessOf(node);
    if (access === undefined) return [];
    const key = access.name ?? this.keyOf(node, frame);
    const list: Source[] = [];
    for (const object of this.of(access.object, frame)) {
      const found =
        ts.isElementAccessExpression(node) && (key === undefined || /^\d+$/.test(key))
          ? this.elementsOf(object)
          : this.property(object, key ?? "", node, frame);
      for (const each of found) addSource(list, each);
    }
    return list;
  }

  /** The key of `object[key]` if it is a string that can be followed. */
  private keyOf(node: ts.Expression, frame: Frame): string | undefined {
    if (!ts.isElementAccessExpression(node)) return undefined;
    const [key, ...more] = this.of(node.argumentExpression, frame);
    if (key?.kind !== "expression" || more.length > 0) return undefined;
    return ts.isStringLiteralLike(key.node) ? key.node.text : undefined;
  }

  private union(nodes: readonly ts.Expression[], frame: Frame): readonly Source[] {
    const list: Source[] = [];
    for (const node of nodes) for (const source of this.of(node, frame)) addSource(list, source);
    return list;
  }

  private ofName(name: ts.Identifier, frame: Frame): readonly Source[] {
    const declaration = this.program.declarationOf(name);
    if (declaration === undefined || this.program.isOutside(declaration)) return [];
    if (ts.isParameter(declaration)) return this.ofParameter(declaration, frame);
    if (ts.isBindingElement(declaration)) return this.ofPattern(declaration, frame);
    if (ts.isVariableDeclaration(declaration)) return this.ofVariable(declaration, frame);
    if (ts.isFunctionDeclaration(declaration))
      return [{ kind: "expression", node: declaration, frame: homeOf(declaration, frame) ?? this.detached }];
    return [];
  }

  private ofVariable(variable: ts.VariableDeclaration, frame: Frame): readonly Source[] {
    const home = homeOf(variable, frame) ?? this.detached;
    const list: Source[] = [];
    const loop = variable.parent.parent;
    if (ts.isForOfStatement(loop)) {
      for (const source of this.of(loop.expression, home))
        for (const each of this.elementsOf(source)) addSource(list, each);
      return list;
    }
    const values = [variable.initializer, ...this.program.storedIn(variable)];
    for (const value of values)
      if (value !== undefined && !isNothing(value))
        for (const source of this.of(value, home)) addSource(list, source);
    return list;
  }

  private ofParameter(parameter: ts.ParameterDeclaration, frame: Frame): readonly Source[] {
    const home = homeOf(parameter, frame);
    const binding = home?.bindings.get(parameter);
    if (binding !== undefined) return this.bound(binding);
    return parameter.initializer === undefined ? [] : this.of(parameter.initializer, home ?? this.detached);
  }

  bound(binding: Binding): readonly Source[] {
    if ("sources" in binding) return binding.sources;
    const { value, frame, element } = binding;
    const sources = this.of(value, frame);
    return element ? sources.flatMap((each) => this.elementsOf(each)) : sources;
  }

  /** A name in a pattern: `{ name }`, `{ key: name }`, `[first, name]`. */
  private ofPattern(element: ts.BindingElement, frame: Frame): readonly Source[] {
    const pattern = element.parent;
    const holders = this.holdersOf(pattern, frame);
    const list: Source[] = [];
    for (const holder of holders) {
      if (ts.isArrayBindingPattern(pattern)) {
        // Elements of `entries()` and of maps are pairs; the engine keeps the value only.
        const pair = holder.kind === "element" || !isCollection(holder);
        for (const each of pair ? [holder] : this.elementsOf(holder)) addSource(list, each);
        continue;
      }
      const key = nameOf(element.propertyName ?? element.name);
      if (key !== undefined)
        for (const each of this.property(holder, key, element, frame)) addSource(list, each);
    }
    return list;
  }

  private holdersOf(pattern: ts.BindingPattern, frame: Frame): readonly Source[] {
    const { parent } = pattern;
    if (ts.isBindingElement(parent)) return this.ofPattern(parent, frame);
    if (ts.isParameter(parent)) return this.ofParameter(parent, frame);
    return this.ofVariable(parent, frame);
  }

  /** What `object.name` holds. */
  property(object: Source, name: string, node: ts.Node, frame: Frame): readonly Source[] {
    if (object.kind === "device") return this.member(this.shape, name, node, frame, [DEVICE]);
    if (object.kind === "field" || object.kind === "element") {
      if (this.depth > DEPTH) return [];
      this.depth++;
      const found = this.contents(object).flatMap((each) => this.property(each, name, node, frame));
      this.depth--;
      return found;
    }
    const value = object.node;
    if (ts.isObjectLiteralExpression(value)) {
      for (const each of value.properties) {
        if (nameOf(each.name) !== name || ts.isSetAccessorDeclaration(each)) continue;
        if (ts.isGetAccessorDeclaration(each)) {
          const inner = this.callees.frameFor(each, node, [object], object.frame, frame);
          return this.union(this.program.returnsOf(each), inner);
        }
        if (ts.isPropertyAssignment(each)) return this.of(each.initializer, object.frame);
        if (ts.isShorthandPropertyAssignment(each)) return this.ofName(each.name, object.frame);
        return [{ kind: "expression", node: each, frame: object.frame }];
      }
      return [];
    }
    if (ts.isNewExpression(value)) {
      const shape = this.shapeMadeBy(value);
      if (shape !== undefined) return this.member(shape, name, node, object.frame, [object], value);
    }
    return [];
  }

  /** The class of the program that a `new` expression makes an object of. */
  shapeMadeBy(made: ts.NewExpression): ClassShape | undefined {
    const target = strip(made.expression);
    const declaration = this.program.declarationOf(
      ts.isPropertyAccessExpression(target) ? target.name : target,
    );
    if (declaration === undefined || !ts.isClassLike(declaration) || this.program.isOutside(declaration))
      return undefined;
    return this.program.shapeOf(declaration);
  }

  private member(
    shape: ClassShape,
    name: string,
    node: ts.Node,
    frame: Frame,
    self: readonly Source[],
    made?: ts.NewExpression,
  ): readonly Source[] {
    const getter = shape.getter(name);
    if (getter?.body !== undefined) {
      const inner = this.callees.frameFor(getter, node, self, undefined, frame);
      return this.union(this.program.returnsOf(getter), inner);
    }
    const method = shape.method(name);
    if (method !== undefined)
      return [{ kind: "expression", node: method, frame: { ...this.detached, self } }];
    if (self[0]?.kind === "device")
      return shape.fieldsNamed(name).length > 0 || shape.storedInField(name).length > 0
        ? [{ kind: "field", name }]
        : [];
    return this.fieldContents(shape, name, { ...this.detached, self }, made, frame);
  }

  /** What the code of a class stores in one of its fields. */
  private fieldContents(
    shape: ClassShape,
    name: string,
    home: Frame,
    made?: ts.NewExpression,
    maker?: Frame,
  ): readonly Source[] {
    const list: Source[] = [];
    const frameOf = (node: ts.Node): Frame => {
      const fn = functionAround(node);
      if (fn === undefined || classAround(node) === undefined) return home;
      if (made !== undefined && maker !== undefined && ts.isConstructorDeclaration(fn))
        return this.callees.frameFor(fn, made, home.self, undefined, maker);
      return { ...home, fn };
    };
    for (const field of shape.fieldsNamed(name)) {
      if (ts.isParameter(field)) {
        const inner = frameOf(field);
        for (const each of this.ofParameter(field, inner)) addSource(list, each);
      } else if (field.initializer !== undefined && !isNothing(field.initializer)) {
        for (const each of this.of(field.initializer, home)) addSource(list, each);
      }
    }
    for (const value of shape.storedInField(name)) {
      if (isNothing(value)) continue;
      for (const each of this.of(value, frameOf(value))) addSource(list, each);
    }
    return list;
  }

  private detachedAt(node: ts.Node): Frame {
    return { ...this.detached, fn: functionAround(node) };
  }

  private ofCall(call: ts.CallExpression, frame: Frame): readonly Source[] {
    const access = accessOf(call.expression);
    if (access !== undefined && copies.has(access.name ?? "")) {
      const held = this.of(access.object, frame).filter(isCollection);
      if (held.length > 0) return held;
    }
    if (access !== undefined && picks.has(access.name ?? "")) {
      const held = this.of(access.object, frame).filter(isCollection);
      if (held.length > 0) return held.flatMap((each) => this.elementsOf(each));
    }
    const [first] = call.arguments;
    if (
      first !== undefined &&
      access !== undefined &&
      /^(?:Array\.from|Object\.(?:values|freeze))$/.test(call.expression.getText())
    )
      return this.of(first, frame);
    const callee = this.callees.resolve(call, frame);
    if (callee.kind !== "followed") return [];
    const list: Source[] = [];
    for (const { fn, self, outer } of callee.bodies) {
      const inner = this.callees.frameFor(fn, call, self, outer, frame);
      for (const each of this.union(this.program.returnsOf(fn), inner)) addSource(list, each);
    }
    return list;
  }

  /** Values of `new Map([[key, value]])` and elements of `new Set([…])`. */
  private entriesOf(made: ts.NewExpression, frame: Frame): readonly Source[] {
    const [content] = made.arguments ?? [];
    const list: Source[] = [];
    if (content === undefined) return list;
    const isMap = /Map$/.test(made.expression.getText());
    for (const holder of this.of(content, frame))
      for (const each of this.elementsOf(holder)) {
        if (isMap && each.kind === "expression" && ts.isArrayLiteralExpression(each.node)) {
          const value = each.node.elements[1];
          if (value !== undefined) for (const found of this.of(value, each.frame)) addSource(list, found);
        } else addSource(list, each);
      }
    return list;
  }
}
