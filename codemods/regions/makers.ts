/** The two ways to create what a codemod converts: memory regions, or child objects. */
import { type CallExpression, Node } from "ts-morph";
import { type RegionConstructor, Shape } from "./constructors.ts";
import { initOn, newRegion, outermost } from "./syntax.ts";

/** What a conversion is about. */
export type Subject = "regions" | "children";

/** A call that creates something new, and its class as named in the source; types unchecked. */
export type Made = NonNullable<ReturnType<typeof newRegion>>;

export interface Makers {
  /** The call that initialises what `node` refers to, in place. */
  initOn(node: Node): { readonly maker: RegionConstructor; readonly call: CallExpression } | undefined;
  /** What a call of `initOn` initialises, as the source names it. */
  subjectOf(call: CallExpression): Node | undefined;
  /** The creation of an owned object that a call is. */
  newOn(node: Node | undefined): Made | undefined;
}

/** `region.initIo(…)` and `MemoryRegion.newIo(…)`. */
export const regionMakers: Makers = {
  initOn,
  subjectOf(call) {
    const callee = call.getExpression();
    return Node.isPropertyAccessExpression(callee) ? callee.getExpression() : undefined;
  },
  newOn: newRegion,
};

/** `this.initializeChild(name, child)` and `this.newChild(name, Type)`: the second argument is what differs. */
export const childConstructor: RegionConstructor = {
  init: "initializeChild",
  new: "newChild",
  shape: Shape.Child,
};

export const childMakers: Makers = {
  initOn(node) {
    const value = outermost(node);
    const call = value.getParent();
    if (!Node.isCallExpression(call) || call.getArguments()[1] !== value) return undefined;
    return isCallOnThis(call, childConstructor.init) ? { maker: childConstructor, call } : undefined;
  },
  subjectOf: (call) => call.getArguments()[1],
  newOn(node) {
    if (!Node.isCallExpression(node) || !isCallOnThis(node, childConstructor.new)) return undefined;
    const [, classNode] = node.getArguments();
    if (classNode === undefined) return undefined;
    return { maker: childConstructor, call: node, className: classNode.getText(), classNode };
  },
};

export function makersOf(subject: Subject): Makers {
  return subject === "regions" ? regionMakers : childMakers;
}

function isCallOnThis(call: CallExpression, method: string): boolean {
  const callee = call.getExpression();
  return (
    Node.isPropertyAccessExpression(callee) &&
    callee.getName() === method &&
    Node.isThisExpression(callee.getExpression())
  );
}
