/**
 * The classes and functions that a life can run, and what the checker knows about them.
 *
 * A framework file belongs to the object model, the memory core or the device core. Its functions are never followed:
 * analyses know what they do, and the engine knows the few of them that call back at once.
 */
import { ts } from "ts-morph";
import { plainProperty } from "../source/plain-access.ts";
import {
  hasModifier,
  isRunnable,
  isStatic,
  literalKey,
  nameOf,
  type Runnable,
  stores,
  strip,
} from "./syntax.ts";

export class FlowProgram {
  readonly checker: ts.TypeChecker;
  private readonly framework: (file: ts.SourceFile) => boolean;
  private readonly shapes = new Map<ts.ClassLikeDeclaration, ClassShape>();
  private readonly derived = new Map<ts.ClassLikeDeclaration, ts.ClassLikeDeclaration[]>();
  private readonly stored = new Map<ts.SourceFile, Map<string, ts.BinaryExpression[]>>();
  private readonly returned = new Map<Runnable, readonly ts.Expression[]>();
  private readonly bases = new WeakMap<ts.ClassLikeDeclaration, readonly string[]>();
  /** Walks pass the same name many times, and the checker does not remember what it found. */
  private readonly declarations = new WeakMap<ts.Node, ts.Declaration | undefined>();
  /** Names of all getters and setters of the files: other accesses run nothing. */
  readonly accessors = new Set<string>();
  /** Names of members of the files that the language calls without naming them. */
  readonly implied = new Set<string>();
  /** All classes of the files given, in source order. */
  readonly classes: readonly ts.ClassLikeDeclaration[];

  constructor(
    checker: ts.TypeChecker,
    files: readonly ts.SourceFile[],
    framework: (file: ts.SourceFile) => boolean,
  ) {
    this.checker = checker;
    this.framework = framework;
    const classes: ts.ClassLikeDeclaration[] = [];
    const given = new Set(files);
    const read = new Set(files);
    for (const file of read) {
      this.collect(file, given.has(file) ? classes : []);
      for (const imported of this.importedBy(file)) if (!this.isOutside(imported)) read.add(imported);
    }
    this.classes = classes;
    for (const each of classes) {
      const base = this.baseOf(each);
      if (base !== undefined) this.derived.set(base, [...(this.derived.get(base) ?? []), each]);
    }
  }

  private collect(node: ts.Node, classes: ts.ClassLikeDeclaration[]): void {
    if (ts.isClassLike(node)) classes.push(node);
    else if (ts.isClassElement(node) || ts.isObjectLiteralElement(node)) {
      const name = nameOf(node.name) ?? UNKNOWN_NAME;
      if (ts.isAccessor(node)) this.accessors.add(name);
      if (isImplied(name) && node.name !== undefined) this.implied.add(name);
    }
    ts.forEachChild(node, (child) => this.collect(child, classes));
  }

  /** Functions of these files can be followed as well, although nothing else is asked about them. */
  private importedBy(file: ts.SourceFile): ts.SourceFile[] {
    return file.statements.flatMap((each) => {
      const isImport = ts.isImportDeclaration(each) || ts.isExportDeclaration(each);
      if (!isImport || each.moduleSpecifier === undefined) return [];
      const declarations = this.checker.getSymbolAtLocation(each.moduleSpecifier)?.declarations ?? [];
      return declarations.filter(ts.isSourceFile);
    });
  }

  isFramework(node: ts.Node): boolean {
    return this.framework(node.getSourceFile());
  }

  /** True for code that is never followed: the framework's, and code of which there are only declarations. */
  isOutside(node: ts.Node): boolean {
    const file = node.getSourceFile();
    return file.isDeclarationFile || this.framework(file);
  }

  /** The declaration of a name, through imports. */
  declarationOf(name: ts.Node): ts.Declaration | undefined {
    const known = this.declarations.get(name);
    if (known !== undefined || this.declarations.has(name)) return known;
    const symbol = this.symbolOf(name);
    const declaration = symbol?.valueDeclaration ?? symbol?.declarations?.[0];
    this.declarations.set(name, declaration);
    return declaration;
  }

  symbolOf(name: ts.Node): ts.Symbol | undefined {
    const parent: ts.Node | undefined = name.parent; // missing on nodes that are not in a file
    if (parent !== undefined && ts.isPropertyAccessExpression(parent) && parent.name === name) {
      const plain = plainProperty(parent, this.checker);
      if (plain !== undefined) return plain;
    }
    const symbol =
      parent !== undefined && ts.isShorthandPropertyAssignment(parent) && parent.name === name
        ? this.checker.getShorthandAssignmentValueSymbol(parent)
        : this.checker.getSymbolAtLocation(name);
    if (symbol === undefined) return undefined;
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  /** The class that a class extends, if its source is at hand; framework classes count. */
  private extended(declaration: ts.ClassLikeDeclaration): ts.ClassLikeDeclaration | undefined {
    const clause = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
    const base = clause?.types[0]?.expression;
    if (base === undefined) return undefined;
    const named = this.declarationOf(ts.isPropertyAccessExpression(base) ? base.name : base);
    if (named !== undefined && ts.isClassLike(named)) return named;
    const [instance] = this.checker.getTypeAtLocation(base).getConstructSignatures();
    const type = instance?.getReturnType();
    return type?.symbol?.declarations?.find(ts.isClassLike);
  }

  /** The class that a class extends, unless its code is outside. */
  baseOf(declaration: ts.ClassLikeDeclaration): ts.ClassLikeDeclaration | undefined {
    const base = this.extended(declaration);
    return base === undefined || this.isOutside(base) ? undefined : base;
  }

  /** Names of the framework classes that a class derives from, nearest first. */
  frameworkBases(declaration: ts.ClassLikeDeclaration): readonly string[] {
    let names = this.bases.get(declaration);
    if (names === undefined) {
      const found: string[] = [];
      const visited = new Set<ts.Node>();
      for (let each = this.extended(declaration); each !== undefined; each = this.extended(each)) {
        if (visited.has(each)) break;
        visited.add(each);
        if (this.isFramework(each)) found.push(each.name?.text ?? "");
      }
      names = found;
      this.bases.set(declaration, names);
    }
    return names;
  }

  /** True if a class outside the program that a class derives from declares an instance member of this name. */
  isDeclaredAbove(
    declaration: ts.ClassLikeDeclaration,
    name: string,
    counts: (base: ts.ClassLikeDeclaration) => boolean,
  ): boolean {
    const visited = new Set<ts.Node>();
    for (let each = this.extended(declaration); each !== undefined; each = this.extended(each)) {
      if (visited.has(each)) return false;
      visited.add(each);
      if (!this.isOutside(each) || !counts(each)) continue;
      if (each.members.some((member) => !isStatic(member) && nameOf(member.name) === name)) return true;
    }
    return false;
  }

  /** Direct subclasses among the program's classes. */
  subclassesOf(declaration: ts.ClassLikeDeclaration): readonly ts.ClassLikeDeclaration[] {
    return this.derived.get(declaration) ?? [];
  }

  shapeOf(declaration: ts.ClassLikeDeclaration): ClassShape {
    let shape = this.shapes.get(declaration);
    if (shape === undefined) {
      shape = new ClassShape(this, declaration);
      this.shapes.set(declaration, shape);
    }
    return shape;
  }

  /** Expressions stored in a variable after its declaration. */
  storedIn(variable: ts.VariableDeclaration): readonly ts.Expression[] {
    const { name } = variable;
    if (!ts.isIdentifier(name) || variable.parent.flags & ts.NodeFlags.Const) return [];
    const file = variable.getSourceFile();
    let stores = this.stored.get(file);
    if (stores === undefined) {
      stores = new Map();
      collectStores(file, stores);
      this.stored.set(file, stores);
    }
    return (stores.get(name.text) ?? [])
      .filter(({ left }) => this.declarationOf(strip(left)) === variable)
      .map(({ right }) => right);
  }

  /** Expressions that a function returns, not those of functions inside it. */
  returnsOf(fn: Runnable): readonly ts.Expression[] {
    let found = this.returned.get(fn);
    if (found === undefined) {
      const list: ts.Expression[] = [];
      if (fn.body !== undefined && !ts.isBlock(fn.body)) list.push(fn.body);
      else if (fn.body !== undefined) collectReturns(fn.body, list);
      found = list;
      this.returned.set(fn, found);
    }
    return found;
  }
}

/** Stands for a name that is computed. */
export const UNKNOWN_NAME = "";

/** True for members that the language and its library call without naming them: `@@name` is `[Symbol.name]`. */
export function isImplied(name: string): boolean {
  return (
    name === UNKNOWN_NAME || name.startsWith("@@") || /^(?:to(?:Locale)?String|valueOf|toJSON)$/.test(name)
  );
}

/** A class with its bases, most derived first; framework classes are left out. */
export class ClassShape {
  readonly declaration: ts.ClassLikeDeclaration;
  private readonly program: FlowProgram;
  readonly chain: readonly ts.ClassLikeDeclaration[];
  /** Values given to fields by `this.name = value`, and to elements of what they hold. */
  private fields: Map<string, ts.Expression[]> | undefined;
  private elements: Map<string, ts.Expression[]> | undefined;
  private readonly named = new Map<string, readonly ts.ClassElement[]>();
  private readonly declared = new Map<
    string,
    readonly (ts.PropertyDeclaration | ts.ParameterDeclaration)[]
  >();

  constructor(program: FlowProgram, declaration: ts.ClassLikeDeclaration) {
    this.program = program;
    this.declaration = declaration;
    const chain: ts.ClassLikeDeclaration[] = [];
    for (
      let each: ts.ClassLikeDeclaration | undefined = declaration;
      each !== undefined && !chain.includes(each);
      each = program.baseOf(each)
    )
      chain.push(each);
    this.chain = chain;
  }

  /** The members of this name in the most derived class that has one, looking only above `above` if it is given. */
  members(name: string, above?: ts.ClassLikeDeclaration): readonly ts.ClassElement[] {
    if (above !== undefined) return membersIn(this.chain.slice(this.chain.indexOf(above) + 1), name);
    let found = this.named.get(name);
    if (found === undefined) {
      found = membersIn(this.chain, name);
      this.named.set(name, found);
    }
    return found;
  }

  method(name: string, above?: ts.ClassLikeDeclaration): ts.MethodDeclaration | undefined {
    return this.members(name, above)
      .filter(ts.isMethodDeclaration)
      .find(({ body }) => body !== undefined);
  }

  /** The method that one class of the chain declares itself. */
  ownMethod(holder: ts.ClassLikeDeclaration, name: string): ts.MethodDeclaration | undefined {
    return membersIn([holder], name)
      .filter(ts.isMethodDeclaration)
      .find(({ body }) => body !== undefined);
  }

  getter(name: string, above?: ts.ClassLikeDeclaration): ts.GetAccessorDeclaration | undefined {
    return this.members(name, above).find(ts.isGetAccessorDeclaration);
  }

  setter(name: string, above?: ts.ClassLikeDeclaration): ts.SetAccessorDeclaration | undefined {
    return this.members(name, above).find(ts.isSetAccessorDeclaration);
  }

  /** Names of all getters and setters; those with computed names have none. */
  accessorNames(): readonly string[] {
    const names = this.chain.flatMap(({ members }) =>
      members
        .filter((each) => ts.isAccessor(each) && !isStaticOrAbstract(each))
        .map(({ name }) => nameOf(name)),
    );
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  /** Methods and accessors of which the name is computed, in all classes of the chain. */
  computed(): readonly (ts.MethodDeclaration | ts.AccessorDeclaration)[] {
    return this.chain.flatMap(({ members }) =>
      members
        .filter((each) => ts.isMethodDeclaration(each) || ts.isAccessor(each))
        .filter((each) => nameOf(each.name) === undefined && !isStaticOrAbstract(each)),
    );
  }

  /** Names of all fields, whether they are declared or assigned. */
  fieldNames(): readonly string[] {
    this.collect();
    const declared = this.chain.flatMap((each) => [
      ...each.members
        .filter(ts.isPropertyDeclaration)
        .filter((field) => !isStaticOrAbstract(field))
        .map(({ name }) => nameOf(name)),
      ...parametersOf(each).keys(),
    ]);
    const names = [...declared.filter((name) => name !== undefined), ...(this.fields?.keys() ?? [])];
    return [...new Set(names)];
  }

  /** Field declarations and parameter properties of this name, in all classes of the chain. */
  fieldsNamed(name: string): readonly (ts.PropertyDeclaration | ts.ParameterDeclaration)[] {
    let found = this.declared.get(name);
    if (found === undefined) {
      found = this.chain.flatMap((each) => [
        ...membersIn([each], name).filter(ts.isPropertyDeclaration),
        ...(parametersOf(each).get(name) ?? []),
      ]);
      this.declared.set(name, found);
    }
    return found;
  }

  /** Everything that is stored in a field, apart from what its declaration says. */
  storedInField(name: string): readonly ts.Expression[] {
    this.collect();
    return this.fields?.get(name) ?? [];
  }

  /** Everything that is put into the collection that a field holds. */
  storedInElements(name: string): readonly ts.Expression[] {
    this.collect();
    return this.elements?.get(name) ?? [];
  }

  private collect(): void {
    if (this.fields !== undefined) return;
    this.fields = new Map();
    this.elements = new Map();
    for (const each of this.chain)
      for (const member of each.members) collectFieldStores(this.program, member, this.fields, this.elements);
  }
}

/** Members of each class by name: classes may be long, and are asked for every access. */
const membersByName = new WeakMap<ts.ClassLikeDeclaration, ReadonlyMap<string, readonly ts.ClassElement[]>>();

function membersIn(chain: readonly ts.ClassLikeDeclaration[], name: string): readonly ts.ClassElement[] {
  for (const each of chain) {
    let index = membersByName.get(each);
    if (index === undefined) {
      const built = new Map<string, ts.ClassElement[]>();
      for (const member of each.members) {
        const key = nameOf(member.name);
        if (key !== undefined && !isStaticOrAbstract(member)) add(built, key, member);
      }
      index = built;
      membersByName.set(each, index);
    }
    const found = index.get(name);
    if (found !== undefined) return found;
  }
  return [];
}

const parametersByName = new WeakMap<
  ts.ClassLikeDeclaration,
  ReadonlyMap<string, ts.ParameterDeclaration[]>
>();

/** Parameters of the constructor that are fields at the same time. */
function parametersOf(declaration: ts.ClassLikeDeclaration): ReadonlyMap<string, ts.ParameterDeclaration[]> {
  const known = parametersByName.get(declaration);
  if (known !== undefined) return known;
  const built = new Map<string, ts.ParameterDeclaration[]>();
  for (const made of declaration.members.filter(ts.isConstructorDeclaration))
    for (const parameter of made.parameters)
      if (ts.isParameterPropertyDeclaration(parameter, made))
        add(built, nameOf(parameter.name) ?? "", parameter);
  parametersByName.set(declaration, built);
  return built;
}

function isStaticOrAbstract(member: ts.ClassElement): boolean {
  return (
    hasModifier(member, ts.SyntaxKind.StaticKeyword) ||
    hasModifier(member, ts.SyntaxKind.AbstractKeyword) ||
    hasModifier(member, ts.SyntaxKind.DeclareKeyword)
  );
}

function collectStores(node: ts.Node, found: Map<string, ts.BinaryExpression[]>): void {
  if (ts.isBinaryExpression(node) && stores(node)) {
    const target = strip(node.left);
    if (ts.isIdentifier(target)) add(found, target.text, node);
  }
  ts.forEachChild(node, (child) => collectStores(child, found));
}

function collectReturns(node: ts.Node, found: ts.Expression[]): void {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
  if (ts.isReturnStatement(node) && node.expression !== undefined) found.push(node.expression);
  ts.forEachChild(node, (child) => collectReturns(child, found));
}

const adders: ReadonlySet<string> = new Set(["push", "unshift", "add", "set", "fill"]);

function collectFieldStores(
  program: FlowProgram,
  node: ts.Node,
  fields: Map<string, ts.Expression[]>,
  elements: Map<string, ts.Expression[]>,
): void {
  if (ts.isBinaryExpression(node) && stores(node)) {
    const target = strip(node.left);
    const name = nameOnThis(program, target);
    if (name !== undefined) add(fields, name, node.right);
    else if (ts.isElementAccessExpression(target)) {
      const array = nameOnThis(program, strip(target.expression));
      if (array !== undefined) add(elements, array, node.right);
    }
  } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression, name } = node.expression;
    const array = adders.has(name.text) ? nameOnThis(program, strip(expression)) : undefined;
    const value = node.arguments.at(-1);
    if (array !== undefined && value !== undefined) add(elements, array, value);
  }
  ts.forEachChild(node, (child) => collectFieldStores(program, child, fields, elements));
}

/** `name` of `this.name` and `this["name"]`, also by way of `const self = this`. */
function nameOnThis(program: FlowProgram, node: ts.Expression): string | undefined {
  if (ts.isPropertyAccessExpression(node))
    return isThis(program, node.expression) ? node.name.text : undefined;
  if (!ts.isElementAccessExpression(node) || !isThis(program, node.expression)) return undefined;
  return literalKey(node.argumentExpression);
}

function isThis(program: FlowProgram, node: ts.Expression): boolean {
  const bare = strip(node);
  if (bare.kind === ts.SyntaxKind.ThisKeyword) return true;
  if (!ts.isIdentifier(bare)) return false;
  const declared = program.declarationOf(bare);
  if (declared === undefined || !ts.isVariableDeclaration(declared) || declared.initializer === undefined)
    return false;
  return strip(declared.initializer).kind === ts.SyntaxKind.ThisKeyword;
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const present = map.get(key);
  if (present === undefined) map.set(key, [value]);
  else present.push(value);
}

/** The function that a declaration stands for: itself, or the function that a constant holds. */
export function functionOf(declaration: ts.Node | undefined): Runnable | undefined {
  if (declaration === undefined || !isRunnable(declaration)) return undefined;
  return declaration.body === undefined ? undefined : declaration;
}
