import { MinHeap } from "./min-heap.ts";
import type { QomObject } from "./object.ts";

/** Types of the values that a property can have on the command line and in listings. */
export type PropertyValue = string | number | bigint | boolean;

/** A child in the composition tree; the property holds one reference to it. */
export interface ChildProperty {
  readonly kind: "child";
  readonly child: QomObject;
  /** Set when the release begins, so that it happens only once; the entry goes when it is over. */
  released: boolean;
}

/** A pointer to an object elsewhere; holds a reference only if it is strong. */
export interface LinkProperty {
  readonly kind: "link";
  readonly targetType: string;
  readonly strong: boolean;
  target: QomObject | null;
  /** As for children. */
  released: boolean;
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

const INDEXED = /^(.*)\[(\d+)\]$/s;

/** The property table of one object: children and links by name, in order of addition. */
export class PropertyTable {
  private readonly byName = new Map<string, InstanceProperty>();
  /** For each base name of `[*]`, an index from which none was given out; those below it that are free are in `freed`. */
  private readonly next = new Map<string, number>();
  /** Indices that became free; some may have been taken again by their full name. */
  private freed: Map<string, MinHeap> | null = null;

  get size(): number {
    return this.byName.size;
  }

  get(name: string): InstanceProperty | undefined {
    return this.byName.get(name);
  }

  entries(): IterableIterator<[string, InstanceProperty]> {
    return this.byName.entries();
  }

  values(): IterableIterator<InstanceProperty> {
    return this.byName.values();
  }

  /** Replaces a trailing `[*]` by the lowest free index; undefined if none is free. Other names are unchanged. */
  resolveName(name: string): string | undefined {
    if (!name.endsWith("[*]")) return name;
    const base = name.slice(0, -3);
    const freed = this.freed?.get(base);
    for (; freed !== undefined && freed.top !== -1; freed.pop()) {
      const candidate = `${base}[${freed.top}]`;
      if (!this.byName.has(candidate)) return candidate;
    }
    for (let index = this.next.get(base) ?? 0; index < AUTO_INDEX_LIMIT; index++) {
      const candidate = `${base}[${index}]`;
      if (this.byName.has(candidate)) continue;
      this.next.set(base, index); // taken by the addition that follows, or found free again
      return candidate;
    }
    return undefined;
  }

  add(name: string, property: InstanceProperty): void {
    this.byName.set(name, property);
  }

  delete(name: string): void {
    if (!this.byName.delete(name) || this.next.size === 0) return;
    const [, base = "", index] = INDEXED.exec(name) ?? [];
    if (!(Number(index) < (this.next.get(base) ?? 0))) return; // no index, or still found by counting
    this.freed ??= new Map();
    let freed = this.freed.get(base);
    if (freed === undefined) {
      freed = new MinHeap();
      this.freed.set(base, freed);
    }
    freed.push(Number(index));
  }
}
