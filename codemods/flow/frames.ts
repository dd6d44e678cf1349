/** Calls under way, and where values come from. */
import type { ts } from "ts-morph";
import type { Runnable } from "./syntax.ts";

/** One call of a function that the engine runs; the frames of a life form a tree. */
export interface Frame {
  /** The function that runs; undefined for the life itself, and for code at the top of a file. */
  readonly fn: Runnable | undefined;
  /** What `this` refers to; empty if that is not known. */
  readonly self: readonly Source[];
  /** What the parameters are bound to; a parameter that is missing here may be anything. */
  readonly bindings: ReadonlyMap<ts.ParameterDeclaration, Binding>;
  /** The frame of the function around this one in the source, in which captured variables live. */
  readonly outer: Frame | undefined;
  readonly caller: Frame | undefined;
  /** The call that started it. */
  readonly call: ts.Node | undefined;
  readonly depth: number;
}

/** The value of a parameter: that of an expression, of an element of it, or a source that is known at once. */
export type Binding =
  | { readonly value: ts.Expression; readonly frame: Frame; readonly element: boolean }
  | { readonly sources: readonly Source[] };

/** Where a value comes from, as far back as it can be followed. */
export type Source =
  /** The object whose life is being walked. */
  | { readonly kind: "device" }
  /** What a field of it holds; fields of known content are followed to that content if it is not a region. */
  | { readonly kind: "field"; readonly name: string }
  /** Some element of a collection. */
  | { readonly kind: "element"; readonly of: Source }
  /** Another expression: a call, `new`, a literal, a function, an access to something unknown. */
  | { readonly kind: "expression"; readonly node: ts.Node; readonly frame: Frame };

export const DEVICE: Source = { kind: "device" };

/** True if two sources are the same, even if different calls led there. */
export function sameSource(one: Source, other: Source): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === "field") return other.kind === "field" && one.name === other.name;
  if (one.kind === "element") return other.kind === "element" && sameSource(one.of, other.of);
  if (one.kind === "expression") return other.kind === "expression" && one.node === other.node;
  return true;
}

export function addSource(list: Source[], source: Source): void {
  if (!list.some((each) => sameSource(each, source))) list.push(source);
}

/** True if the device is among the sources. */
export function holdsDevice(sources: readonly Source[]): boolean {
  return sources.some(({ kind }) => kind === "device");
}

/** The frame outside of all functions. */
export function outermostFrame(self: readonly Source[]): Frame {
  return {
    fn: undefined,
    self,
    bindings: new Map(),
    outer: undefined,
    caller: undefined,
    call: undefined,
    depth: 0,
  };
}
