import { ObjectModel, type ObjectModelOptions, QomAbort, type QomObject } from "#qom";
import { HostRam, type RamAllocator } from "./access/ram.ts";
import { ReclaimedRam } from "./access/reclaimed-ram.ts";
import type { AddressSpace } from "./address-space.ts";
import { FlatView, physicalRoot } from "./map/flat-view.ts";
import { type ReferencePolicy, type ReferenceRules, referencePolicies } from "./map/references.ts";
import { MemoryRegion } from "./map/region.ts";
import type { MemoryListener } from "./observe/listener.ts";
import { Rcu } from "./rcu.ts";

/** Stands for a NULL owner in C, but belongs to a machine. */
export interface NoOwner {
  readonly model: MemoryModel;
}

export interface MemoryModelOptions extends ObjectModelOptions {
  /** Allocates the bytes of RAM regions; default: host buffers. */
  readonly ram?: RamAllocator;
  /** What references to regions count on; default: `owner`, the rules of QEMU since 10.2. */
  readonly references?: ReferencePolicy;
  /** Called when RCU callbacks are waiting: `rcu.poll` is due as soon as no reader is active. */
  readonly onRcuPending?: () => void;
}

/** The object model of a machine with memory: address spaces, flat views, transactions and RCU. */
export class MemoryModel extends ObjectModel {
  readonly ram: RamAllocator;
  /** RAM on its way back to `ram`. */
  readonly reclaimedRam: ReclaimedRam;
  readonly rcu: Rcu;
  readonly noOwner: NoOwner = { model: this };
  /** In creation order. */
  readonly addressSpaces: AddressSpace[] = [];
  /** Those that were destroyed and whose end is not complete. */
  readonly endingSpaces = new Set<AddressSpace>();
  /** In ascending order of priority. */
  readonly listeners: MemoryListener[] = [];
  /** Set inside a transaction if the map must be rendered again at its end. */
  updatePending = false;
  /** Number of flat views rendered so far: at most one for each physical root and outermost commit. */
  renders = 0;
  private ioEventFdPending = false;
  private depth = 0;
  readonly references: ReferenceRules;
  private readonly flatViews = new Map<MemoryRegion, FlatView>();
  private readonly emptyView: FlatView;
  /**
   * Called for every write to RAM through an address space or a mapping: `length` bytes at `offset` of `bytes`. Caches
   * of decoded code discard what they hold of that memory. Not called for a processor's stores to direct pages, which
   * the processor tracks itself.
   */
  onRamWritten: ((bytes: Uint8Array, offset: number, length: number) => void) | null = null;
  /** Called the first time that the re-entrancy guard refuses an access to a region. */
  onReentrancy: ((region: MemoryRegion) => void) | null = null;
  private readonly reportedReentrancy = new WeakSet<MemoryRegion>();

  constructor(options: MemoryModelOptions = {}) {
    super(options);
    this.ram = options.ram ?? new HostRam();
    this.reclaimedRam = new ReclaimedRam(this.ram, this.detector);
    this.rcu = new Rcu(options.onRcuPending);
    this.references = referencePolicies[options.references ?? "owner"];
    this.types.register(MemoryRegion);
    this.emptyView = new FlatView(this, null);
  }

  /** Reports an access to `region` that its busy device refused; only the first for each region. */
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
      for (const space of this.addressSpaces) this.flatViewOf(space.root);
      for (const listener of this.listeners) listener.begin?.();
      for (const space of [...this.addressSpaces]) {
        space.setView(this.flatViewOf(space.root));
        space.observers.updateIoEventFds();
      }
      for (const listener of this.listeners) listener.commit?.();
    } else if (this.ioEventFdPending) {
      this.ioEventFdPending = false;
      for (const space of this.addressSpaces) space.observers.updateIoEventFds();
    }
  }

  /** A transaction that changes only event notifiers. */
  ioEventFdTransaction(edit: () => void): void {
    this.transaction(() => {
      edit();
      this.ioEventFdPending = true;
    });
  }

  /** Whether `container` takes no reference on `subregion`: they have the same owner, or both have none. */
  exempt(container: MemoryRegion, subregion: MemoryRegion): boolean {
    return this.references.exemptsSameOwner && container.owner === subregion.owner;
  }

  /** Ends an object; a region that holds its owner lets go of it when it is gone. */
  override finalize(object: QomObject): void {
    const { regionHoldsOwner } = this.references;
    const owner = regionHoldsOwner && object instanceof MemoryRegion ? object.owner : null;
    super.finalize(object);
    owner?.unref();
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

  /** Makes accesses see changes of `region` that do not change the map. */
  refreshSections(region: MemoryRegion): void {
    const shown = this.addressSpaces.map(({ view }) => view); // may differ from the table's during a commit
    for (const view of new Set([...this.flatViews.values(), ...shown])) view.refresh(region);
  }

  /** Drops the table's references; a view lives on as long as an address space shows it. */
  private dropFlatViews(): void {
    const views = [...this.flatViews.values()];
    this.flatViews.clear();
    for (const view of views) view.unref();
  }

  /** Ends the machine: views, RCU callbacks, then the tree. Whatever the heap still holds afterwards has leaked. */
  override destroy(): void {
    for (const space of [...this.addressSpaces]) space.destroy();
    this.dropFlatViews();
    this.rcu.drain();
    super.destroy();
    this.dropFlatViews();
    this.rcu.drain();
    this.emptyView.unref();
    this.rcu.drain();
    this.reclaimedRam.check();
  }
}
