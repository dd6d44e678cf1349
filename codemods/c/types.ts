/** Which structure, function or macro a name means, seen from a file: headers are told apart by what the file includes. */

import type { Define, FunctionBody, Program, Signature, Source, Struct, TypeRef } from "./program.ts";
import { UNKNOWN } from "./statements.ts";

interface Placed<T> {
  readonly file: string;
  readonly value: T;
}

type Index<T> = Map<string, Placed<T>[]>;

export class Types {
  private readonly program: Program;
  private readonly included = new Map<string, readonly string[]>();
  private parents: Set<Struct> | undefined;
  private readonly closures = new Map<string, ReadonlySet<string>>();
  private readonly structs: Index<Struct> = new Map();
  private readonly typedefs: Index<TypeRef> = new Map();
  private readonly casts: Index<string> = new Map();
  private readonly signatures: Index<Signature> = new Map();
  private readonly bodies: Index<FunctionBody> = new Map();
  private readonly globals: Index<TypeRef> = new Map();
  /** Names that are defined: one that stands for a type is not looked into. */
  private readonly macros: Index<{ readonly source: Source; readonly define: Define }> = new Map();
  /** Paths by their last two components, for includes that name no folder of the tree. */
  private readonly byName = new Map<string, string[]>();

  constructor(program: Program) {
    this.program = program;
    for (const [file, source] of program.sources) {
      for (const struct of source.structs) {
        if (struct.tag !== "") add(this.structs, `struct ${struct.tag}`, file, struct);
      }
      for (const [name, type] of source.typedefs) add(this.typedefs, name, file, type);
      for (const [name, type] of source.casts) add(this.casts, name, file, type);
      for (const [name, type] of source.globals) add(this.globals, name, file, type);
      for (const [name, define] of source.defines) add(this.macros, name, file, { source, define });
      for (const each of source.prototypes) add(this.signatures, each.name, file, each);
      for (const each of source.functions) {
        add(this.signatures, each.name, file, each);
        add(this.bodies, each.name, file, each);
      }
      const base = file.slice(file.lastIndexOf("/") + 1);
      const known = this.byName.get(base);
      if (known === undefined) this.byName.set(base, [file]);
      else known.push(file);
    }
  }

  /** The files that a file includes, directly or not, and itself. */
  closureOf(path: string): ReadonlySet<string> {
    const known = this.closures.get(path);
    if (known !== undefined) return known;
    const seen = new Set<string>([path]);
    const queue = [path];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      for (const target of this.includedBy(file)) {
        if (seen.has(target)) continue;
        seen.add(target);
        queue.push(target);
      }
    }
    this.closures.set(path, seen);
    return seen;
  }

  private includedBy(file: string): readonly string[] {
    const known = this.included.get(file);
    if (known !== undefined) return known;
    const includes = this.program.sources.get(file)?.includes ?? [];
    const targets = includes.flatMap((include) => this.targetsOf(file, include));
    this.included.set(file, targets);
    return targets;
  }

  private targetsOf(from: string, include: string): readonly string[] {
    const beside = normal(`${from.slice(0, from.lastIndexOf("/") + 1)}${include}`);
    for (const path of [beside, `include/${include}`, include]) {
      if (this.program.sources.has(path)) return [path];
    }
    const base = include.slice(include.lastIndexOf("/") + 1);
    return (this.byName.get(base) ?? []).filter((path) => path.endsWith(`/${include}`));
  }

  private choose<T>(index: Index<T>, name: string, from: string): T | undefined {
    return this.choosePlaced(index, name, from)?.value;
  }

  private choosePlaced<T>(index: Index<T>, name: string, from: string): Placed<T> | undefined {
    const candidates = index.get(name);
    if (candidates === undefined) return undefined;
    const own = candidates.find(({ file }) => file === from);
    if (own !== undefined) return own;
    if (candidates.length === 1) return candidates[0];
    const closure = this.closureOf(from);
    const seen = candidates.find(({ file }) => closure.has(file));
    if (seen !== undefined) return seen;
    // `struct ArchCPU` is a different one for each target: that beside the typedef that led here.
    const folder = from.slice(0, from.lastIndexOf("/") + 1);
    return (
      candidates.find(({ file }) => file.startsWith(folder)) ??
      candidates.find(({ file }) => file.endsWith(".h"))
    );
  }

  /** The structure that a type consists of. */
  structOf(type: TypeRef, from: string): Struct | undefined {
    let { base } = type;
    let seenFrom = from;
    for (let step = 0; step < 8; step++) {
      if (typeof base !== "string") return base;
      const tagged: Struct | undefined = this.choose(this.structs, base, seenFrom);
      if (tagged !== undefined) return tagged;
      const target: Placed<TypeRef> | undefined = this.choosePlaced(this.typedefs, base, seenFrom);
      if (target === undefined || target.value.base === base) break;
      base = target.value.base;
      if (this.closureOf(target.file).size > 1 || !this.closureOf(from).has(target.file))
        seenFrom = target.file;
      else
        seenFrom =
          (this.structs.get(typeof base === "string" ? base : "")?.length ?? 0) > 1 ? target.file : from;
    }
    return undefined;
  }

  /** A type with its typedef resolved: pointers and dimensions that the typedef hides are added. */
  expanded(type: TypeRef, from: string): TypeRef {
    let result = type;
    for (let step = 0; step < 8 && typeof result.base === "string"; step++) {
      if (this.structs.has(result.base)) return result;
      const target = this.choose(this.typedefs, result.base, from);
      if (target === undefined || target.base === result.base) return result;
      result = {
        base: target.base,
        pointers: result.pointers + target.pointers,
        dimensions: result.dimensions + target.dimensions,
      };
    }
    return result;
  }

  /** True if nothing in the tree declares the type: it is another library's, or generated, and has no region. */
  isExternal({ base }: TypeRef): boolean {
    return (
      typeof base === "string" &&
      base !== "" &&
      base !== UNKNOWN &&
      !this.typedefs.has(base) &&
      !this.macros.has(base)
    );
  }

  /** True if no structure begins with this one, as the state of a derived type would. */
  isLeaf(struct: Struct): boolean {
    if (this.parents === undefined) {
      this.parents = new Set();
      for (const { structs } of this.program.sources.values()) {
        for (const each of structs) {
          const [first] = each.members.values();
          const parent = first && first.type.pointers === 0 && this.structOf(first.type, each.file.path);
          if (parent) this.parents.add(parent);
        }
      }
    }
    return !this.parents.has(struct);
  }

  /** What a macro is defined as, and where. */
  macroOf(name: string, from: string): { readonly source: Source; readonly define: Define } | undefined {
    return this.choose(this.macros, name, from);
  }

  /** True if a macro's body names a variable, other than by a parameter. */
  macroNames(macro: string, name: string, from: string): boolean {
    const found = this.macroOf(macro, from);
    if (found === undefined || found.define.parameters?.includes(name)) return false;
    const body = found.source.tokens.text.slice(found.define.start, found.define.end);
    return new RegExp(`\\b${name}\\b`).test(body);
  }

  castOf(name: string, from: string): string | undefined {
    return this.choose(this.casts, name, from);
  }

  globalOf(name: string, from: string): TypeRef | undefined {
    return this.choose(this.globals, name, from);
  }

  returnTypeOf(name: string, from: string): TypeRef | undefined {
    return this.functionOf(this.signatures, name, from)?.returns;
  }

  /** The definition of a function that a call in a file calls. */
  bodyOf(name: string, from: string): FunctionBody | undefined {
    return this.functionOf(this.bodies, name, from);
  }

  /** Every definition and prototype of a function that is not static, or those in the file. */
  signaturesOf(fn: Signature): Signature[] {
    const all = this.signatures.get(fn.name) ?? [];
    return all
      .filter(({ file, value }) => (fn.isStatic ? file === fn.file.path : !value.isStatic))
      .map(({ value }) => value);
  }

  /** All functions with a body. */
  *allBodies(): Iterable<FunctionBody> {
    for (const source of this.program.sources.values()) yield* source.functions;
  }

  private functionOf<T extends Signature>(index: Index<T>, name: string, from: string): T | undefined {
    const candidates = (index.get(name) ?? []).filter(
      ({ file, value }) => file === from || !value.isStatic || file.endsWith(".h"),
    );
    const own = candidates.find(({ file }) => file === from);
    if (own !== undefined) return own.value;
    const closure = candidates.length > 1 ? this.closureOf(from) : undefined;
    return (candidates.find(({ file }) => closure?.has(file)) ?? candidates[0])?.value;
  }
}

function add<T>(index: Index<T>, name: string, file: string, value: T): void {
  const known = index.get(name);
  if (known === undefined) index.set(name, [{ file, value }]);
  else known.push({ file, value });
}

function normal(path: string): string {
  if (!path.includes("..")) return path.replaceAll("./", "");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
