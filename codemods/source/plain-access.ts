/**
 * What a name on `this` means, by the types that are declared. The checker would first follow everything that may have
 * narrowed the type of `this`, back to the beginning of the function, and again for each name.
 */
import { ts } from "ts-morph";
import { classOfThis } from "./this-class.ts";

/**
 * The property that `this.name` or `this.field.name` names. Undefined for other expressions, for properties that are not
 * found, and where a condition of the function may have narrowed the type of the field.
 */
export function plainProperty(
  access: ts.PropertyAccessExpression,
  checker: ts.TypeChecker,
): ts.Symbol | undefined {
  const object = access.expression;
  if (object.kind === ts.SyntaxKind.ThisKeyword) return propertyOfThis(object, access.name, checker);
  const type = plainType(object, checker);
  return type && propertyIn(type, access.name, checker);
}

/** The type of `this.field`. Undefined like `plainProperty`, and for unions: assignments may have narrowed them. */
export function plainType(
  access: ts.Expression,
  checker: ts.TypeChecker,
  typeOf: typeof typeWithoutInference = typeOfField,
): ts.Type | undefined {
  if (!ts.isPropertyAccessExpression(access) || access.questionDotToken !== undefined) return undefined;
  const { expression: object, name } = access;
  if (object.kind !== ts.SyntaxKind.ThisKeyword || mayBeNarrowed(access)) return undefined;
  const field = propertyOfThis(object, name, checker)?.valueDeclaration;
  if (field === undefined || !ts.isPropertyDeclaration(field)) return undefined;
  const type = typeOf(field, checker);
  return type !== undefined && type.flags & ts.TypeFlags.Object ? type : undefined;
}

/** The type of a field. That of `this.embed(MemoryRegion)` is not inferred again for every field. */
export function typeOfField(field: ts.PropertyDeclaration, checker: ts.TypeChecker): ts.Type {
  return typeWithoutInference(field, checker) ?? checker.getTypeAtLocation(field);
}

/** The type of a field that says so itself, or by `this.embed(MemoryRegion)`. */
export function typeWithoutInference(
  field: ts.PropertyDeclaration,
  checker: ts.TypeChecker,
): ts.Type | undefined {
  if (field.type !== undefined) return checker.getTypeAtLocation(field);
  return field.initializer && instanceMadeBy(field.initializer, checker);
}

/** What `this.method(Class)` returns if its one type parameter stands for the instances of the class that it is given. */
function instanceMadeBy(call: ts.Expression, checker: ts.TypeChecker): ts.Type | undefined {
  if (!ts.isCallExpression(call) || !ts.isPropertyAccessExpression(call.expression)) return undefined;
  const [given, another] = call.arguments;
  if (given === undefined || another !== undefined || call.typeArguments !== undefined) return undefined;
  const { expression: object, name } = call.expression;
  if (object.kind !== ts.SyntaxKind.ThisKeyword || !ts.isIdentifier(given)) return undefined;
  const method = propertyOfThis(object, name, checker);
  if (method === undefined || !returnsInstances(method, checker)) return undefined;
  const symbol = classNamed(given, checker);
  const declaration = symbol?.valueDeclaration;
  if (symbol === undefined || declaration === undefined || !ts.isClassDeclaration(declaration))
    return undefined;
  return declaration.typeParameters === undefined ? checker.getDeclaredTypeOfSymbol(symbol) : undefined;
}

const namedByFields = new WeakMap<ts.Node, Map<string, ts.Symbol | undefined>>();

/**
 * The class that a name refers to, through imports; undefined if it is something else. The fields of a class see the same
 * names, and the checker looks at all members of the class for each of them.
 */
export function classNamed(name: ts.Identifier, checker: ts.TypeChecker): ts.Symbol | undefined {
  const call = name.parent;
  const field = ts.isCallExpression(call) ? call.parent : undefined;
  if (field === undefined || !ts.isPropertyDeclaration(field)) return lookUp(name, checker);
  const known = namedByFields.get(field.parent) ?? new Map<string, ts.Symbol | undefined>();
  namedByFields.set(field.parent, known);
  if (!known.has(name.text)) known.set(name.text, lookUp(name, checker));
  return known.get(name.text);
}

function lookUp(name: ts.Identifier, checker: ts.TypeChecker): ts.Symbol | undefined {
  const named = checker.getSymbolAtLocation(name);
  const symbol = named && named.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(named) : named;
  return symbol && symbol.flags & ts.SymbolFlags.Class ? symbol : undefined;
}

const instanceMakers = new WeakMap<ts.Node, boolean>();

/** `method<T>(type: Constructor<T>): T`. */
function returnsInstances({ declarations = [] }: ts.Symbol, checker: ts.TypeChecker): boolean {
  const [method, another] = declarations;
  if (method === undefined || another !== undefined || !ts.isMethodDeclaration(method)) return false;
  let known = instanceMakers.get(method);
  if (known === undefined) {
    const { typeParameters = [], parameters, type } = method;
    const [made, given] = [typeParameters[0], parameters[0]?.type];
    known =
      typeParameters.length === 1 &&
      parameters.length === 1 &&
      made !== undefined &&
      given !== undefined &&
      isNameOf(made, type) &&
      ts.isTypeReferenceNode(given) &&
      isNameOf(made, given.typeArguments?.[0]) &&
      checker.getTypeAtLocation(given).getConstructSignatures().length === 1;
    instanceMakers.set(method, known);
  }
  return known;
}

function isNameOf(parameter: ts.TypeParameterDeclaration, type: ts.TypeNode | undefined): boolean {
  return (
    type !== undefined &&
    ts.isTypeReferenceNode(type) &&
    ts.isIdentifier(type.typeName) &&
    type.typeName.text === parameter.name.text
  );
}

function propertyOfThis(
  object: ts.Node,
  name: ts.MemberName,
  checker: ts.TypeChecker,
): ts.Symbol | undefined {
  const holder = classOfThis(object);
  return holder && propertyIn(checker.getTypeAtLocation(holder), name, checker);
}

function propertyIn(type: ts.Type, name: ts.MemberName, checker: ts.TypeChecker): ts.Symbol | undefined {
  if ((type.flags & ts.TypeFlags.Object) === 0) return undefined;
  return checker.getPropertyOfType(type, name.text);
}

const tested = new WeakMap<ts.Node, ReadonlySet<string>>();

/** True for `this.field` in a function that has it in a condition, or in a value that a condition may ask for. */
function mayBeNarrowed(field: ts.PropertyAccessExpression): boolean {
  let around: ts.Node = field.parent;
  while (!ts.isFunctionLike(around) && !ts.isClassLike(around) && !ts.isSourceFile(around))
    around = around.parent;
  let names = tested.get(around);
  if (names === undefined) {
    const found = new Set<string>();
    ts.forEachChild(around, (child) => collectTested(child, false, found));
    names = found;
    tested.set(around, names);
  }
  return names.has(field.name.text);
}

/** Names of accesses in what decides which code runs. */
function collectTested(node: ts.Node, isTested: boolean, found: Set<string>): void {
  if (isTested && ts.isPropertyAccessExpression(node)) found.add(node.name.text);
  if (isTested && ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
    found.add(node.argumentExpression.text);
  ts.forEachChild(node, (child) => collectTested(child, isTested || decides(child, node), found));
}

function decides(child: ts.Node, node: ts.Node): boolean {
  if (ts.isVariableDeclaration(node)) return child === node.initializer; // `const isRom = this.bank instanceof Rom`
  return isCondition(child, node) || (ts.isBinaryExpression(node) && assigns(node.operatorToken.kind));
}

/** True for the child of `node` whose value decides which code runs, and for the sides of an operator that is a condition. */
export function isCondition(child: ts.Node, node: ts.Node): boolean {
  switch (node.kind) {
    case ts.SyntaxKind.IfStatement:
    case ts.SyntaxKind.WhileStatement:
    case ts.SyntaxKind.DoStatement:
    case ts.SyntaxKind.SwitchStatement:
      return child === (node as ts.IfStatement | ts.WhileStatement | ts.DoStatement).expression;
    case ts.SyntaxKind.ForStatement:
      return child === (node as ts.ForStatement).condition;
    case ts.SyntaxKind.CaseClause:
      return child === (node as ts.CaseClause).expression;
    case ts.SyntaxKind.ConditionalExpression:
      return child === (node as ts.ConditionalExpression).condition;
    case ts.SyntaxKind.BinaryExpression:
      return choosesRight.has((node as ts.BinaryExpression).operatorToken.kind);
    default:
      return false;
  }
}

/** Operators that give the value of their right side only under a condition. */
const choosesRight: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);

/** True for the assignments, after which the type is that of the value. */
function assigns(operator: ts.SyntaxKind): boolean {
  return operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
}
