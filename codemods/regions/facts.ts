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

/** A class that may hold regions. */
export interface DeviceClass {
  readonly file: SourceFile;
  readonly name: string;
  readonly declaration: ClassDeclaration;
}

/** The regions of a class. Phase 1 knows the fields as declared; phase 2 adds their uses. */
export interface DeviceFacts<Field extends DeclaredField = RegionField> extends DeviceClass {
  /** Regions with a field: all embedded ones, and the owned ones whose field is kept. */
  readonly fields: readonly Field[];
  /** Owned regions that only a local refers to. */
  readonly locals: readonly RegionLocal[];
  /** Regions in forms that have no counterpart. */
  readonly strays: readonly StrayRegion[];
}

/** The classes of one file that hold regions, and the regions outside every class. */
export interface FileFacts<Field extends DeclaredField = RegionField> {
  readonly file: SourceFile;
  readonly devices: readonly DeviceFacts<Field>[];
  readonly strays: readonly StrayRegion[];
  /** Number of classes in the file that can hold regions, including those without any. */
  readonly deviceCount: number;
}

/** A field that declares a region. */
export interface DeclaredField {
  readonly device: DeviceClass;
  readonly declaration: PropertyDeclaration;
  readonly name: string;
  readonly form: Form;
  /** The region class as named in the source. */
  readonly className: string;
  /** True for an array. `count` is set in embedded form only; in owned form the loop that creates it has the count. */
  readonly array: boolean;
  readonly count: Expression | undefined;
}

/** A region field with everything that the program does with it. */
export interface RegionField extends DeclaredField {
  readonly uses: readonly Use[];
  readonly creations: readonly Creation[];
}

/** `const iomem = MemoryRegion.newIo(…);` in a method, or in the loop that creates several. */
export interface RegionLocal {
  readonly device: DeviceClass;
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
