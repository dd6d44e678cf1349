import type { QomObject } from "./object.ts";

/** Value types that a property can have on the command line and in listings. */
export type PropertyValue = string | number | bigint | boolean;

/** The object is part of the composition tree below its parent; the property holds one reference. */
export interface ChildProperty {
  readonly kind: "child";
  readonly child: QomObject;
  /** Its release, which calls the child's hook, has begun: it happens once. */
  released: boolean;
}

/** A pointer to an object elsewhere; counts a reference only if it is strong. */
export interface LinkProperty {
  readonly kind: "link";
  readonly targetType: string;
  readonly strong: boolean;
  target: QomObject | null;
}

export type InstanceProperty = ChildProperty | LinkProperty;

/** A property that every object of a class has, backed by a field. */
export interface ClassProperty<T extends QomObject = QomObject> {
  readonly name: string;
  /** QEMU's name of the type: uint32, bool, str, … */
  readonly type: string;
  get(object: T): PropertyValue;
  /** Absent: read only. @throws QomError when the value does not fit. */
  set?(object: T, value: PropertyValue): void;
}

/** How many auto-indexed siblings of one name there may be (QEMU counts in an int16_t). */
const AUTO_INDEX_LIMIT = 32767;

/** The property table of one object: children and links by name, in order of addition. */
export class PropertyTable {
  private readonly byName = new Map<string, InstanceProperty>();
  /** Per base name of `[*]`, an index at or below which none is free: keeps n additions linear. */
  private readonly firstFree = new Map<string, number>();

  get size(): number {
    return this.byName.size;
  }

  get(name: string): InstanceProperty | undefined {
    return this.byName.get(name);
  }

  entries(): IterableIterator<[string, InstanceProperty]> {
    return this.byName.entries();
  }

  /** The name that `name` stands for: one that ends in `[*]` gets the lowest free index. Undefined: none is free. */
  resolveName(name: string): string | undefined {
    if (!name.endsWith("[*]")) return name;
    const base = name.slice(0, -3);
    for (let index = this.firstFree.get(base) ?? 0; index < AUTO_INDEX_LIMIT; index++) {
      const candidate = `${base}[${index}]`;
      if (this.byName.has(candidate)) continue;
      this.firstFree.set(base, index);
      return candidate;
    }
    return undefined;
  }

  add(name: string, property: InstanceProperty): void {
    this.byName.set(name, property);
  }

  delete(name: string): void {
    this.byName.delete(name);
    const indexed = /^(.*)\[(\d+)\]$/s.exec(name);
    if (indexed === null) return;
    const [, base = "", index] = indexed;
    const hint = this.firstFree.get(base);
    if (hint !== undefined && Number(index) < hint) this.firstFree.set(base, Number(index));
  }
}
