import { Container } from "./container.ts";
import { QomAbort, QomError } from "./errors.ts";
import { HostHeap } from "./host-heap.ts";
import { ObjectState, type QomObject, type QomType, type Storage } from "./object.ts";
import { RandomOrder } from "./random-order.ts";
import { TypeRegistry } from "./type-registry.ts";
import { type DetectionMode, UseDetector } from "./use-detector.ts";

export interface ObjectModelOptions {
  /** Checked mode: throw or count uses after finalization and after free. Default: fast mode, no checks. */
  readonly checked?: DetectionMode;
  /** Record the allocation stack of every block for the leak report. */
  readonly recordStacks?: boolean;
  /**
   * Seed of the order in which an ending object releases its properties, which is unspecified: in QEMU it is that of a
   * hash table. Default: the order of addition.
   */
  readonly releaseOrder?: number;
}

/** The objects of one machine: its heap, its types, and its composition tree. */
export class ObjectModel {
  readonly heap: HostHeap;
  readonly types = new TypeRegistry();
  /** Present in checked mode only. */
  readonly detector: UseDetector | null;
  /** The root of the composition tree, `/`. */
  readonly root: Container;
  private readonly releaseOrder: RandomOrder | null;

  constructor(options: ObjectModelOptions = {}) {
    this.heap = new HostHeap(options.recordStacks);
    this.detector = options.checked === undefined ? null : new UseDetector(options.checked);
    this.releaseOrder = options.releaseOrder === undefined ? null : new RandomOrder(options.releaseOrder);
    this.types.register(Container);
    this.root = this.create(Container);
  }

  /** `/machine/unattached`: parent of devices without a parent of their own and of regions without an owner. */
  get unattached(): QomObject {
    return this.childContainer(this.childContainer(this.root, "machine"), "unattached");
  }

  /** Creates an object in a block of its own. The caller holds the only reference; the last unref frees the block. */
  create<T extends QomObject>(type: QomType<T>): T {
    const object = this.allocate(type);
    this.initialize(object);
    object.freesBlock = true; // after the initialisation, which clears it
    return object;
  }

  /**
   * Allocates uninitialised storage by hand (`g_new`). An object initialised in place there is finalized, but its block
   * leaks unless the holder frees it.
   */
  allocate<T extends QomObject>(type: QomType<T>): T {
    const block = this.heap.allocate(type.typeName, type.instanceSize);
    const object = new type({ model: this, block });
    block.sealed = true;
    return object;
  }

  /** Makes room for an object in another that is being constructed. Only for `QomObject.embed`. */
  embed<T extends QomObject>(holder: Storage, type: QomType<T>): T {
    this.heap.extend(holder.block, type.instanceSize);
    return new type(holder);
  }

  /**
   * Initialises storage in place: one reference, no free callback, initialisers from root class to leaf. As in C,
   * nothing checks whether the storage holds a live object: that object forgets its references and its parent, and the
   * parent's property, which still counts on its reference, aborts when it drops it.
   * @throws QomAbort for an object whose finalizers are running.
   */
  initialize(object: QomObject): void {
    if (object.state === ObjectState.Finalizing) {
      throw new QomAbort(`${object.describe()} is initialised while it is being finalized`);
    }
    if (object.state === ObjectState.Freed) this.detector?.report(object, "initialisation");
    this.detector?.revived(object);
    object.startOver();
    for (const initialize of this.types.initializers(object.qomType)) initialize.call(object);
  }

  /** Ends an object whose last reference was dropped: properties, then finalizers from leaf to root, then storage. */
  finalize(object: QomObject): void {
    object.end(this.types.finalizers(object.qomType));
    this.detector?.finalized(object);
    if (object.freesBlock) this.freeBlockOf(object);
  }

  /** Frees the block that `object` lives in, with every object in it. */
  freeBlockOf(object: QomObject): void {
    this.heap.free(object.block);
    for (const tenant of object.block.tenants as QomObject[]) {
      if (tenant.state !== ObjectState.Uninitialised) this.detector?.freed(tenant);
      tenant.state = ObjectState.Freed;
    }
    for (const tell of object.block.onFreed ?? []) tell();
  }

  /** The properties of an ending object in the order of their release; may change `properties`. */
  inReleaseOrder<T>(properties: T[]): T[] {
    return this.releaseOrder?.shuffle(properties) ?? properties;
  }

  /** @throws QomError when a component of the path does not exist. */
  resolvePath(path: string): QomObject {
    let object: QomObject = this.root;
    for (const part of path.split("/").filter((each) => each !== "")) {
      const next = object.child(part);
      if (next === undefined)
        throw new QomError(`no object at ${path}: ${object.describe()} has no child ${part}`);
      object = next;
    }
    return object;
  }

  /** Drops the root of the tree. Whatever the heap still holds afterwards has leaked. */
  destroy(): void {
    this.root.unref();
  }

  /** The child `name` of `parent`; created as a container if it does not exist. */
  childContainer(parent: QomObject, name: string): QomObject {
    const present = parent.child(name);
    if (present !== undefined) return present;
    const container = this.create(Container);
    parent.addChild(name, container);
    container.unref();
    return container;
  }
}
