import type { QomObject } from "./object.ts";

/** Types of the values that a property can have on the command line and in listings. */
export type PropertyValue = string | number | bigint | boolean;

/** A child in the composition tree; the property holds one reference to it. */
export interface ChildProperty {
  readonly kind: "child";
  readonly child: QomObject;
  /** Set when the release, which calls the child's hook, begins, so that it happens only once. */
  released: boolean;
}

/** A pointer to an object elsewhere; holds a reference only if it is strong. */
export interface LinkProperty {
  readonly kind: "link";
  readonly targetType: string;
  readonly strong: boolean;
  target: QomObject | null;
}

export type InstanceProperty = ChildProperty | LinkProperty;

/** A property of every object of a class, backed by a field. */
export interface ClassProperty<T extends QomObject = QomObject> {
  readonly name: string;
  /** QEMU's name for the type: uint32, bool, str, … */
  readonly type: string;
  get(object: T): PropertyValue;
  /** Absent if the property is read-only. @throws QomError when the value is invalid. */
  set?(object: T, value: PropertyValue): void;
}

/** Maximum number of auto-indexed siblings with the same base name (QEMU counts in an int16_t). */
const AUTO_INDEX_LIMIT = 32767;

/** The property table of one object: children and links by name, in order of addition. */
export class PropertyTable {
  private readonly byName = new Map<string, InstanceProperty>();
  /** For each base name of `[*]`, an index below which none is free, so that n additions take linear time. */
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

  /** Replaces a trailing `[*]` by the lowest free index; undefined if none is free. Other names are unchanged. */
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
