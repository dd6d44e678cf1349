import { QomAbort, QomError } from "./errors.ts";
import type { Block } from "./host-heap.ts";
import type { ObjectModel } from "./object-model.ts";
import {
  type ChildProperty,
  type ClassProperty,
  type LinkProperty,
  PropertyTable,
  type PropertyValue,
} from "./property.ts";

/** Lifecycle of an object. `Finalizing`: its finalizers are running and may still use its fields. */
export const ObjectState = { Uninitialised: 0, Live: 1, Finalizing: 2, Finalized: 3, Freed: 4 } as const;
export type ObjectState = (typeof ObjectState)[keyof typeof ObjectState];

/** The storage that an object is constructed in; comes only from `ObjectModel.create` or `QomObject.embed`. */
export interface Storage {
  readonly model: ObjectModel;
  readonly block: Block;
}

/** A class of objects. Abstract classes have a `typeName` too, but cannot be instantiated. */
export interface QomType<T extends QomObject = QomObject> {
  new (storage: Storage): T;
  readonly typeName: string;
  readonly instanceSize: number;
  readonly properties: readonly ClassProperty<never>[];
}

/** A reference count that reaches this is considered corrupted. */
const IMPLAUSIBLE_COUNT = 0x7fff_ffff;

/**
 * Base of all objects: reference count, place in the composition tree, properties, and the state of the storage.
 *
 * `instanceInit` and `instanceFinalize` are called for each class that declares them, rather than overridden:
 * initialisers from the root class to the leaf, finalizers from the leaf to the root. Do not call super.
 */
export abstract class QomObject {
  static readonly typeName: string = "object";
  /** Modelled bytes of the C structure, without embedded objects, which add their own. */
  static readonly instanceSize: number = 40;
  /** Properties of every object of the class; a subclass lists only those that it adds. */
  static readonly properties: readonly ClassProperty<never>[] = [];

  readonly model: ObjectModel;
  /** The block that this object lives in: its own, or that of the object that embeds it. */
  readonly block: Block;
  state: ObjectState = ObjectState.Uninitialised;
  /** The free callback: set by `ObjectModel.create`, cleared by every initialisation. */
  freesBlock = false;
  private references = 0;
  private parentObject: QomObject | null = null;
  private childName = "";
  private table: PropertyTable | null = null;

  constructor(storage: Storage) {
    this.model = storage.model;
    this.block = storage.block;
    this.block.tenants.push(this);
  }

  /** Number of references. */
  get refCount(): number {
    this.reportIfEnded("refCount");
    return this.references;
  }

  get parent(): QomObject | null {
    this.reportIfEnded("parent");
    return this.parentObject;
  }

  /** Name of the child property in the parent. */
  get nameInParent(): string {
    this.reportIfEnded("nameInParent");
    return this.childName;
  }

  /** The object's class. */
  get qomType(): QomType {
    return this.constructor as QomType; // the constructor of every QomObject is a QomType
  }

  /** Initialises the part of a new object that belongs to the declaring class. */
  protected instanceInit?(): void;
  /** Cleans up the part that belongs to the declaring class; the children have already been released. */
  protected instanceFinalize?(): void;
  /** Called on unparenting, while `parent` is still set. Only the most derived override runs, unless it calls super. */
  protected onUnparent(): void {}

  /**
   * Embeds an object of `type` in this object's storage: it has no block of its own and goes when this block is freed.
   * It is uninitialised until one of its own `init…` methods, or `initializeChild`, is called.
   * @throws QomAbort after construction: the size of a C structure is fixed
   */
  protected embed<T extends QomObject>(type: QomType<T>): T {
    if (this.block.sealed) {
      throw new QomAbort(
        `${this.describe()} embeds a ${type.typeName} after its construction; embed in a field or the constructor, or create one with storage of its own`,
      );
    }
    return this.model.embed(this, type);
  }

  /** Embeds `count` objects of `type`. */
  protected embedArray<T extends QomObject>(type: QomType<T>, count: number): T[] {
    return Array.from({ length: count }, () => this.embed(type));
  }

  /** Initialises an embedded `child` and adds it as `name`; the property holds its only reference. */
  protected initializeChild(name: string, child: QomObject): void {
    this.model.initialize(child);
    this.addChild(name, child);
    child.unref();
  }

  /**
   * Creates an object of `type` in a block of its own and adds it as `name`; the property holds its only reference. The
   * counterpart of `embed` with `initializeChild`: a child that somebody else still references outlives this object.
   * @throws QomAbort when the name is taken; nothing stays allocated.
   */
  protected newChild<T extends QomObject>(name: string, type: QomType<T>): T {
    const child = this.model.create(type);
    try {
      this.addChild(name, child);
    } finally {
      child.unref();
    }
    return child;
  }

  /** Resets the fields of the base class, whatever the storage held before. Only for the object model. */
  startOver(): void {
    this.state = ObjectState.Live;
    this.freesBlock = false;
    this.references = 1;
    this.parentObject = null;
    this.childName = "";
    this.table = null;
  }

  /**
   * Ends the object, whose last reference was dropped: properties, then `finalizers`. Only for the object model.
   * @throws QomAbort when it has a reference or a parent again
   */
  end(finalizers: readonly (() => void)[]): void {
    this.state = ObjectState.Finalizing;
    this.releaseAllProperties();
    for (const finalize of finalizers) finalize.call(this);
    if (this.references !== 0)
      throw new QomAbort(`${this.describe()} was referenced again while it was being finalized`);
    if (this.parentObject !== null)
      throw new QomAbort(`${this.describe()} was finalized while it had a parent`);
    this.state = ObjectState.Finalized;
  }

  /** Takes a reference. @throws QomAbort on an implausible count. */
  ref(): void {
    this.reportIfEnded("ref()");
    if (this.references >= IMPLAUSIBLE_COUNT)
      throw new QomAbort(`reference count of ${this.describe()} overflows`);
    this.references++;
  }

  /** Drops a reference; dropping the last one finalizes the object at once. @throws QomAbort when there is none. */
  unref(): void {
    this.reportIfEnded("unref()");
    if (this.references <= 0) throw new QomAbort(`unref of ${this.describe()}, which has no reference left`);
    if (--this.references > 0 || this.state === ObjectState.Freed) return; // or already freed with its embedding object
    this.model.finalize(this);
  }

  /**
   * Adds `child` to the composition tree; the property holds one reference. A trailing `[*]` in the name is replaced by
   * the lowest free index. @returns the resulting name.
   * @throws QomAbort when the child has a parent or the name is taken.
   */
  addChild(name: string, child: QomObject): string {
    this.reportIfEnded("addChild()");
    if (child.parent !== null)
      throw new QomAbort(`${child.describe()} already has a parent and cannot be added as ${name}`);
    const given = this.claimName(name);
    this.properties.add(given, { kind: "child", child, released: false });
    child.ref();
    child.parentObject = this;
    child.childName = given;
    return given;
  }

  /** Adds a link property. A strong link holds a reference on its target. */
  addLink(name: string, targetType: string, target: QomObject | null, strong: boolean): void {
    this.reportIfEnded("addLink()");
    this.properties.add(this.claimName(name), { kind: "link", targetType, strong, target, released: false });
    if (strong) target?.ref();
  }

  setLink(name: string, target: QomObject | null): void {
    this.reportIfEnded("setLink()");
    const link = this.table?.get(name);
    if (link?.kind !== "link") throw new QomError(`${this.describe()} has no link named ${name}`);
    if (link.strong) target?.ref();
    const previous = link.target;
    link.target = target;
    if (link.strong) previous?.unref();
  }

  /** Removes this object from the composition tree; does nothing if it has no parent. */
  unparent(): void {
    this.reportIfEnded("unparent()");
    const parent = this.parentObject;
    if (parent === null) return;
    const name = this.childName;
    const property = parent.table?.get(name);
    if (property?.kind !== "child" || property.child !== this || property.released) return;
    parent.release(property);
    parent.reportIfEnded("removal of a property");
    if (parent.table?.get(name) === property) parent.table.delete(name);
  }

  /** Names and children, in order of addition. */
  children(): IterableIterator<[string, QomObject]> {
    this.reportIfEnded("children()");
    return childrenIn(this.table);
  }

  /** Names and targets of the links that hold a reference. */
  *strongLinks(): IterableIterator<[string, QomObject]> {
    for (const [name, property] of this.table?.entries() ?? []) {
      if (property.kind === "link" && property.strong && property.target !== null)
        yield [name, property.target];
    }
  }

  /** All descendants, in pre-order. */
  *descendants(): IterableIterator<QomObject> {
    for (const [, child] of this.children()) {
      yield child;
      yield* child.descendants();
    }
  }

  child(name: string): QomObject | undefined {
    this.reportIfEnded("child()");
    const property = this.table?.get(name);
    return property?.kind === "child" ? property.child : undefined;
  }

  link(name: string): QomObject | null {
    this.reportIfEnded("link()");
    const property = this.table?.get(name);
    if (property?.kind !== "link") throw new QomError(`${this.describe()} has no link named ${name}`);
    return property.target;
  }

  /** @throws QomError when there is no such property. */
  getProperty(name: string): PropertyValue {
    this.reportIfEnded("getProperty()");
    return this.classProperty(name).get(this as never); // the class lists only properties of its own objects
  }

  /** @throws QomError when there is no such property, it is read-only, or the value is invalid. */
  setProperty(name: string, value: PropertyValue): void {
    this.reportIfEnded("setProperty()");
    const property = this.classProperty(name);
    if (property.set === undefined) throw new QomError(`property ${name} of ${this.describe()} is read only`);
    property.set(this as never, value); // as above
  }

  /** Path from the root, such as `/machine/soc0`; undefined for an object that is not in the tree. */
  canonicalPath(): string | undefined {
    this.reportIfEnded("canonicalPath()");
    return this.pathFromRoot();
  }

  /** Type and path, for messages; also of objects that have ended. */
  describe(): string {
    return `${this.qomType.typeName} (${this.pathFromRoot() ?? "without parent"})`;
  }

  private pathFromRoot(): string | undefined {
    if (this === this.model.root) return "/";
    if (this.parentObject === null) return undefined;
    const above = this.parentObject.pathFromRoot();
    if (above === undefined) return undefined;
    return above === "/" ? `/${this.childName}` : `${above}/${this.childName}`;
  }

  /**
   * First step of the end: releases every property once, including those that a release adds. The order is not
   * specified (in QEMU it is that of a hash table). All entries stay until the last is released.
   */
  private releaseAllProperties(): void {
    const { table } = this;
    if (table === null) return;
    for (let more = true; more; ) {
      more = false;
      for (const property of this.model.inReleaseOrder([...table.values()])) {
        if (property.released) continue;
        more = true;
        this.release(property);
      }
    }
    this.table = null;
  }

  /** Calls a child's hook, clears its parent, and drops the reference. */
  private release(property: ChildProperty | LinkProperty): void {
    property.released = true;
    if (property.kind === "link") {
      if (property.strong) property.target?.unref();
      return;
    }
    const { child } = property;
    if (child.parentObject === this) {
      child.onUnparent();
      child.parentObject = null;
    }
    child.unref();
  }

  /** Fields of the base class carry no traps, so in checked mode what uses them reports itself. */
  private reportIfEnded(touched: string): void {
    if (this.state > ObjectState.Finalizing) this.model.detector?.report(this, touched);
  }

  private get properties(): PropertyTable {
    this.table ??= new PropertyTable();
    return this.table;
  }

  private claimName(name: string): string {
    const given = this.properties.resolveName(name);
    if (given === undefined) throw new QomAbort(`no index is free for ${name} in ${this.describe()}`);
    if (this.properties.get(given) !== undefined) {
      throw new QomAbort(`${this.describe()} already has a property named ${given}`);
    }
    return given;
  }

  private classProperty(name: string): ClassProperty<never> {
    const property = this.model.types.classProperties(this.qomType).find((each) => each.name === name);
    if (property === undefined) throw new QomError(`${this.describe()} has no property named ${name}`);
    return property;
  }
}

function* childrenIn(table: PropertyTable | null): IterableIterator<[string, QomObject]> {
  for (const [name, property] of table?.entries() ?? []) {
    if (property.kind === "child") yield [name, property.child];
  }
}

/** Fields of the base class: still needed after finalization, so they never get traps. */
export const bookkeepingFields: ReadonlySet<string> = new Set([
  "model",
  "block",
  "state",
  "freesBlock",
  "references",
  "parentObject",
  "childName",
  "table",
]);
