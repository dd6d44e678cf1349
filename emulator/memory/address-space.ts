import { type Block, Overwritten, QomAbort, type QomObject } from "#qom";
import { Accessor } from "./access/accessor.ts";
import { type Mapping, MappingLedger } from "./access/mapping.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./access/ops.ts";
import { checkAddress } from "./hwaddr.ts";
import type { FlatView } from "./map/flat-view.ts";
import type { MemoryRegion } from "./map/region.ts";
import type { MemoryModel } from "./memory-model.ts";
import type { MemoryListener } from "./observe/listener.ts";
import { Observers } from "./observe/observers.ts";
import { RcuNode } from "./rcu.ts";

/** Modelled bytes of the C structure. */
const ADDRESS_SPACE_BYTES = 176;

/**
 * Storage for one address space in an object: in C, a field of type AddressSpace. It goes with the object, although the
 * end of an address space takes until after a grace period; `new AddressSpace` has storage of its own, which that end
 * frees (`address_space_destroy_free`).
 */
export class AddressSpaceStorage {
  /** The queue node lies in the storage, so the ends of two spaces cannot be pending there. */
  readonly node = new RcuNode();
  private readonly model: MemoryModel;
  private space: AddressSpace | null = null;

  /** @throws QomAbort when `holder` has been constructed: the size of a C structure is fixed */
  constructor(holder: QomObject & { readonly model: MemoryModel }) {
    const { block, model } = holder;
    if (block.sealed)
      throw new QomAbort(
        `${holder.describe()} embeds an address space after its construction; do so in a field`,
      );
    this.model = model;
    model.heap.extend(block, ADDRESS_SPACE_BYTES);
    block.onFreed ??= [];
    block.onFreed.push(() => {
      if (this.space !== null) model.detector?.freedPlain(this.space, "address-space");
    });
  }

  /** Initialises the space. In checked mode, one that has not ended yet is reported as overwritten. */
  init(root: MemoryRegion, name: string): AddressSpace {
    if (this.space !== null) {
      this.model.detector?.record(
        new Overwritten(
          `address space ${this.space.name} is initialised again, as ${name}, before its end; destroy it and wait for a grace period`,
          "address-space",
          "initialisation",
          this.space,
        ),
      );
    }
    this.space = new AddressSpace(this.model, root, name, this);
    return this.space;
  }

  /** The space that lies here and has not ended; null if there is none. */
  get current(): AddressSpace | null {
    return this.space;
  }

  /** The end of `space` is complete. */
  ended(space: AddressSpace): void {
    if (this.space === space) this.space = null;
  }
}

/** Memory as one observer (a processor, a bus master) sees it: the tree below a root region, as a flat view. */
export class AddressSpace extends Accessor {
  readonly name: string;
  /** Greater than that of spaces created earlier. */
  readonly number: number;
  readonly mappings: MappingLedger;
  readonly observers: Observers;
  private rootRegion: MemoryRegion | null;
  /** The region that it holds a reference to: its root, until a grace period after the space was destroyed. */
  heldRoot: MemoryRegion | null;
  /** Its own block, or what it lies in. */
  private readonly storage: Block | AddressSpaceStorage;
  private destroyed = false;

  /** @param storage by default, a block of its own, which the end of the space frees */
  constructor(
    model: MemoryModel,
    root: MemoryRegion,
    name: string,
    storage: Block | AddressSpaceStorage = model.heap.allocate("address-space", ADDRESS_SPACE_BYTES),
  ) {
    root.takeRef();
    super(model, model.flatViewOf(root));
    this.name = name;
    this.storage = storage;
    this.mappings = new MappingLedger(this);
    this.observers = new Observers(this);
    this.rootRegion = root;
    this.heldRoot = root;
    this.number = model.addSpace(this, root);
    this.view.ref();
    this.view.shownBy++;
    this.observers.updateIoEventFds();
  }

  /** Null once the space is being destroyed. */
  get root(): MemoryRegion | null {
    return this.rootRegion;
  }

  /**
   * Gives a device direct access to guest memory: RAM itself, or a bounce buffer for anything else. May be shorter than
   * requested; null when nothing can be mapped now. Holds a reference on the region's owner until `unmap`.
   */
  map(
    address: number,
    length: number,
    isWrite: boolean,
    attrs: MemTxAttrs = UNSPECIFIED_ATTRS,
  ): Mapping | null {
    checkAddress(address, `address mapped in ${this.name}`);
    return this.mappings.map(address, length, isWrite, attrs);
  }

  /** Ends a mapping; the first `written` bytes of a bounce buffer are written to the device now. */
  unmap(mapping: Mapping, written: number): void {
    this.mappings.unmap(mapping, written);
  }

  /** Adds a listener, and tells it about everything currently mapped. */
  addListener(listener: MemoryListener): void {
    this.observers.add(listener);
  }

  /** Removes a listener after telling it that everything is removed; does nothing if it is not registered. */
  removeListener(listener: MemoryListener): void {
    this.observers.remove(listener);
  }

  /** Switches to another view, when a transaction is committed. */
  setView(view: FlatView): void {
    const old = this.view;
    if (view === old) return;
    view.ref();
    view.shownBy++;
    this.observers.viewChanges(old, view);
    this.show(view);
    old.shownBy--;
    old.unref();
  }

  /**
   * Ends the space: tells listeners at once that everything is removed; drops its reference on the root after a grace
   * period.
   * @throws QomAbort then, if bounce buffers, waiters for them, or listeners are left.
   */
  destroy(): void {
    if (this.destroyed) throw new QomAbort(`address space ${this.name} is destroyed twice`);
    this.destroyed = true;
    const root = this.rootRegion;
    this.model.endingSpaces.add(this);
    this.model.transaction(() => {
      this.rootRegion = null;
      if (root !== null) this.model.endSpace(this, root);
    });
    this.model.removeSpace(this);
    const { storage } = this;
    const embedded = storage instanceof AddressSpaceStorage;
    this.model.rcu.call(embedded ? storage.node : new RcuNode(), () => {
      if (this.mappings.bounceBytes > 0) throw new QomAbort(`${this.name} ends with bounce buffers in use`);
      if (this.mappings.waiting > 0) throw new QomAbort(`${this.name} ends with waiters for bounce buffers`);
      if (this.observers.any) throw new QomAbort(`${this.name} ends with listeners attached`);
      const { model } = this;
      this.view.shownBy--;
      model.dropFlatView(this.view);
      this.view.unref();
      if (embedded) storage.ended(this);
      this.heldRoot = null;
      model.endingSpaces.delete(this);
      root?.dropRef(); // the last step, as it may end the object that this lies in
      if (!embedded) model.heap.free(storage);
      model.detector?.freedPlain(this, "address-space");
    });
  }
}
