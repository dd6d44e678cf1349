/** What the verdicts on one class depend on besides the class itself: the rest of the program. */
import { type ClassDeclaration, Node, type SourceFile, SyntaxKind, ts } from "ts-morph";
import { FlowProgram } from "../flow/index.ts";
import { ClassGraph } from "../regions/classes.ts";
import { type CreationOrder, creationOrder, type Slot } from "../regions/creation-order.ts";
import { type DeviceFacts, type RegionField, type RegionLocal, UseKind } from "../regions/facts.ts";
import type { Subject } from "../regions/makers.ts";
import type { NameIndex } from "../regions/names.ts";
import { Observers } from "../regions/observers.ts";
import { reflective } from "../regions/syntax.ts";
import { Tracer } from "../regions/trace.ts";
import { isPrototype } from "../regions/trace-syntax.ts";
import type { Identity } from "../source/identity.ts";
import { ancestorWhere, descendantsOfKind } from "../source/node-index.ts";
import type { Workspace } from "../source/workspace.ts";

/** When the regions of a class exist. */
export interface DeviceOrder {
  readonly order: CreationOrder;
  readonly slots: ReadonlyMap<RegionField | RegionLocal, Slot>;
}

export class Evidence {
  readonly identity: Identity;
  /** Every source that was searched for uses. */
  readonly sources: readonly SourceFile[];
  readonly tracer: Tracer;
  readonly classes: ClassGraph;
  readonly observers: Observers;
  private readonly orders = new Map<DeviceFacts, DeviceOrder>();
  private flowProgram: FlowProgram | undefined;
  private unparentedChildren: readonly Node[] | undefined;
  private listings: readonly Node[] | undefined;

  /** The sources that may be edited. */
  readonly targets: ReadonlySet<SourceFile>;

  constructor(
    { identity, targets }: Workspace,
    sources: readonly SourceFile[],
    names: NameIndex,
    subject: Subject = "regions",
  ) {
    this.identity = identity;
    this.targets = new Set(targets);
    this.sources = sources;
    this.tracer = new Tracer(names, identity, subject);
    this.classes = new ClassGraph(sources);
    this.observers = new Observers(sources, identity, this.classes);
  }

  orderOf(device: DeviceFacts): DeviceOrder {
    let found = this.orders.get(device);
    if (found === undefined) {
      const slots = new Map<RegionField | RegionLocal, Slot>();
      for (const field of device.fields) slots.set(field, slotOf(field));
      for (const local of device.locals) {
        const { loop, calls } = local;
        slots.set(local, { creations: loop ? [loop.statement] : calls.map(({ call }) => call), uses: [] });
      }
      const order = this.lifeOf(device.declaration, [...slots.values()]);
      found = { order, slots };
      this.orders.set(device, found);
    }
    return found;
  }

  /** Where control may be in the life of an object of the class with respect to anything. */
  lifeOf(declaration: ClassDeclaration, slots: readonly Slot[]): CreationOrder {
    return creationOrder(this.program(declaration), declaration, slots);
  }

  /**
   * Calls that unparent an object found by its place in the tree of objects: a child of a device, or a region that a
   * device has declared. Each is given as the expression of the device.
   */
  childrenUnparented(): readonly Node[] {
    this.unparentedChildren ??= this.sources.flatMap((file) => this.childrenUnparentedIn(file));
    return this.unparentedChildren;
  }

  /**
   * Places that list the fields of an object of the class, or copy them: `Object.keys(device)`, `{ ...this }`. A field
   * more or less shows there.
   */
  listingOf(device: ClassDeclaration): Node | undefined {
    this.listings ??= this.sources.flatMap(listingsIn);
    // Tools list the fields of any object of the model; that is no use of the device's.
    const bases = this.classes.basesOf(device).filter((each) => !this.identity.isDeclaredByModel(each));
    const kin = new Set<Node>([device, ...bases]);
    return this.listings.find((object) => {
      const around = object.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
      if (Node.isThisExpression(object)) return around !== undefined && kin.has(around);
      return (
        object
          .getType()
          .getSymbol()
          ?.getDeclarations()
          .some((each) => kin.has(each)) === true
      );
    });
  }

  private childrenUnparentedIn(file: SourceFile): Node[] {
    if (!/\b(?:children|child|mmioRegion|resolvePath)\b/.test(file.getFullText())) return [];
    return descendantsOfKind(file, SyntaxKind.PropertyAccessExpression).flatMap((access) => {
      const depth = finders.get(access.getName());
      if (depth === undefined || !this.identity.isObjectModelMethod(access.getNameNode())) return [];
      const call = access.getParentIfKind(SyntaxKind.CallExpression);
      if (call === undefined) return [];
      const fates = this.tracer.fatesOf(call, depth);
      return fates.some(({ kind }) => kind === "unparent") ? [access.getExpression()] : [];
    });
  }

  private program(declaration: ClassDeclaration): FlowProgram {
    this.flowProgram ??= new FlowProgram(
      declaration.getProject().getTypeChecker().compilerObject,
      this.sources.map((file) => file.compilerNode),
      (file) => this.identity.isModelFile(file.fileName),
    );
    return this.flowProgram;
  }
}

/** Methods of the object model that find regions, and how many collections are around them in the result. */
const finders: ReadonlyMap<string, number> = new Map([
  ["children", 2], // pairs of name and child
  ["child", 0],
  ["mmioRegion", 0],
  ["resolvePath", 0],
]);

function slotOf({ creations, uses }: RegionField): Slot {
  return {
    creations: creations.map(({ loop, call }) => loop?.statement ?? call),
    uses: uses.flatMap((use) => [placeOfUse(use), ...closuresAround(use.node)]),
  };
}

/** The nested functions around a node, whose values exist before it runs. */
export function closuresAround(node: Node): Node[] {
  const found: Node[] = [];
  for (let each = closureAround(node); each !== undefined; each = closureAround(each)) found.push(each);
  return found;
}

function closureAround(node: Node): Node | undefined {
  return ancestorWhere(node, (each) => ts.isArrowFunction(each) || ts.isFunctionExpression(each));
}

/** The expression that is evaluated when a use happens. */
export function placeOfUse({ node, kind }: RegionField["uses"][number]): Node {
  if (kind !== UseKind.Destructure) return node;
  const declaration = node.getFirstAncestorByKind(SyntaxKind.VariableDeclaration);
  return declaration?.getInitializer() ?? node;
}

/** The objects whose fields a file lists or copies. */
function listingsIn(file: SourceFile): Node[] {
  const text = file.getFullText();
  const found: Node[] = [];
  if (/\b(?:Object|Reflect|structuredClone|JSON)\b/.test(text)) {
    for (const call of descendantsOfKind(file, SyntaxKind.CallExpression)) {
      if (reflective.test(call.getExpression().getText())) found.push(...call.getArguments());
    }
  }
  if (text.includes("...")) {
    for (const spread of descendantsOfKind(file, SyntaxKind.SpreadAssignment))
      found.push(spread.getExpression());
  }
  if (/\bin\b/.test(text)) {
    for (const loop of descendantsOfKind(file, SyntaxKind.ForInStatement)) found.push(loop.getExpression());
  }
  return found.filter((object) => !isPrototype(object));
}
