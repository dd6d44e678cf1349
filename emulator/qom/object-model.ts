import { Container } from "./container.ts";
import { QomAbort, QomError } from "./errors.ts";
import { HostHeap } from "./host-heap.ts";
import { ObjectState, type QomObject, type QomType } from "./object.ts";
import { TypeRegistry } from "./type-registry.ts";
import { type DetectionMode, UseDetector } from "./use-detector.ts";

export interface ObjectModelOptions {
  /** Checked mode: detect uses after finalization and after free, thrown or counted. Default: fast mode, no checks. */
  readonly checked?: DetectionMode;
  /** Keep the allocation stack of every block for the leak report. */
  readonly recordStacks?: boolean;
}

/** The objects of one machine: its heap, its types, and the tree they hang in. */
export class ObjectModel {
  readonly heap: HostHeap;
  readonly types = new TypeRegistry();
  /** Present in checked mode only. */
  readonly detector: UseDetector | null;
  /** The root of the composition tree, `/`. */
  readonly root: Container;

  constructor(options: ObjectModelOptions = {}) {
    this.heap = new HostHeap(options.recordStacks);
    this.detector = options.checked === undefined ? null : new UseDetector(options.checked);
    this.types.register(Container);
    this.root = this.create(Container);
  }

  /** `/machine/unattached`: home of devices without a parent and of regions without an owner. */
  get unattached(): QomObject {
    return this.childContainer(this.childContainer(this.root, "machine"), "unattached");
  }

  /** Allocates a block and an object in it; the caller holds its one reference, the last unref frees the block. */
  create<T extends QomObject>(type: QomType<T>): T {
    const object = this.allocate(type);
    this.initialize(object);
    object.freesBlock = true; // after the initialisation, which erases it
    return object;
  }

  /**
   * Allocates uninitialised storage by hand (`g_new`). Whoever initialises it in place gets an object that is finalized
   * but never freed, unless its holder frees the block: the leak that the debate is about.
   */
  allocate<T extends QomObject>(type: QomType<T>): T {
    return new type({ model: this, block: this.heap.allocate(type.typeName, type.instanceSize) });
  }

  /**
   * Initialises storage in place: one reference, no free callback, initialisers from the root class to the leaf. As in C,
   * this goes unnoticed if the storage holds a live object: that forgets its references and its parent, whose property still
   * believes it holds a reference, and aborts when it gives that back.
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

  /** Ends an object whose last reference has gone: properties, then finalizers from leaf to root, then storage. */
  finalize(object: QomObject): void {
    object.state = ObjectState.Finalizing;
    object.releaseAllProperties();
    for (const finalize of this.types.finalizers(object.qomType)) finalize.call(object);
    if (object.refCount !== 0)
      throw new QomAbort(`${object.describe()} was referenced again while it was finalized`);
    if (object.parent !== null)
      throw new QomAbort(`${object.describe()} was finalized while it had a parent`);
    object.state = ObjectState.Finalized;
    this.detector?.finalized(object);
    if (object.freesBlock) this.freeBlockOf(object);
  }

  /** Frees the block that `object` was allocated in, with all that is embedded in it. */
  freeBlockOf(object: QomObject): void {
    this.heap.free(object.block);
    for (const tenant of object.block.tenants as QomObject[]) {
      if (tenant.state !== ObjectState.Uninitialised) this.detector?.freed(tenant);
      tenant.state = ObjectState.Freed;
    }
  }

  /** @throws QomError when a part of the path does not exist. */
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

  /** Ends the tree. What the heap still holds afterwards has leaked. */
  destroy(): void {
    this.root.unref();
  }

  /** The child `name` of `parent`, made as a container where it is missing. */
  childContainer(parent: QomObject, name: string): QomObject {
    const present = parent.child(name);
    if (present !== undefined) return present;
    const container = this.create(Container);
    parent.addChild(name, container);
    container.unref();
    return container;
  }
}
