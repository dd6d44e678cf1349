import { ObjectModel, type ObjectModelOptions, QomAbort } from "#qom";
import type { AddressSpace } from "./address-space.ts";
import { FlatView, physicalRoot } from "./flat-view.ts";
import type { MemoryListener } from "./listener.ts";
import { HostRam, type RamAllocator } from "./ram.ts";
import { Rcu } from "./rcu.ts";
import { MemoryRegion } from "./region.ts";

/** C's NULL owner, which in C needs no machine to belong to. */
export interface NoOwner {
  readonly model: MemoryModel;
}

export interface MemoryModelOptions extends ObjectModelOptions {
  /** Where RAM regions get their bytes; default: buffers of the host. */
  readonly ram?: RamAllocator;
  /**
   * Whether a container takes no reference on a subregion of its own owner, as QEMU since 10.2 (default), which frees
   * devices that contain their own regions.
   */
  readonly sameOwnerExemption?: boolean;
  /** Told when callbacks of RCU wait: `rcu.poll` is due as soon as no reader is active. */
  readonly onRcuPending?: () => void;
}

/** The object model of a machine with memory: its address spaces, flat views, transactions and RCU. */
export class MemoryModel extends ObjectModel {
  readonly ram: RamAllocator;
  readonly rcu: Rcu;
  readonly noOwner: NoOwner = { model: this };
  /** In order of creation. */
  readonly addressSpaces: AddressSpace[] = [];
  /** In ascending order of priority. */
  readonly listeners: MemoryListener[] = [];
  /** Set inside a transaction: the map must be rendered again at its end. */
  updatePending = false;
  /** Flat views rendered so far: at most one per physical root and outermost commit. */
  renders = 0;
  private ioEventFdPending = false;
  private depth = 0;
  private readonly sameOwnerExemption: boolean;
  private readonly flatViews = new Map<MemoryRegion, FlatView>();
  private readonly emptyView: FlatView;
  /**
   * Told of every write to RAM that went through an address space or a mapping: `length` bytes from `offset` on, in
   * `bytes`. Who keeps decoded code of that memory forgets it. A processor's own stores to pages that it reaches directly
   * are its own affair.
   */
  onRamWritten: ((bytes: Uint8Array, offset: number, length: number) => void) | null = null;
  /** Told, once per region, of accesses that the re-entrancy guard refused. */
  onReentrancy: ((region: MemoryRegion) => void) | null = null;
  private readonly reportedReentrancy = new WeakSet<MemoryRegion>();

  constructor(options: MemoryModelOptions = {}) {
    super(options);
    this.ram = options.ram ?? new HostRam();
    this.rcu = new Rcu(options.onRcuPending);
    this.sameOwnerExemption = options.sameOwnerExemption ?? true;
    this.types.register(MemoryRegion);
    this.emptyView = new FlatView(this, null);
  }

  /** Reports a refused access to a busy device, the first time that `region` meets one. */
  reportReentrancy(region: MemoryRegion): void {
    if (this.reportedReentrancy.has(region)) return;
    this.reportedReentrancy.add(region);
    this.onReentrancy?.(region);
  }

  /** Depth of nested transactions; 0 outside. */
  get transactionDepth(): number {
    return this.depth;
  }

  /** Runs `edit`; changes of the memory map take effect together when the outermost transaction ends. */
  transaction(edit: () => void): void {
    this.begin();
    try {
      edit();
    } finally {
      this.commit();
    }
  }

  begin(): void {
    for (const listener of this.listeners) listener.flushCoalesced?.();
    this.depth++;
  }

  commit(): void {
    if (this.depth === 0) throw new QomAbort("commit without a transaction");
    if (--this.depth > 0) return;
    if (this.updatePending) {
      this.updatePending = false;
      this.ioEventFdPending = false;
      this.dropFlatViews();
      for (const listener of this.listeners) listener.begin?.();
      for (const space of [...this.addressSpaces]) {
        space.setView(this.flatViewOf(space.root));
        space.updateIoEventFds();
      }
      for (const listener of this.listeners) listener.commit?.();
    } else if (this.ioEventFdPending) {
      this.ioEventFdPending = false;
      for (const space of this.addressSpaces) space.updateIoEventFds();
    }
  }

  /** A transaction that changes event notifiers only. */
  ioEventFdTransaction(edit: () => void): void {
    this.transaction(() => {
      edit();
      this.ioEventFdPending = true;
    });
  }

  /** Whether `container` takes no reference on `subregion`: both have the same owner (two without one have, too). */
  exempt(container: MemoryRegion, subregion: MemoryRegion): boolean {
    return this.sameOwnerExemption && container.owner === subregion.owner;
  }

  /** The view of everything below `root`, shared by all address spaces whose physical root is the same. */
  flatViewOf(root: MemoryRegion | null): FlatView {
    const physical = root === null ? null : physicalRoot(root);
    if (physical === null) return this.emptyView;
    let view = this.flatViews.get(physical);
    if (view === undefined) {
      this.renders++;
      view = new FlatView(this, physical);
      this.flatViews.set(physical, view);
    }
    return view;
  }

  /** Lets accesses see what has changed in `region` without a change of the map. */
  refreshSections(region: MemoryRegion): void {
    const shown = this.addressSpaces.map(({ view }) => view); // other views than the table's while a commit runs
    for (const view of new Set([...this.flatViews.values(), ...shown])) view.refresh(region);
  }

  /** The table's own references go; views that an address space shows live on until it shows another. */
  private dropFlatViews(): void {
    const views = [...this.flatViews.values()];
    this.flatViews.clear();
    for (const view of views) view.unref();
  }

  /** Ends the machine: views, callbacks of RCU, then the tree. What the heap still holds afterwards has leaked. */
  override destroy(): void {
    for (const space of [...this.addressSpaces]) space.destroy();
    this.dropFlatViews();
    this.rcu.drain();
    super.destroy();
    this.dropFlatViews();
    this.rcu.drain();
    this.emptyView.unref();
    this.rcu.drain();
  }
}
