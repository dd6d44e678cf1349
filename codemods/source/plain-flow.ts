/**
 * Spares the compiler a search. For each `this` in a method, and each field on it, the checker goes back through the flow of
 * control to the beginning of the method, to find what may have narrowed its type: in a method of thousands of
 * statements, that takes nearly all of its time. Where nothing can have narrowed it, the search ends at the declared
 * type, which the checker also takes for a node without a place in the flow.
 */
import { ts } from "ts-morph";
import { isCondition, plainType, typeWithoutInference } from "./plain-access.ts";
import { classOfThis } from "./this-class.ts";

/** Characters of a method from which on the searches take longer than to find out whether they are needed. */
const LONG = 4000;

/** What the compiler's declarations leave out of nodes that the flow of control passes. */
interface Flowing {
  flowNode?: unknown;
}

/**
 * Takes `this`, fields on it, and what the file imports or declares as constants out of the flow of control where nothing can
 * narrow them, in long methods of some files of a program. What the checker finds stays the same.
 */
export function forgetPlainFlow(
  program: ts.Program,
  files: readonly (ts.SourceFile | undefined)[],
  long = LONG,
): void {
  const methods = files.flatMap((file) => (file === undefined ? [] : longMethods(file, long)));
  if (methods.length === 0 || program.getSourceFiles().some(mayAssert)) return;
  const checker = program.getTypeChecker(); // makes the flow
  for (const method of methods) {
    const constants = constantsOf(method.getSourceFile());
    const { objects, names, narrowed } = readMethod(method, constants);
    for (const object of narrowed.has(THIS) ? [] : objects) {
      const { parent } = object;
      const isField = ts.isPropertyAccessExpression(parent) && parent.expression === object;
      if (isField && plainType(parent, checker, typeWithoutInference) !== undefined) forget(parent);
      forget(object);
    }
    for (const name of names) if (constants.has(name.text) && !narrowed.has(name.text)) forget(name);
  }
}

function forget(node: ts.Node & Flowing): void {
  node.flowNode = undefined;
}

/**
 * Methods of this many characters, of the classes that a file declares on its own level. Not constructors: they may not use what
 * they have not set yet.
 */
function longMethods({ statements }: ts.SourceFile, long: number): ts.Node[] {
  return statements
    .filter(ts.isClassDeclaration)
    .flatMap((each): ts.Node[] => [...each.members])
    .filter((each) => (ts.isMethodDeclaration(each) || ts.isAccessor(each)) && each.end - each.pos >= long);
}

/** What a file imports, and the constants that it declares on its own level with their values; by name. */
function constantsOf({ statements }: ts.SourceFile): ReadonlyMap<string, ts.Expression | undefined> {
  const found = new Map<string, ts.Expression | undefined>();
  for (const each of statements) {
    if (ts.isImportDeclaration(each)) {
      for (const name of importedBy(each)) found.set(name, undefined);
    } else if (ts.isVariableStatement(each) && each.declarationList.flags & ts.NodeFlags.Const) {
      for (const { name, initializer } of each.declarationList.declarations)
        for (const declared of namesIn(name)) found.set(declared, initializer);
    }
  }
  return found;
}

function importedBy({ importClause }: ts.ImportDeclaration): string[] {
  const { name, namedBindings: bindings } = importClause ?? {};
  const others = bindings === undefined || ts.isNamespaceImport(bindings) ? [bindings] : bindings.elements;
  return [name, ...others.map((each) => each?.name)].flatMap((each) => each?.text ?? []);
}

const assertions = new WeakMap<ts.SourceFile, boolean>();

/** True for a file that may declare a function whose mere call narrows its arguments: `(value): asserts value is Device`. */
function mayAssert(file: ts.SourceFile): boolean {
  let known = assertions.get(file);
  if (known === undefined) {
    known = /\basserts\b/.test(file.text);
    assertions.set(file, known);
  }
  return known;
}

/** What stands for `this` among names. */
const THIS = "this";

/** What a method says about names and `this`. */
interface MethodNames {
  /** The `this` of its own object. */
  readonly objects: readonly ts.Node[];
  readonly names: readonly ts.Identifier[];
  /** Names that something in the method may narrow, or that mean something else in it than outside. */
  readonly narrowed: ReadonlySet<string>;
}

function readMethod(method: ts.Node, constants: ReadonlyMap<string, ts.Expression | undefined>): MethodNames {
  const objects: ts.Node[] = [];
  const names: ts.Identifier[] = [];
  const tested = new Set<string>();
  const declared = new Set<string>();
  /** By the name of a variable, the names in its value: a condition that asks for the one may ask for the others. */
  const values = new Map<string, Set<string>>();
  const mention = (name: string, inCondition: boolean, variables: readonly string[]): void => {
    if (inCondition) tested.add(name);
    for (const each of variables) values.set(each, (values.get(each) ?? new Set()).add(name));
  };
  const visit = (node: ts.Node, inCondition: boolean, variables: readonly string[]): void => {
    if (node.kind === ts.SyntaxKind.ThisKeyword) {
      if (classOfThis(node) === method.parent) objects.push(node);
      mention(THIS, inCondition, variables);
    } else if (ts.isIdentifier(node)) {
      names.push(node);
      mention(node.text, inCondition, variables);
    }
    for (const each of declaredBy(node)) declared.add(each);
    ts.forEachChild(node, (child) => {
      const isValue = ts.isVariableDeclaration(node) && child === node.initializer;
      const decides = inCondition || isCondition(child, node) || isChained(child, node);
      visit(child, decides, isValue ? [...variables, ...namesIn(node.name)] : variables);
    });
  };
  visit(method, false, []);
  for (const name of tested) {
    for (const each of values.get(name) ?? []) tested.add(each); // which are visited, too
    const value = constants.get(name);
    if (value !== undefined) for (const each of namesUnder(value)) tested.add(each);
  }
  return { objects, names, narrowed: new Set([...tested, ...declared]) };
}

/** The names that a node declares for the code around it, or in it. */
function declaredBy(node: ts.Node): string[] {
  if (ts.isVariableDeclaration(node) || ts.isParameter(node)) return namesIn(node.name);
  const isNamed = ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) || ts.isClassLike(node);
  if (!isNamed && !ts.isEnumDeclaration(node)) return [];
  return node.name === undefined ? [] : [node.name.text];
}

function namesUnder(node: ts.Node): string[] {
  const found: string[] = [];
  const visit = (each: ts.Node): void => {
    if (ts.isIdentifier(each)) found.push(each.text);
    ts.forEachChild(each, visit);
  };
  visit(node);
  return found;
}

/** True for what stands before a `?.`. */
function isChained(child: ts.Node, node: ts.Node): boolean {
  const isLink =
    ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node);
  return isLink && node.questionDotToken !== undefined && child === node.expression;
}

function namesIn(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((each) => (ts.isBindingElement(each) ? namesIn(each.name) : []));
}
