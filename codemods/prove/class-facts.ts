/** What the text of a file says about its classes that is gone when they run. */
import { ts } from "ts-morph";
import type { ClassFacts, MethodFacts, Plain } from "./worker/trace.ts";

export interface SourceClass extends ClassFacts {
  readonly path: string;
  readonly abstract: boolean;
  /** Whether it extends anything: a QOM class does. */
  readonly extends: boolean;
  /** Name of the class that it extends; null if that is not a plain name. */
  readonly base: string | null;
  /** Whether a constructor has a parameter after the storage. */
  readonly needsArguments: boolean;
  /** Public fields that a board may set, with their first values. */
  readonly fields: Readonly<Record<string, Plain>>;
}

export interface SourceFacts {
  readonly classes: readonly SourceClass[];
  /** Classes that only a function creates, such as mixins: by name. */
  readonly hidden: readonly string[];
  /** Class that the exported function `exercise` takes; "" for any; null if there is no such function. */
  readonly exercises: string | null;
  readonly registersTypes: boolean;
  /** What to append to the text, so that the module exports every class. */
  readonly appendix: string;
}

/** Members that the device core calls; a board does not call them by name. */
const HOOKS = new Set(["realize", "unrealize", "reset", "instanceInit", "instanceFinalize", "onUnparent"]);

export function factsOf(path: string, text: string): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const declarations = file.statements.filter(ts.isClassDeclaration);
  const classes = declarations.map((each) => classFacts(path, each));
  const named = declarations.flatMap(({ name }) => (name === undefined ? [] : [name.text]));
  const functions = file.statements.filter(ts.isFunctionDeclaration);
  const exercise = functions.find((each) => each.name?.text === "exercise");
  return {
    classes,
    hidden: hiddenClasses(file),
    exercises: exercise === undefined ? null : parameterClass(exercise, named),
    registersTypes: functions.some((each) => each.name?.text === "registerTypes"),
    appendix: named.map((name) => `\nexport { ${name} as ${exportNameOf(name)} };`).join(""),
  };
}

function exportNameOf(name: string): string {
  return `__proved_${name}`;
}

function classFacts(path: string, declaration: ts.ClassDeclaration): SourceClass {
  const className = declaration.name?.text ?? "default";
  const members = declaration.members.filter(isPublic);
  return {
    path,
    className,
    exportName: declaration.name === undefined ? "default" : exportNameOf(className),
    abstract: has(declaration, ts.SyntaxKind.AbstractKeyword),
    extends: baseExpression(declaration) !== undefined,
    base: baseOf(declaration),
    needsArguments: declaration.members.some(
      (each) => ts.isConstructorDeclaration(each) && each.parameters.filter(isRequired).length > 1,
    ),
    fields: Object.fromEntries(members.filter(ts.isPropertyDeclaration).flatMap(settable)),
    getters: members
      .filter(ts.isGetAccessorDeclaration)
      .flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : [])),
    methods: members.filter(ts.isMethodDeclaration).flatMap(callable),
  };
}

function isRequired({ questionToken, initializer, dotDotDotToken }: ts.ParameterDeclaration): boolean {
  return questionToken === undefined && initializer === undefined && dotDotDotToken === undefined;
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return node.modifiers?.some((each) => each.kind === kind) === true;
}

/** Whether a board can reach a member of an object. */
function isPublic(member: ts.ClassElement): boolean {
  if (!ts.canHaveModifiers(member) || member.name === undefined) return false;
  if (ts.isPrivateIdentifier(member.name)) return false;
  const { PrivateKeyword, ProtectedKeyword, StaticKeyword, AbstractKeyword, DeclareKeyword } = ts.SyntaxKind;
  return ![PrivateKeyword, ProtectedKeyword, StaticKeyword, AbstractKeyword, DeclareKeyword].some((kind) =>
    has(member, kind),
  );
}

function settable(field: ts.PropertyDeclaration): [string, Plain][] {
  if (!ts.isIdentifier(field.name) || has(field, ts.SyntaxKind.ReadonlyKeyword)) return [];
  const value = field.initializer === undefined ? undefined : literal(field.initializer);
  return value === undefined ? [] : [[field.name.text, value]];
}

function literal(node: ts.Expression): Plain | undefined {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  return ts.isStringLiteral(node) ? node.text : undefined;
}

/** A method whose arguments the prover can choose. */
function callable(method: ts.MethodDeclaration): MethodFacts[] {
  if (!ts.isIdentifier(method.name) || method.body === undefined || HOOKS.has(method.name.text)) return [];
  const parameters = method.parameters.filter(isRequired).map(({ type }) => kindOf(type));
  const known = parameters.filter((kind) => kind !== undefined);
  return known.length === parameters.length ? [{ name: method.name.text, parameters: known }] : [];
}

function kindOf(type: ts.TypeNode | undefined): MethodFacts["parameters"][number] | undefined {
  if (type?.kind === ts.SyntaxKind.NumberKeyword) return "number";
  if (type?.kind === ts.SyntaxKind.BooleanKeyword) return "boolean";
  return type?.kind === ts.SyntaxKind.StringKeyword ? "string" : undefined;
}

function baseExpression({ heritageClauses }: ts.ClassDeclaration): ts.Expression | undefined {
  const clause = heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return clause?.types[0]?.expression;
}

function baseOf(declaration: ts.ClassDeclaration): string | null {
  const expression = baseExpression(declaration);
  return expression !== undefined && ts.isIdentifier(expression) ? expression.text : null;
}

function parameterClass({ parameters }: ts.FunctionDeclaration, classes: readonly string[]): string {
  const type = parameters[0]?.type;
  const name = type !== undefined && ts.isTypeReferenceNode(type) ? type.typeName.getText() : "";
  return classes.includes(name) ? name : "";
}

/** Classes below the top level of the file, which no import can reach. */
function hiddenClasses(file: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassExpression(node) || (ts.isClassDeclaration(node) && node.parent !== file)) {
      if (node.heritageClauses !== undefined) found.push(node.name?.text ?? "a class without a name");
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
