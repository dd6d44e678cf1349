import { Node } from "ts-morph";

/**
 * What the author calls a region that an expression creates: the variable, field or property that takes it, else the name
 * that the region is given, else the getter or method that returns it, else the expression.
 */
export function nameOfRegion(creation: Node): string {
  return nameOfTarget(creation) ?? givenName(creation) ?? creation.getText().split("(")[0] ?? "";
}

/** The name of what takes the value, through wrappers such as `??`, conditions, lists, and `as`. */
function nameOfTarget(value: Node): string | undefined {
  const parent = value.getParent();
  if (Node.isVariableDeclaration(parent) || Node.isPropertyDeclaration(parent)) return parent.getName();
  if (Node.isPropertyAssignment(parent)) return parent.getName();
  if (Node.isBinaryExpression(parent) && parent.getRight() === value) {
    const assigns = /^(?:\?\?|\|\||&&)?=$/.test(parent.getOperatorToken().getText());
    return assigns ? nameOfPlace(parent.getLeft()) : nameOfTarget(parent);
  }
  const wraps =
    Node.isParenthesizedExpression(parent) ||
    Node.isAsExpression(parent) ||
    Node.isSatisfiesExpression(parent) ||
    Node.isNonNullExpression(parent) ||
    Node.isConditionalExpression(parent) ||
    Node.isArrayLiteralExpression(parent);
  return wraps ? nameOfTarget(parent) : undefined;
}

/** `iomem` for `this.iomem`, `this["iomem"]`, `iomem`; `windows` for `this.windows[0]`. */
function nameOfPlace(place: Node): string | undefined {
  if (Node.isIdentifier(place)) return place.getText();
  if (Node.isPropertyAccessExpression(place)) return place.getName();
  if (!Node.isElementAccessExpression(place)) return undefined;
  const key = place.getArgumentExpression();
  return Node.isStringLiteral(key) ? key.getLiteralText() : nameOfPlace(place.getExpression());
}

/** The text that is passed as the region's name, or the member that returns the region. */
function givenName(creation: Node): string | undefined {
  if (!Node.isCallExpression(creation)) return undefined;
  const text = creation
    .getArguments()
    .find((each) => Node.isStringLiteral(each) || Node.isTemplateExpression(each));
  if (text !== undefined) return text.getText().slice(1, -1);
  const member = creation.getParentIf(Node.isReturnStatement)?.getFirstAncestor(Node.isMethodDeclaration);
  return member?.getName();
}
