import {
  ObjectModel,
  type ObjectModelOptions,
  QomAbort,
  type QomObject,
  type QomType,
  type Storage,
} from "#qom";
import { HostRam, type RamAllocator } from "./access/ram.ts";
import type { OpenRamFile } from "./access/ram-file.ts";
import { ReclaimedRam } from "./access/reclaimed-ram.ts";
import type { AddressSpace } from "./address-space.ts";
import { MapChanges, type Places } from "./map/changes.ts";
import { FlatView, physicalRoot, type ViewChange } from "./map/flat-view.ts";
import type { FoundRange } from "./map/found-range.ts";
import { type Interval, united } from "./map/interval.ts";
import { RamBlocks } from "./map/ram-blocks.ts";
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
  /** Opens files for RAM that has their bytes; default: there are none. */
  readonly openRamFile?: OpenRamFile;
  /** What references to regions count on; default: `owner`, the rules of QEMU since 10.2. */
  readonly references?: ReferencePolicy;
  /**
   * Gives each region that an object embeds a block of its own, allocated by hand, which nothing frees: what
   * `g_new(MemoryRegion)` and `memory_region_init` do in C.
   */
  readonly heapRegions?: boolean;
  /**
   * Whether RAM gets an identity, by which two of a name abort, as `memory_region_init_ram` does in QEMU. Default: true.
   * False has the effect of its `_nomigrate` variants: for machines that try out devices, several of a class on a bus.
   */
  readonly migratable?: boolean;
  /** Called when RCU callbacks are waiting: `rcu.poll` is due as soon as no reader is active. */
  readonly onRcuPending?: () => void;
}

/** The object model of a machine with memory: address spaces, flat views, transactions and RCU. */
export class MemoryModel extends ObjectModel {
  readonly ram: RamAllocator;
  readonly openRamFile: OpenRamFile | null;
  private readonly heapRegions: boolean;
  /** RAM on its way back to `ram`. */
  readonly reclaimedRam: ReclaimedRam;
  /** RAM that has an identity; null if no RAM of the machine gets one. */
  readonly ramBlocks: RamBlocks | null;
  readonly rcu: Rcu;
  readonly noOwner: NoOwner = { model: this };
  /** What the next commit has to render. */
  readonly changes: MapChanges;
  /** Ranges that were found and not released yet. */
  readonly finds = new Set<FoundRange>();
  /** Number of event notifiers in all regions. */
  ioEventFdCount = 0;
  private readonly spaces = new Set<AddressSpace>();
  private readonly spacesOf = new Map<MemoryRegion, Set<AddressSpace>>();
  private listed: readonly AddressSpace[] | null = null;
  private readonly endedSpaces: AddressSpace[] = [];
  private spaceNumber = 0;
  /** Views that the commit in progress has replaced in the table. */
  private readonly replaced: FlatView[] = [];
  /** Address spaces that were destroyed and whose end is not complete. */
  readonly endingSpaces = new Set<AddressSpace>();
  /** In ascending order of priority. */
  readonly listeners: MemoryListener[] = [];
  /** Set inside a transaction if the map must be rendered again at its end. */
  updatePending = false;
  /** Number of flat views rendered or derived so far: at most one for each physical root and outermost commit. */
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
    this.openRamFile = options.openRamFile ?? null;
    this.heapRegions = options.heapRegions === true;
    this.ramBlocks =
      options.migratable === false ? null : new RamBlocks((device, ram) => this.busPathOf(device, ram));
    this.reclaimedRam = new ReclaimedRam(this.ram, this.detector);
    this.rcu = new Rcu(options.onRcuPending);
    const isRoot = (region: MemoryRegion) => this.spacesOf.has(region) || this.flatViews.has(region);
    this.changes = new MapChanges(isRoot, this.detector === null);
    this.references = referencePolicies[options.references ?? "owner"];
    this.types.register(MemoryRegion);
    this.emptyView = new FlatView(this, null);
  }

  override embed<T extends QomObject>(holder: Storage, type: QomType<T>): T {
    const onHeap = this.heapRegions && isRegionType(type);
    return onHeap ? this.allocate(type) : super.embed(holder, type);
  }

  /**
   * Where a device is, if its bus says so.
   * @param _ram what is to be identified with it
   * @throws QomAbort for an object that is no device; a machine without devices does not mind
   */
  protected busPathOf(_device: QomObject, _ram: MemoryRegion): string | null {
    return null;
  }

  /** Reports an access to `region` that its busy device refused; only the first for each region. */
  reportReentrancy(region: MemoryRegion): void {
    if (this.reportedReentrancy.has(region)) return;
    this.reportedReentrancy.add(region);
    this.onReentrancy?.(region);
  }

  /** In creation order. */
  get addressSpaces(): readonly AddressSpace[] {
    this.listed ??= [...this.spaces];
    return this.listed;
  }

  /** Enters a new address space; returns a number that is greater than those of earlier ones. */
  addSpace(space: AddressSpace, root: MemoryRegion): number {
    this.spaces.add(space);
    this.listed = null;
    const sharing = this.spacesOf.get(root);
    if (sharing === undefined) this.spacesOf.set(root, new Set([space]));
    else sharing.add(space);
    return ++this.spaceNumber;
  }

  /** The next commit makes `space`, whose root was `root`, show nothing. */
  endSpace(space: AddressSpace, root: MemoryRegion): void {
    const sharing = this.spacesOf.get(root);
    sharing?.delete(space);
    if (sharing?.size === 0) this.spacesOf.delete(root);
    this.endedSpaces.push(space);
    this.updatePending = true;
  }

  /** Forgets a space that has ended. */
  removeSpace(space: AddressSpace): void {
    this.spaces.delete(space);
    this.listed = null;
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
    this.flushCoalesced();
    this.depth++;
  }

  /** Has the host deliver the writes that it has batched. */
  flushCoalesced(): void {
    for (const listener of this.listeners) listener.flushCoalesced?.();
  }

  commit(): void {
    if (this.depth === 0) throw new QomAbort("commit without a transaction");
    if (--this.depth > 0) return;
    if (this.updatePending) {
      this.updatePending = false;
      this.ioEventFdPending = false;
      if (this.rendersAll) this.renderAll();
      else this.renderChanged();
    } else if (this.ioEventFdPending) {
      this.ioEventFdPending = false;
      const places = this.changes.takeIoEventFds();
      if (this.rendersAll) for (const space of this.spaces) space.observers.updateIoEventFds();
      else for (const [root, within] of places) this.updateIoEventFdsBelow(root, within);
    }
  }

  /** Whether each commit renders all views, as in QEMU: a listener hears of what stays, or checked mode watches. */
  private get rendersAll(): boolean {
    return this.detector !== null || this.listeners.some(({ regionNop }) => regionNop !== undefined);
  }

  private renderAll(): void {
    this.changes.takeMap();
    this.changes.takeIoEventFds();
    this.endedSpaces.length = 0;
    this.dropFlatViews();
    for (const space of this.spaces) this.flatViewOf(space.root);
    for (const listener of this.listeners) listener.begin?.();
    for (const space of [...this.spaces]) {
      space.setView(this.flatViewOf(space.root));
      space.observers.updateIoEventFds();
    }
    for (const listener of this.listeners) listener.commit?.();
  }

  /** Renders the views in which something has changed, and of large ones only that part. */
  private renderChanged(): void {
    const places = this.changes.takeMap();
    const ioEventFds = this.changes.takeIoEventFds();
    // One whose grace period is over, within this very transaction, is gone already.
    const reached = new Set(this.endedSpaces.splice(0).filter((space) => this.endingSpaces.has(space)));
    for (const root of places.keys()) for (const space of this.spacesOf.get(root) ?? []) reached.add(space);
    const spaces = [...reached].sort((a, b) => a.number - b.number);
    const done = new Set<MemoryRegion>();
    for (const space of spaces) this.refreshView(space.root, places, done);
    for (const listener of this.listeners) listener.begin?.();
    for (const space of spaces) {
      const old = space.view;
      const now = this.flatViewOf(space.root);
      space.setView(now);
      const fds = space.root === null ? [] : (ioEventFds.get(space.root) ?? []);
      if (now.change?.from === old)
        space.observers.updateIoEventFds(united([...extents(now.change), ...fds]));
      else space.observers.updateIoEventFds();
      this.dropFlatView(old);
    }
    for (const [root, within] of ioEventFds) if (!places.has(root)) this.updateIoEventFdsBelow(root, within);
    for (const listener of this.listeners) listener.commit?.();
    for (const view of this.replaced.splice(0)) view.unref();
    for (const { view } of spaces) view.change = null;
  }

  /** Makes the table have the current view of `root`, which may be among those that changed. */
  private refreshView(root: MemoryRegion | null, places: Places, done: Set<MemoryRegion>): void {
    const physical = root === null ? null : physicalRoot(root);
    if (physical === null || done.has(physical)) return;
    done.add(physical);
    const old = this.flatViews.get(physical);
    const changed = places.get(physical);
    if (old === undefined || changed === undefined) {
      this.flatViewOf(root);
      return;
    }
    this.renders++;
    const now = old.large ? old.derive(changed) : new FlatView(this, physical);
    if (now === old) return;
    this.flatViews.set(physical, now);
    this.replaced.push(old);
  }

  private updateIoEventFdsBelow(root: MemoryRegion, within: readonly Interval[]): void {
    for (const space of this.spacesOf.get(root) ?? []) space.observers.updateIoEventFds(united(within));
  }

  /** Drops the table's reference to a view unless an address space shows it. */
  dropFlatView(view: FlatView): void {
    if (view.shownBy > 0 || view.root === null || this.flatViews.get(view.root) !== view) return;
    this.flatViews.delete(view.root);
    view.unref();
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
    if (this.detector !== null || this.replaced.length > 0) {
      const shown = [...this.spaces].map(({ view }) => view); // may differ from the table's during a commit
      for (const view of new Set([...this.flatViews.values(), ...shown])) view.refresh(region);
      return;
    }
    for (const [root, places] of this.changes.placesOf(region)) {
      const view = this.flatViews.get(root);
      if (view !== undefined) for (const { low, high } of places) view.refresh(region, low, high);
    }
  }

  /** Drops the table's references; a view lives on as long as an address space shows it. */
  private dropFlatViews(): void {
    const views = [...this.flatViews.values()];
    this.flatViews.clear();
    for (const view of views) view.unref();
  }

  /** Ends the machine: views, RCU callbacks, then the tree. Whatever the heap still holds afterwards has leaked. */
  override destroy(): void {
    for (const space of [...this.spaces]) space.destroy();
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

function isRegionType(type: QomType): boolean {
  const { prototype }: { prototype?: unknown } = type as object;
  return type === (MemoryRegion as QomType) || prototype instanceof MemoryRegion;
}

/** Where the views before and after a change differ. */
function extents({ removed, added }: ViewChange): Interval[] {
  return [...removed, ...added].map(({ start, end }) => ({ low: start, high: end }));
}
