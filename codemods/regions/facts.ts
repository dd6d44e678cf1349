import type {
  CallExpression,
  ClassDeclaration,
  Expression,
  ExpressionStatement,
  ForOfStatement,
  ForStatement,
  Node,
  PropertyDeclaration,
  SourceFile,
  VariableDeclaration,
  VariableStatement,
} from "ts-morph";
import type { RegionConstructor } from "./constructors.ts";
import type { Reason } from "./reasons.ts";

/** Where a region's storage is. */
export type Form = "embedded" | "owned";

/** Direction of a conversion. */
export type Direction = "to-owned" | "to-embedded";

/** Why a region is refused, and the node that shows it. */
export interface Refusal {
  readonly reason: Reason;
  readonly node: Node;
  /** The source text found, such as `this.iomem.unparent()`. */
  readonly detail: string;
}

/** A class that holds regions, with everything that the passes know about it. */
export interface DeviceFacts {
  readonly file: SourceFile;
  readonly name: string;
  readonly declaration: ClassDeclaration;
  /** Regions with a field: all embedded ones, and the owned ones whose field is kept. */
  readonly fields: RegionField[];
  /** Owned regions that only a local refers to. */
  readonly locals: RegionLocal[];
  /** Regions in forms that have no counterpart. */
  readonly strays: StrayRegion[];
}

export interface RegionField {
  readonly device: DeviceFacts;
  readonly declaration: PropertyDeclaration;
  readonly name: string;
  readonly form: Form;
  /** The region class as named in the source. */
  readonly className: string;
  /** True for an array. `count` is set in embedded form only; in owned form the loop that creates it has the count. */
  readonly array: boolean;
  readonly count: Expression | undefined;
  /** Filled in by the second pass. */
  readonly uses: Use[];
  readonly creations: Creation[];
}

/** `const iomem = MemoryRegion.newIo(…);` in a method, or in the loop that creates several. */
export interface RegionLocal {
  readonly device: DeviceFacts;
  readonly declaration: VariableDeclaration;
  readonly statement: VariableStatement;
  readonly name: string;
  readonly className: string;
  readonly call: CallExpression;
  readonly maker: RegionConstructor;
  readonly loop: CountingLoop | undefined;
}

/** A region in a form that no codemod converts, with the reason for refusing it. */
export interface StrayRegion {
  readonly node: Node;
  readonly name: string;
  /** Undefined for a region made by `new`, which is neither. */
  readonly form: Form | undefined;
  readonly maker: RegionConstructor | undefined;
  readonly reason: Reason;
}

/** One statement that creates a region with a field. */
export interface Creation {
  readonly call: CallExpression;
  readonly statement: ExpressionStatement | VariableStatement;
  readonly maker: RegionConstructor;
  readonly loop: ArrayLoop | CountingLoop | undefined;
}

/** `for (const [index, item] of this.items.entries())`, or `for (const item of this.items)`. */
export interface ArrayLoop {
  readonly kind: "array";
  readonly statement: ForOfStatement;
  readonly item: string;
  readonly itemNode: Node;
  readonly index: string | undefined;
}

/** `for (let index = 0; index < count; index++)`; `store` is `this.items[index] = item;` if the array is kept. */
export interface CountingLoop {
  readonly kind: "counting";
  readonly statement: ForStatement;
  readonly index: string;
  readonly count: Expression;
  readonly store: ExpressionStatement | undefined;
}

/** How an expression that refers to a region is used. */
export const UseKind = {
  Create: "create",
  CreateInExpression: "create in expression",
  Assign: "assign",
  Delete: "delete",
  Compare: "compare",
  Unparent: "unparent",
  Alias: "alias",
  Argument: "argument",
  Return: "return",
  Computed: "computed",
  Destructure: "destructure",
  Spread: "spread",
  Read: "read",
} as const;
export type UseKind = (typeof UseKind)[keyof typeof UseKind];

export interface Use {
  /** The access, such as `this.iomem`; for a destructured region, the binding. */
  readonly node: Node;
  readonly kind: UseKind;
  /** The method, accessor, constructor or field of the device that holds the use; undefined outside the class. */
  readonly member: Node | undefined;
  /** True for `this.iomem` if `this` is the object whose method runs. */
  readonly onThis: boolean;
}
