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
  if (!ts.isPropertyAccessExpression(object) || object.expression.kind !== ts.SyntaxKind.ThisKeyword)
    return undefined;
  if (object.questionDotToken !== undefined || mayBeNarrowed(object)) return undefined;
  const field = propertyOfThis(object.expression, object.name, checker);
  if (field?.valueDeclaration === undefined || !ts.isPropertyDeclaration(field.valueDeclaration))
    return undefined;
  return propertyIn(checker.getTypeOfSymbol(field), access.name, checker);
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
    case ts.SyntaxKind.VariableDeclaration: // `const isRom = this.bank instanceof Rom`
      return child === (node as ts.VariableDeclaration).initializer;
    case ts.SyntaxKind.BinaryExpression:
      return decidesRight((node as ts.BinaryExpression).operatorToken.kind);
    default:
      return false;
  }
}

/** Operators that give a value only under a condition, and the assignments, after which the type is that of the value. */
function decidesRight(operator: ts.SyntaxKind): boolean {
  return (
    operator === ts.SyntaxKind.AmpersandAmpersandToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    operator === ts.SyntaxKind.QuestionQuestionToken ||
    (operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment)
  );
}
