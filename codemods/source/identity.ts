import { dirname } from "node:path";
import { type ClassDeclaration, Node, type Project, type SourceFile, type Type, ts } from "ts-morph";

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
    const constructed = expression.getType().getConstructSignatures()[0]?.getReturnType();
    return constructed !== undefined && this.derivesFromRegion(constructed);
  }

  /** True for the type of an object of the model that is no region, ignoring `null` and `undefined`. */
  isChild(type: Type): boolean {
    const bare = type.getNonNullableType();
    const embed = bare.getProperty("embed")?.getDeclarations()[0];
    return embed !== undefined && this.isDeclaredByModel(embed) && !this.isRegion(bare);
  }

  /** True for an expression whose value is a class of such objects. */
  isChildClass(expression: Node): boolean {
    const constructed = expression.getType().getConstructSignatures()[0]?.getReturnType();
    return constructed !== undefined && this.isChild(constructed);
  }

  /** True for a name that refers to a class declaration, and so can also name the type of its instances. */
  isClassName(name: Node): boolean {
    const symbol = (Node.isPropertyAccessExpression(name) ? name.getNameNode() : name).getSymbol();
    return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations().some(Node.isClassDeclaration) === true;
  }

  /** True if the checker knows nothing about an expression: its import does not resolve. */
  isUnresolved(expression: Node): boolean {
    const type = expression.getType();
    return type.isAny() || type.compilerType.flags === ts.TypeFlags.Any;
  }

  /** True if the object model declares `method`, the name node of a call `this.embed(…)`. */
  isObjectModelMethod(method: Node): boolean {
    const symbol = method.getSymbol();
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
    const embed = declaration.getType().getProperty("embed")?.getDeclarations()[0];
    return (
      embed !== undefined && Node.isMethodDeclaration(embed) && this.isObjectModelMethod(embed.getNameNode())
    );
  }

  private derivesFromRegion(type: Type): boolean {
    const declarations = type.getSymbol()?.getDeclarations() ?? [];
    if (declarations.some((each) => each === this.region)) return true;
    return type.getBaseTypes().some((base) => this.derivesFromRegion(base));
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
