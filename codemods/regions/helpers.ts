/**
 * Functions that initialise a region passed to them: `initWindow(this, this.window, "vga")`. In the owned form such a
 * function creates the region and returns it, so that its signature and all its callers change together.
 */
import {
  type CallExpression,
  type FunctionDeclaration,
  type MethodDeclaration,
  Node,
  type ParameterDeclaration,
  SyntaxKind,
} from "ts-morph";
import { descendantsOfKind } from "../source/node-index.ts";
import { hasComment } from "../source/trivia.ts";
import type { RegionConstructor } from "./constructors.ts";
import type { Helper } from "./facts.ts";
import { declarationsOf, type NameIndex } from "./names.ts";
import { enclosingFunction, initOn, isWritten, usesOfBinding } from "./syntax.ts";
import { basesOf, callOfName, innermost } from "./trace-syntax.ts";

/** A helper, and what it initialises its region as. */
interface FoundHelper {
  readonly helper: Helper;
  readonly maker: RegionConstructor;
}

/** Parameters that have been looked at: very many devices may call one function. */
const knownHelpers = new WeakMap<NameIndex, Map<ParameterDeclaration, FoundHelper | undefined>>();

/** The helper that a region is passed to as `argument`, if all its callers can change with it. */
export function helperOf(argument: Node, names: NameIndex): FoundHelper | undefined {
  const call = argument.getParent();
  if (!Node.isCallExpression(call)) return undefined;
  const index = call.getArguments().indexOf(argument);
  const callee = call.getExpression();
  const name = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
  const [fn, another] = declarationsOf(name);
  if (another !== undefined || index < 0) return undefined;
  if (!Node.isFunctionDeclaration(fn) && !Node.isMethodDeclaration(fn)) return undefined;
  const parameter = fn.getParameters()[index];
  if (parameter === undefined) return undefined;
  const known = knownHelpers.get(names) ?? new Map<ParameterDeclaration, FoundHelper | undefined>();
  knownHelpers.set(names, known);
  if (!known.has(parameter)) known.set(parameter, helperWith(fn, parameter, names));
  return known.get(parameter);
}

function helperWith(
  fn: FunctionDeclaration | MethodDeclaration,
  parameter: ParameterDeclaration,
  names: NameIndex,
): FoundHelper | undefined {
  if (!isPlain(parameter) || !hasPlainResult(fn)) return undefined;
  const others = fn.getParameters().filter((each) => each !== parameter);
  if (others.some((each) => initialisations(fn, each).length > 0)) return undefined; // it can return one region only
  const found = initialisationIn(fn, parameter);
  const functionName = fn.getName();
  if (found === undefined || functionName === undefined) return undefined;
  const uses = names.referencesTo([fn], functionName).filter((each) => !isImported(each));
  const calls = uses.map(callOfName);
  if (calls.some((each) => each === undefined || !isStatement(each))) return undefined;
  const className = valueNameOf(parameter);
  if (className === undefined || isOverridden(fn, names)) return undefined;
  const helper = {
    fn,
    parameter,
    className,
    init: found.init,
    calls: calls.filter((each) => each !== undefined),
  };
  return { helper, maker: found.maker };
}

/** The class that a parameter's type names, if its file can use it as a value as well. */
function valueNameOf(parameter: ParameterDeclaration): string | undefined {
  const type = parameter.getTypeNode();
  if (!Node.isTypeReference(type)) return undefined;
  const name = type.getTypeName();
  if (!Node.isIdentifier(name)) return undefined;
  const [declaration] = name.getSymbol()?.getDeclarations() ?? [];
  if (Node.isClassDeclaration(declaration)) return name.getText();
  if (!Node.isImportSpecifier(declaration) || declaration.isTypeOnly()) return undefined;
  return declaration.getImportDeclaration().isTypeOnly() ? undefined : name.getText();
}

function isPlain(parameter: ParameterDeclaration): boolean {
  return (
    Node.isIdentifier(parameter.getNameNode()) &&
    !parameter.hasQuestionToken() &&
    !parameter.isRestParameter() &&
    !parameter.isParameterProperty() &&
    parameter.getInitializer() === undefined
  );
}

/** True for a function that ends at its end, with no result, as soon as it is called. */
function hasPlainResult(fn: FunctionDeclaration | MethodDeclaration): boolean {
  if (fn.isAsync() || fn.isGenerator() || fn.getOverloads().length > 0) return false;
  const type = fn.getReturnTypeNode()?.getText();
  if (type !== undefined && type !== "void") return false;
  const returns = descendantsOfKind(fn, SyntaxKind.ReturnStatement);
  return returns.every((each) => enclosingFunction(each) !== fn);
}

function initialisations(fn: Node, parameter: ParameterDeclaration) {
  return usesOfBinding(parameter.getNameNode(), fn).flatMap((use) => initOn(use) ?? []);
}

/** `parameter.init…(…);` as a statement of the body, before every other use of the parameter. */
function initialisationIn(fn: FunctionDeclaration | MethodDeclaration, parameter: ParameterDeclaration) {
  const body = fn.getBody();
  if (!Node.isBlock(body)) return undefined;
  const uses = usesOfBinding(parameter.getNameNode(), fn);
  const [init, another] = initialisations(fn, parameter);
  const statement = init?.call.getParent();
  if (init === undefined || another !== undefined || !Node.isExpressionStatement(statement)) return undefined;
  if (statement.getParent() !== body) return undefined;
  const early = uses.some((use) => isWritten(use) || use.getStart() < statement.getStart());
  const again = uses.some((use) =>
    init.call.getArguments().some((each) => each === use || use.getAncestors().includes(each)),
  );
  return early || again ? undefined : { init: init.call, maker: init.maker };
}

function isImported(name: Node): boolean {
  const parent = name.getParent();
  return Node.isImportSpecifier(parent) || Node.isExportSpecifier(parent);
}

/** A statement that is the call, whose arguments can be laid out again without one of them. */
function isStatement(call: CallExpression): boolean {
  if (!Node.isExpressionStatement(call.getParent()) || call.hasQuestionDotToken()) return false;
  const callee = call.getExpression();
  if (Node.isPropertyAccessExpression(callee) && !Node.isThisExpression(callee.getExpression())) return false;
  const [first] = call.getArguments();
  const list = first && call.getText().slice(first.getStart() - call.getStart());
  return (
    list !== undefined && !hasComment(list) && call.getArguments().every((each) => !/\n/.test(each.getText()))
  );
}

/** True for a method that is one of several under its name. */
function isOverridden(fn: Node, names: NameIndex): boolean {
  if (!Node.isMethodDeclaration(fn)) return false;
  if (basesOf(fn).length > 0 || fn.isAbstract()) return true;
  const holder = fn.getParent();
  return names
    .named(fn.getName())
    .map((each) => each.getParent())
    .some(
      (each) =>
        Node.isMethodDeclaration(each) &&
        each !== fn &&
        basesOf(each).includes(fn) &&
        each.getParent() !== holder,
    );
}

/** The argument of a call that a helper initialises. */
export function regionArgument(call: CallExpression, { fn, parameter }: Helper): Node | undefined {
  const argument = call.getArguments()[fn.getParameters().indexOf(parameter)];
  return argument && innermost(argument);
}
