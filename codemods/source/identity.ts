import { dirname } from "node:path";
import {
  type ClassDeclaration,
  Node,
  type Symbol as NodeSymbol,
  type Project,
  type PropertyAccessExpression,
  type SourceFile,
  type Type,
  ts,
} from "ts-morph";
import { classOfThis } from "./this-class.ts";
import { classNamed, propertyOf, symbolOf } from "./types.ts";

/** The components whose classes define what a region and a QOM object are. */
const memoryRoom = "memory";
const objectRooms = ["qom", memoryRoom, "qdev"];
/** Their import specifiers: inside the package, and where it is installed. */
const namesOf = (room: string) => [`#${room}`, `regionlab/${room}`];

/**
 * Identifies classes and values by their types, never by name: `MemoryRegion` is the class that the memory component
 * exports, and `embed` the method that the object model declares.
 */
export class Identity {
  private readonly region: Node | undefined;
  /** Directories of the components that may declare `embed`. */
  private readonly rooms: readonly string[];
  /** Answers for types, which are asked for very often and belong to one checker each. */
  private readonly regions = new WeakMap<ts.Type, boolean>();
  private readonly regionClasses = new WeakMap<ts.Type | ts.Symbol, boolean>();

  constructor(project: Project, targets: readonly SourceFile[]) {
    const resolved = new Map<string, string>();
    for (const room of objectRooms) {
      const from = targets[0]?.getFilePath();
      const path =
        from &&
        namesOf(room)
          .map((name) => resolveRoom(project, name, from))
          .find((found) => found !== undefined);
      if (path !== undefined) resolved.set(room, path);
    }
    this.rooms = [...resolved.values()].map((path) => `${dirname(path)}/`);
    const memory = resolved.get(memoryRoom);
    const file = memory === undefined ? undefined : project.addSourceFileAtPathIfExists(memory);
    this.region = file?.getExportedDeclarations().get("MemoryRegion")?.find(Node.isClassDeclaration);
  }

  /** False if the memory component cannot be found; then no class can be identified as a region. */
  get resolved(): boolean {
    return this.region !== undefined;
  }

  /** True for the type of a region, ignoring `null` and `undefined`. */
  isRegion(type: Type): boolean {
    const bare = type.getNonNullableType();
    const parts = bare.isUnion() ? bare.getUnionTypes() : [bare];
    return parts.length > 0 && parts.every((part) => this.derivesFromRegion(part));
  }

  /** True for an expression whose value is the region class itself or a subclass: `MemoryRegion` in `embed(MemoryRegion)`. */
  isRegionClass(expression: Node): boolean {
    const named = Node.isIdentifier(expression) ? classNamed(expression) : undefined;
    const key = named ?? expression.getType().compilerType;
    const known = this.regionClasses.get(key);
    if (known !== undefined) return known;
    const constructed = expression.getType().getConstructSignatures()[0]?.getReturnType();
    const constructs = constructed !== undefined && this.derivesFromRegion(constructed);
    this.regionClasses.set(key, constructs);
    return constructs;
  }

  /** True for the type of an object of the model that is no region, ignoring `null` and `undefined`. */
  isChild(type: Type): boolean {
    const bare = type.getNonNullableType();
    const embed = propertyOf(bare, "embed")?.getDeclarations()[0];
    return embed !== undefined && this.isDeclaredByModel(embed) && !this.isRegion(bare);
  }

  /** True for an expression whose value is a class of such objects. */
  isChildClass(expression: Node): boolean {
    const constructed = expression.getType().getConstructSignatures()[0]?.getReturnType();
    return constructed !== undefined && this.isChild(constructed);
  }

  /** True for a name that refers to a class declaration, and so can also name the type of its instances. */
  isClassName(name: Node): boolean {
    if (Node.isIdentifier(name)) return classNamed(name)?.declarations?.some(ts.isClassDeclaration) === true;
    const symbol = (Node.isPropertyAccessExpression(name) ? name.getNameNode() : name).getSymbol();
    return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations().some(Node.isClassDeclaration) === true;
  }

  /** True if the checker knows nothing about an expression: its import does not resolve. */
  isUnresolved(expression: Node): boolean {
    const type = expression.getType();
    return type.isAny() || type.compilerType.flags === ts.TypeFlags.Any;
  }

  /** What the name of an access refers to; for `this.name` without looking at what `this` may have been narrowed to. */
  symbolOf(access: PropertyAccessExpression): NodeSymbol | undefined {
    const type = holderOf(access.getExpression())?.getType();
    return (type && propertyOf(type, access.getName())) ?? access.getNameNode().getSymbol();
  }

  /** True if the object model declares `method`, the name node of a call `this.embed(…)`. */
  isObjectModelMethod(method: Node): boolean {
    return this.isOfObjectModel(symbolOf(method));
  }

  /** The same for what a name refers to. */
  isOfObjectModel(symbol: NodeSymbol | undefined): boolean {
    const declarations = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
    return declarations.some((each) => this.isDeclaredByModel(each));
  }

  /** True for a declaration in one of the components. */
  isDeclaredByModel(declaration: Node): boolean {
    return this.isModelFile(declaration.getSourceFile().getFilePath());
  }

  isModelFile(path: string): boolean {
    return this.rooms.some((room) => path.startsWith(room));
  }

  /** True for a class that can embed and own regions. */
  isDevice(declaration: ClassDeclaration): boolean {
    const embed = propertyOf(declaration.getType(), "embed")?.getDeclarations()[0];
    return (
      embed !== undefined && Node.isMethodDeclaration(embed) && this.isObjectModelMethod(embed.getNameNode())
    );
  }

  /** True for an expression of the type of a region, other than null. A `this` is one in the region's own class only. */
  isRegionObject(expression: Node): boolean {
    const holder = holderOf(expression);
    if (holder !== undefined) return holder === this.region;
    const type = expression.getType();
    return this.isRegion(type) && !type.isNull();
  }

  private derivesFromRegion(type: Type): boolean {
    const known = this.regions.get(type.compilerType);
    if (known !== undefined) return known;
    const declarations = type.getSymbol()?.getDeclarations() ?? [];
    const derives =
      declarations.some((each) => each === this.region) ||
      type.getBaseTypes().some((base) => this.derivesFromRegion(base));
    this.regions.set(type.compilerType, derives);
    return derives;
  }
}

/** The file that a component's specifier resolves to when imported from the file `from`; undefined if none. */
export function resolveRoom(project: Project, specifier: string, from: string): string | undefined {
  return ts.resolveModuleName(
    specifier,
    from,
    project.getCompilerOptions(),
    project.getModuleResolutionHost(),
    undefined,
    undefined,
    ts.ModuleKind.ESNext,
  ).resolvedModule?.resolvedFileName;
}

/** The class whose object a plain `this` is. */
function holderOf(expression: Node): Node | undefined {
  const holder = Node.isThisExpression(expression) ? classOfThis(expression.compilerNode) : undefined;
  if (holder === undefined) return undefined;
  return expression.getFirstAncestor((each) => each.compilerNode === holder);
}
