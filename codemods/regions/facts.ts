import type {
  CallExpression,
  ClassDeclaration,
  Expression,
  ExpressionStatement,
  ForOfStatement,
  ForStatement,
  FunctionDeclaration,
  MethodDeclaration,
  Node,
  ParameterDeclaration,
  PropertyDeclaration,
  SourceFile,
  VariableDeclaration,
  VariableStatement,
} from "ts-morph";
import type { RegionConstructor } from "./constructors.ts";
import type { Made } from "./makers.ts";
import type { Reason } from "./reasons.ts";

/** Where a region's storage is: in the device, in a block allocated by hand, or in one that QOM owns. */
export type Form = "embedded" | "allocated" | "owned";

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
  /** Regions in storage that the class allocates by hand. */
  readonly allocations: readonly RegionAllocation[];
  /** Regions in forms that have no counterpart. */
  readonly strays: readonly StrayRegion[];
}

/** The classes of one file that hold regions, and the regions outside every class. */
export interface FileFacts<Field extends DeclaredField = RegionField> {
  readonly file: SourceFile;
  readonly devices: readonly DeviceFacts<Field>[];
  readonly strays: readonly StrayRegion[];
  /** Every call in the file that creates an owned region. */
  readonly creations: readonly Made[];
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
  /** The statement of the constructor that embeds the region, if the declaration does not. */
  readonly embedding: ExpressionStatement | undefined;
  /** True for an owned field that may hold null or undefined. */
  readonly nullable: boolean;
}

/** A region field with everything that the program does with it. */
export interface RegionField extends DeclaredField {
  readonly uses: readonly Use[];
  readonly creations: readonly Creation[];
}

/** An owned region that a method creates and that no field refers to. */
export interface RegionLocal {
  readonly device: DeviceClass;
  /** The variable that holds it; undefined if it is created as an argument. */
  readonly declaration: VariableDeclaration | undefined;
  /** The name that its field would like to have. */
  readonly name: string;
  readonly className: string;
  /** One, or one for each branch of which one runs. */
  readonly calls: readonly LocalCreation[];
  /** Names that refer to the region, apart from those in `calls`. */
  readonly uses: readonly Node[];
  /** The loop that creates several. */
  readonly loop: CountingLoop | undefined;
}

/** A call that creates an owned region, and the statement that it is part of. */
export interface LocalCreation {
  readonly call: CallExpression;
  readonly maker: RegionConstructor;
  readonly statement: VariableStatement | ExpressionStatement;
  /** `const x = MemoryRegion.new…()`, `x = MemoryRegion.new…()`, or `this.initMmio(MemoryRegion.new…())`. */
  readonly how: "declared" | "assigned" | "argument";
}

/** A statement that allocates storage for a region, and the one that initialises the region there. */
export interface RegionAllocation {
  /** The class whose code this is; undefined outside every class. */
  readonly device: DeviceClass | undefined;
  readonly call: CallExpression;
  readonly statement: VariableStatement | ExpressionStatement;
  /** The variable or field as the source names it, with the keyword that declares it. */
  readonly target: string;
  readonly keyword: string;
  readonly className: string;
  readonly init: CallExpression;
  readonly initStatement: ExpressionStatement;
  readonly maker: RegionConstructor;
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
  readonly loop: ArrayLoop | CountingLoop | IndexLoop | undefined;
  /** The function that the statement calls and that initialises the region passed to it. */
  readonly helper: Helper | undefined;
}

/** A function that initialises the region that one of its parameters takes. */
export interface Helper {
  readonly fn: FunctionDeclaration | MethodDeclaration;
  readonly parameter: ParameterDeclaration;
  /** The region class as its file names it. */
  readonly className: string;
  /** The initialisation in it. */
  readonly init: CallExpression;
  /** Every call of the function in the program, each a statement of its own. */
  readonly calls: readonly CallExpression[];
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

/** `for (let index = 0; index < count; index++)` that creates the elements where they are: `this.items[index]`. */
export interface IndexLoop {
  readonly kind: "indexed";
  readonly statement: ForStatement;
  readonly index: string;
  readonly count: Expression;
  /** `const item = this.items[index];`, if the loop has a name for the element. */
  readonly item: VariableStatement | undefined;
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
  /** Reached by a name that is not known, or on an object whose type is not. */
  Computed: "computed",
  /** Named as a type: `Device["iomem"]`, `typeof this.iomem`. */
  Type: "type",
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
  /** True for `this.iomem` in the class if `this` is the object whose method runs. */
  readonly onThis: boolean;
  /** True for `this.iomem` in a class derived from the device. */
  readonly inDerived: boolean;
}
