/**
 * Follows a region from an expression that holds it to everything that becomes of it: through variables, collections,
 * properties of other objects, parameters, and results of functions.
 *
 * The answer is an allow-list. Every place that a value can reach is either understood, with a kind, or `unknown`, with
 * the node and a reason in words. `depth` says how many collections are around the region: 0 for the region itself, 1
 * for an array of regions.
 */
import {
  type CallExpression,
  type ElementAccessExpression,
  type NewExpression,
  Node,
  SyntaxKind,
} from "ts-morph";
import type { Identity } from "../source/identity.ts";
import { identifiersIn } from "../source/node-index.ts";
import { functionsNamed, isStandard } from "./callees.ts";
import { collectionStep, storingMethods } from "./collections.ts";
import { constructorByInit } from "./constructors.ts";
import type { Subject } from "./makers.ts";
import { declarationsOf, type NameIndex } from "./names.ts";
import { enclosingFunction, outermost } from "./syntax.ts";
import {
  basesOf,
  callOfName,
  innermost,
  isAssignmentTarget,
  isCondition,
  isMereReading,
  isPassedOn,
  isSuspended,
  nameOfFunction,
  parametersOf,
} from "./trace-syntax.ts";

/** What happens to a region at one place. */
export interface Fate {
  readonly kind:
    | "create" // an `init…` is called on it
    | "unparent"
    | "compare" // the value is compared, or tested for existence
    | "assign" // the place that held it is assigned
    | "length" // the number of regions in a collection is read
    | "read" // anything that takes it as it is, and keeps nothing
    | "handed" // given to the object model, the memory core or the device core
    | "unknown";
  readonly node: Node;
  /** For `unknown`: in words, such as "it is passed to a function without a body". */
  readonly why: string;
  /** How it got there; empty if the place is the expression itself. */
  readonly via: ReadonlySet<Via>;
}

/** A way that a region takes. */
export type Via = "variable" | "collection" | "property" | "parameter" | "result";

interface Held {
  readonly node: Node;
  readonly depth: number;
  readonly via: ReadonlySet<Via>;
}

/** Traces through more places than this are given up as unknown. */
const limit = 2000;

/** Where a region goes from one place: to others, or to its fate. */
type Next = Fate | Held;

export class Tracer {
  readonly names: NameIndex;
  private readonly identity: Identity;
  private readonly subject: Subject;

  /** @param subject what is followed: of a child object, members may be used that are no region's */
  constructor(names: NameIndex, identity: Identity, subject: Subject = "regions") {
    this.names = names;
    this.identity = identity;
    this.subject = subject;
  }

  /** Everything that becomes of the region that `start` holds. */
  fatesOf(start: Node, depth = 0): Fate[] {
    return this.run(hold(start, depth, new Set()));
  }

  /** Everything that becomes of the region that a variable, parameter or pattern element holds. */
  fatesOfBinding(name: Node, via: Via, depth = 0): Fate[] {
    return this.run(this.bind(name, depth, new Set([via])));
  }

  private run(start: readonly Next[]): Fate[] {
    const fates: Fate[] = [];
    const seen = new Set<Node>();
    const queue: Next[] = [...start];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if ("kind" in next) fates.push(next);
      else if (seen.size > limit) {
        return [...fates, ...unknown(next, next.node, "it goes through too many places to follow")];
      } else if (!seen.has(next.node)) {
        seen.add(next.node);
        queue.push(...this.step(next));
      }
    }
    return fates;
  }

  /** One place that holds the region: what does its parent do with it? */
  private step(held: Held): Next[] {
    const { node: value, depth, via } = held;
    const parent = value.getParent();
    if (Node.isPropertyAccessExpression(parent)) return this.member(held, parent.getName(), parent);
    if (Node.isElementAccessExpression(parent)) return this.element(held, parent);
    if (Node.isCallExpression(parent) || Node.isNewExpression(parent)) return this.argument(held, parent);
    if (Node.isBinaryExpression(parent)) return this.binary(held, parent);
    if (Node.isVariableDeclaration(parent) || Node.isParameterDeclaration(parent)) {
      return this.bind(parent.getNameNode(), depth, via);
    }
    if (Node.isPropertyDeclaration(parent)) return this.property(held, [parent], parent.getName(), depth);
    if (Node.isConditionalExpression(parent) && parent.getCondition() !== value) {
      return hold(parent, depth, via);
    }
    if (isCondition(parent, value)) return fate("compare", held);
    if (Node.isReturnStatement(parent)) return this.result(held, enclosingFunction(parent));
    if (Node.isArrowFunction(parent)) return this.result(held, parent);
    if (Node.isArrayLiteralExpression(parent)) return hold(parent, depth + 1, via, "collection");
    if (Node.isSpreadElement(parent)) return this.spread(held, parent.getParent());
    if (Node.isPropertyAssignment(parent) || Node.isShorthandPropertyAssignment(parent)) {
      return this.literalProperty(held, parent);
    }
    if (Node.isForOfStatement(parent)) return this.iterated(held, parent.getInitializer());
    if (isMereReading(parent)) return fate("read", held);
    return unknown(held, parent ?? value, "it stands where the codemods do not know what becomes of it");
  }

  /** `region.name`, called or read. */
  private member(held: Held, name: string, access: Node): Next[] {
    const call = access.getParent();
    const called = Node.isCallExpression(call) && call.getExpression() === access ? call : undefined;
    const ofRegion = this.subject === "regions";
    if (called !== undefined && ofRegion && constructorByInit.has(name)) return fate("create", held, called);
    if (called !== undefined && name === "unparent") return fate("unparent", held, called);
    if (held.depth > 0) return this.onCollection(held, name, access, called);
    if (counting.has(name)) return unknown(held, access, BY_HAND);
    if (!ofRegion) return this.memberOfChild(held, access, called);
    if (name === "addChild") return unknown(held, access, BY_HAND);
    const declared = Node.isPropertyAccessExpression(access) && access.getNameNode();
    if (declared && this.identity.isObjectModelMethod(declared)) {
      const [declaration] = declarationsOf(declared);
      const method = Node.isMethodDeclaration(declaration);
      if (method && called === undefined)
        return unknown(held, access, "one of its methods is passed on as a value");
      const optional = Node.isPropertyAccessExpression(access) && access.hasQuestionDotToken();
      return [...(optional ? fate("compare", held, access) : []), ...fate("read", held, called ?? access)];
    }
    return unknown(held, access, `nothing is known about \`${name}\``);
  }

  /** What a child does is its own affair; whether it exists where that happens is judged apart. */
  private memberOfChild(held: Held, access: Node, called: CallExpression | undefined): Next[] {
    const name = Node.isPropertyAccessExpression(access) ? access.getNameNode() : undefined;
    const ends = name?.getText() === "remove" && this.identity.isObjectModelMethod(name);
    if (called !== undefined && ends) return fate("unparent", held, called);
    const optional = Node.isPropertyAccessExpression(access) && access.hasQuestionDotToken();
    return [...(optional ? fate("compare", held, access) : []), ...fate("read", held, called ?? access)];
  }

  private onCollection(held: Held, name: string, access: Node, call: CallExpression | undefined): Next[] {
    const { depth, via } = held;
    if (call === undefined) {
      const size = name === "length" || name === "size";
      return size
        ? fate("length", held, access)
        : unknown(held, access, `nothing is known about \`${name}\``);
    }
    const step = collectionStep(name, held.node.getType().getSymbol()?.getName());
    if (step === undefined) return unknown(held, access, `nothing is known about \`${name}\``);
    const next: Next[] = fate("read", held, call);
    if (step.element !== undefined) {
      const callback = call.getArguments()[0];
      const parameter = parametersOf(callback)?.[step.element];
      if (callback !== undefined && parametersOf(callback) === undefined) {
        return unknown(held, call, `the function given to \`${name}\` cannot be followed`);
      }
      if (parameter !== undefined) {
        next.push(...this.bind(parameter.getNameNode(), depth - 1, alsoBy(via, "variable")));
      }
    }
    if (step.result !== undefined) next.push(...hold(call, depth + step.result, via, "collection"));
    return next;
  }

  private element(held: Held, access: Node): Next[] {
    const indexed = Node.isElementAccessExpression(access) && access.getExpression() === held.node;
    if (!indexed) return fate("read", held);
    if (held.depth === 0 && this.subject === "children" && isNamed(access))
      return this.member(held, access.getArgumentExpressionOrThrow().getText().slice(1, -1), access);
    if (held.depth === 0) return unknown(held, access, "a part of it is taken by a computed name");
    if (isAssignmentTarget(access)) return fate("assign", held, access);
    return hold(access, held.depth - 1, held.via, "collection");
  }

  private argument(held: Held, call: CallExpression | NewExpression): Next[] {
    const callee = call.getExpression();
    if (callee === held.node) return unknown(held, call, "it is called");
    const index = call.getArguments().indexOf(held.node);
    const name = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
    const text = name.getText();
    if (/unparent$/i.test(text)) return fate("unparent", held, call);
    if (this.identity.isObjectModelMethod(name)) {
      if (/^free/.test(text)) return unknown(held, call, "its storage is freed by hand");
      return fate("handed", held, call);
    }
    // Methods of the language's own collections are declared by interfaces, which classes of the program may implement.
    if (isStandard(name)) return this.standard(held, call, text);
    const inline = parametersOf(innermost(callee));
    const functions = inline === undefined ? functionsNamed(name, this.names) : [innermost(callee)];
    if (functions.length > 0) return functions.flatMap((each) => this.pass(held, each, index));
    return unknown(held, call, `it is passed to \`${callee.getText()}\`, which cannot be followed`);
  }

  /** The parameter of a function that takes the region. */
  private pass(held: Held, fn: Node, index: number): Next[] {
    const parameters = parametersOf(fn) ?? [];
    const parameter = parameters[Math.min(index, parameters.length - 1)];
    if (parameter === undefined) return fate("read", held); // an argument too many
    const rest = parameter.isRestParameter();
    if (!rest && index >= parameters.length) return fate("read", held);
    const depth = held.depth + (rest ? 1 : 0);
    const next = this.bind(parameter.getNameNode(), depth, alsoBy(held.via, "parameter"));
    if (parameter.isParameterProperty()) {
      next.push(...this.property(held, [parameter], parameter.getName(), depth));
    }
    return next;
  }

  private standard(held: Held, call: CallExpression | NewExpression, name: string): Next[] {
    const { depth, via } = held;
    const callee = call.getExpression();
    if (Node.isPropertyAccessExpression(callee) && storingMethods.has(name)) {
      return [...fate("read", held, call), ...this.holder(held, callee.getExpression(), depth + 1)];
    }
    if (name === "includes" || name === "indexOf" || name === "has") return fate("compare", held, call);
    const copies = name === "from" || name === "Set" || name === "Map" || name === "freeze";
    if (copies && depth > 0) return hold(call, depth, via, "collection");
    if (name === "String" || /^console\./.test(callee.getText())) return fate("read", held, call);
    return unknown(held, call, `it is passed to \`${callee.getText()}\`, which cannot be followed`);
  }

  /** What `expression` names holds the region from now on: a variable or a property. */
  private holder(held: Held, expression: Node, depth: number): Next[] {
    const name = innermost(expression);
    if (Node.isIdentifier(name)) {
      const [declaration] = declarationsOf(name);
      const bound = Node.isVariableDeclaration(declaration) || Node.isParameterDeclaration(declaration);
      if (bound) return this.bind(declaration.getNameNode(), depth, alsoBy(held.via, "collection"));
    }
    if (Node.isPropertyAccessExpression(name)) {
      return this.property(held, declarationsOf(name.getNameNode()), name.getName(), depth);
    }
    return unknown(held, expression, "what holds it then cannot be followed");
  }

  private binary(held: Held, binary: Node): Next[] {
    if (!Node.isBinaryExpression(binary)) return [];
    const { depth, via } = held;
    const isLeft = binary.getLeft() === held.node;
    switch (binary.getOperatorToken().getKind()) {
      case SyntaxKind.EqualsToken:
        if (isLeft) return fate("assign", held, binary);
        return [...hold(binary, depth, via), ...this.assigned(held, binary.getLeft())];
      case SyntaxKind.QuestionQuestionEqualsToken:
      case SyntaxKind.BarBarEqualsToken:
      case SyntaxKind.AmpersandAmpersandEqualsToken:
        if (isLeft) return [...fate("compare", held, binary), ...fate("assign", held, binary)];
        return [...hold(binary, depth, via), ...this.assigned(held, binary.getLeft())];
      case SyntaxKind.EqualsEqualsEqualsToken:
      case SyntaxKind.ExclamationEqualsEqualsToken:
      case SyntaxKind.EqualsEqualsToken:
      case SyntaxKind.ExclamationEqualsToken:
      case SyntaxKind.InstanceOfKeyword:
        return fate("compare", held, binary);
      case SyntaxKind.AmpersandAmpersandToken:
      case SyntaxKind.BarBarToken:
      case SyntaxKind.QuestionQuestionToken:
        return [...(isLeft ? fate("compare", held, binary) : []), ...hold(binary, depth, via)];
      case SyntaxKind.CommaToken:
        return isLeft ? fate("read", held) : hold(binary, depth, via);
      default:
        return fate("read", held, binary);
    }
  }

  private assigned(held: Held, target: Node): Next[] {
    const { depth, via } = held;
    const place = innermost(target);
    if (Node.isElementAccessExpression(place)) return this.holder(held, place.getExpression(), depth + 1);
    if (Node.isPropertyAccessExpression(place) || Node.isIdentifier(place)) {
      return this.holder({ ...held, via: alsoBy(via, "variable") }, place, depth);
    }
    return unknown(held, target, "it is assigned to a pattern");
  }

  /** Every use of a variable, parameter or pattern. */
  private bind(name: Node, depth: number, via: ReadonlySet<Via>): Next[] {
    if (Node.isArrayBindingPattern(name)) {
      return name.getElements().flatMap((each) => {
        if (!Node.isBindingElement(each)) return [];
        const inner = each.getDotDotDotToken() === undefined ? depth - 1 : depth;
        return this.bind(each.getNameNode(), inner, alsoBy(via, "variable"));
      });
    }
    if (!Node.isIdentifier(name)) return []; // the properties of a region: read, not held
    const declaration = name.getParent();
    const scope = enclosingFunction(name) ?? name.getSourceFile();
    return identifiersIn(scope, name.getText()).flatMap((each) => {
      if (each === name) return [];
      if (!declarationsOf(each).some((found) => found === declaration)) return [];
      const shorthand = each.getParent();
      return Node.isShorthandPropertyAssignment(shorthand)
        ? this.literalProperty({ node: each, depth, via: alsoBy(via, "variable") }, shorthand)
        : hold(each, depth, via, "variable");
    });
  }

  private iterated(held: Held, initializer: Node): Next[] {
    const [declaration] = Node.isVariableDeclarationList(initializer) ? initializer.getDeclarations() : [];
    if (declaration === undefined) return this.assigned({ ...held, depth: held.depth - 1 }, initializer);
    const bound = this.bind(declaration.getNameNode(), held.depth - 1, alsoBy(held.via, "variable"));
    return [...fate("read", held), ...bound];
  }

  private spread(held: Held, around: Node | undefined): Next[] {
    if (Node.isArrayLiteralExpression(around)) return hold(around, held.depth, held.via, "collection");
    const callee = Node.isCallExpression(around) ? around.getExpression() : undefined;
    if (Node.isPropertyAccessExpression(callee) && storingMethods.has(callee.getName())) {
      return this.holder(held, callee.getExpression(), held.depth);
    }
    return unknown(held, around ?? held.node, "it is spread");
  }

  /** `{ name: region }`: every access to that property, under the literal's own type and the one it is given as. */
  private literalProperty(held: Held, assignment: Node): Next[] {
    const literal = assignment.getParent();
    if (!Node.isObjectLiteralExpression(literal) || !Node.hasName(assignment)) {
      return unknown(held, assignment, "it is put into an object under a computed name");
    }
    if (isAssignmentTarget(literal)) return unknown(held, literal, "it is assigned by a pattern");
    const name = assignment.getName();
    const expected = literal.getContextualType()?.getProperty(name)?.getDeclarations() ?? [];
    if (expected.some((each) => this.identity.isDeclaredByModel(each))) return fate("handed", held);
    return this.property(held, [assignment, ...expected], name, held.depth);
  }

  private property(held: Held, declarations: readonly Node[], name: string, depth: number): Next[] {
    if (declarations.length === 0) return unknown(held, held.node, "what holds it then has no type");
    if (declarations.some((each) => this.identity.isDeclaredByModel(each))) return fate("handed", held);
    const via = alsoBy(held.via, "property");
    return this.names.referencesTo(declarations, name).flatMap((each) => {
      const access = each.getParent();
      const accessed = Node.isPropertyAccessExpression(access) && access.getNameNode() === each;
      if (accessed || Node.isElementAccessExpression(access)) {
        return isAssignmentTarget(access) ? [] : hold(access, depth, via);
      }
      if (Node.isBindingElement(access)) return this.bind(access.getNameNode(), depth, via);
      const written = Node.isPropertyAssignment(access) || Node.isShorthandPropertyAssignment(access);
      if (written || !Node.isExpression(each)) return [];
      return unknown(held, each, "the property that holds it is used by name");
    });
  }

  /** What a function returns reaches its callers. */
  private result(held: Held, fn: Node | undefined): Next[] {
    if (fn === undefined) return unknown(held, held.node, "it is returned out of the program");
    if (isSuspended(fn)) return unknown(held, held.node, "it is returned by code that runs later");
    const via = alsoBy(held.via, "result");
    if (Node.isGetAccessorDeclaration(fn)) {
      return this.property({ ...held, via }, [fn, ...basesOf(fn)], fn.getName(), held.depth);
    }
    const named = nameOfFunction(fn);
    if (named === undefined) return this.resultOfCallback({ ...held, via }, fn);
    const declarations = [named.declaration, ...basesOf(fn)];
    if (declarations.some((each) => this.identity.isDeclaredByModel(each))) return fate("handed", held);
    return this.names.referencesTo(declarations, named.name).flatMap((each): Next[] => {
      const call = callOfName(each);
      if (call !== undefined) return hold(call, held.depth, via);
      return isPassedOn(each) ? unknown(held, each, "the function that returns it is passed on") : [];
    });
  }

  private resultOfCallback(held: Held, fn: Node): Next[] {
    const value = outermost(fn);
    const call = value.getParent();
    if (!Node.isCallExpression(call)) return unknown(held, fn, "a nested function returns it");
    if (call.getExpression() === value) return hold(call, held.depth, held.via);
    const callee = call.getExpression();
    const name = Node.isPropertyAccessExpression(callee) ? callee.getName() : "";
    if (name === "map" || name === "flatMap" || name === "from") return hold(call, held.depth + 1, held.via);
    if (collectionStep(name, undefined)?.element !== undefined) return fate("read", held);
    return unknown(held, fn, "a nested function returns it");
  }
}

function isNamed(access: ElementAccessExpression): boolean {
  return Node.isStringLiteral(access.getArgumentExpression());
}

function hold(node: Node, depth: number, via: ReadonlySet<Via>, by?: Via): Held[] {
  return [{ node: outermost(node), depth: Math.max(0, depth), via: alsoBy(via, by) }];
}

function fate(kind: Fate["kind"], held: Held, node: Node = held.node, why = ""): Fate[] {
  return [{ kind, node, why, via: held.via }];
}

function unknown(held: Held, node: Node, why: string): Fate[] {
  return fate("unknown", held, node, why);
}

/** Methods that change the reference count, and properties that show where the storage is. */
const counting = new Set(["ref", "unref", "takeRef", "dropRef", "block", "freesBlock"]);
export const BY_HAND = "its references or its storage are managed by hand";

function alsoBy(via: ReadonlySet<Via>, by: Via | undefined): ReadonlySet<Via> {
  return by === undefined || via.has(by) ? via : new Set([...via, by]);
}
