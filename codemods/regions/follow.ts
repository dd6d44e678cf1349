/** Follows a region out of its field: into variables, loops over an array, and functions that it is passed to. */
import { type Expression, Node, SyntaxKind } from "ts-morph";
import { arrayLoopOf, callOn, enclosingFunction, outermost } from "./syntax.ts";

/** A node that refers to the same region as the node that was followed. */
export interface Trace {
  readonly node: Node;
  /** How the region got there: through a variable, or as an argument. */
  readonly via: "alias" | "helper";
}

/** All other nodes that refer to the region that `node` refers to. */
export function follow(node: Node, visited = new Set<Node>()): Trace[] {
  const traces: Trace[] = [];
  for (const { binding, scope, via } of bindingsOf(node)) {
    if (visited.has(binding)) continue;
    visited.add(binding);
    for (const use of usesOfBinding(binding, scope)) {
      traces.push({ node: use, via });
      for (const further of follow(use, visited)) {
        traces.push({ node: further.node, via: via === "helper" ? via : further.via });
      }
    }
  }
  const element = outermost(node).getParent();
  if (Node.isElementAccessExpression(element) && element.getExpression() === outermost(node)) {
    traces.push({ node: element, via: "alias" }, ...follow(element, visited));
  }
  return traces;
}

interface Binding {
  readonly binding: Node;
  readonly scope: Node;
  readonly via: Trace["via"];
}

/** Variables and parameters that take the value of `node`. */
function bindingsOf(node: Node): Binding[] {
  const value = outermost(node);
  const parent = value.getParent();
  if (Node.isVariableDeclaration(parent)) return aliasOf(parent.getNameNode());
  if (Node.isBinaryExpression(parent) && parent.getRight() === value)
    return assignedVariable(parent.getLeft());
  if (Node.isCallExpression(parent) || Node.isNewExpression(parent)) {
    const index = parent.getArguments().indexOf(value);
    return index < 0 ? [] : parametersAt(parent.getExpression(), index);
  }
  const item = arrayLoopOf(node)?.itemNode;
  if (item !== undefined) return aliasOf(item);
  return elementOfCallback(node);
}

function aliasOf(binding: Node): Binding[] {
  if (!Node.isIdentifier(binding)) return [];
  return [{ binding, scope: enclosingFunction(binding) ?? binding.getSourceFile(), via: "alias" }];
}

function assignedVariable(target: Node): Binding[] {
  if (!Node.isIdentifier(target)) return [];
  const declaration = target.getSymbol()?.getDeclarations().find(Node.isVariableDeclaration);
  return declaration === undefined ? [] : aliasOf(declaration.getNameNode());
}

/** `this.windows.forEach((window) => …)`: the callback's first parameter. */
function elementOfCallback(node: Node): Binding[] {
  const called = callOn(node);
  const callback = called?.call.getArguments()[0];
  if (!Node.isArrowFunction(callback) && !Node.isFunctionExpression(callback)) return [];
  const parameter = callback.getParameters()[0]?.getNameNode();
  return Node.isIdentifier(parameter) ? [{ binding: parameter, scope: callback, via: "alias" }] : [];
}

function parametersAt(callee: Expression, index: number): Binding[] {
  const symbol = Node.isPropertyAccessExpression(callee)
    ? callee.getNameNode().getSymbol()
    : callee.getSymbol();
  const helpers = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
  return helpers.flatMap((helper): Binding[] => {
    const parameters = parametersOf(helper) ?? [];
    const binding = parameters[Math.min(index, parameters.length - 1)]?.getNameNode();
    return Node.isIdentifier(binding) ? [{ binding, scope: helper, via: "helper" }] : [];
  });
}

function parametersOf(helper: Node) {
  if (Node.isFunctionLikeDeclaration(helper)) return helper.getParameters();
  if (Node.isVariableDeclaration(helper) || Node.isPropertyDeclaration(helper)) {
    const value = helper.getInitializer();
    if (Node.isArrowFunction(value) || Node.isFunctionExpression(value)) return value.getParameters();
  }
  if (Node.isClassDeclaration(helper)) return helper.getConstructors()[0]?.getParameters();
  return undefined;
}

/** Identifiers in `scope` that refer to the variable or parameter named by `binding`. */
export function usesOfBinding(binding: Node, scope: Node): Node[] {
  const symbol = binding.getSymbol()?.compilerSymbol;
  const name = binding.getText();
  return scope.getDescendantsOfKind(SyntaxKind.Identifier).filter((node) => {
    if (node === binding || node.getText() !== name) return false;
    const parent = node.getParent();
    const used = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : node.getSymbol();
    return used?.compilerSymbol === symbol;
  });
}
