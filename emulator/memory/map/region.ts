import {
  FinalizedInView,
  ObjectState,
  Overwritten,
  QomAbort,
  QomError,
  QomObject,
  type QomType,
  type Storage,
  UseBeforeInit,
} from "#qom";
import {
  hostRegisters,
  type MemoryRegionOps,
  plainSizes,
  type ReadCallback,
  unassignedOps,
  unassignedRead,
  unassignedWrite,
  type WriteCallback,
} from "../access/ops.ts";
import { RamBlock } from "../access/ram.ts";
import type { RamFile, RamFileOptions } from "../access/ram-file.ts";
import { checkAddress, checkSize } from "../hwaddr.ts";
import type { MemoryModel, NoOwner } from "../memory-model.ts";
import { DirtyLog } from "../observe/dirty-log.ts";
import { compareIoEventFds, type IoEventFd, ioEventFdOrder } from "../observe/ioeventfd.ts";
import { RcuNode } from "../rcu.ts";
import { FoundRange } from "./found-range.ts";
import { MANY_SUBREGIONS, ManySubregions } from "./many-subregions.ts";
import { SortedTree } from "./sorted-tree.ts";

const NO_EVENT_FDS = SortedTree.of(ioEventFdOrder);

/** Engaged while a device handles an access; other accesses to the same device are refused meanwhile. */
export class MemReentrancyGuard {
  engaged = false;
}

/** An owner whose regions are guarded against re-entrancy; every device is one. */
interface GuardedOwner {
  readonly memReentrancyGuard: MemReentrancyGuard;
}

/**
 * The object that a region is a child of and lives as long as; references to the region are counted on it. `NoOwner` is
 * C's NULL: the region is a child of /machine/unattached, references to it are not counted, and it has no guard.
 */
export type RegionOwner = QomObject | NoOwner;

/** Flags of a region that change the map. */
type Flag = "enabled" | "readOnly" | "romdMode" | "nonvolatile" | "unmergeable";

/** A subrange in which the host may batch guest writes. */
export interface CoalescedRange {
  readonly offset: number;
  readonly size: number;
}

/**
 * A piece of guest address space and whatever responds there.
 *
 * There are two ways to create one, with the same arguments: `init…` initialises storage embedded in an owner, `new…`
 * allocates a region that QOM owns and frees. Both make it a child of its owner, which holds the only reference.
 */
export class MemoryRegion extends QomObject {
  static override readonly typeName: string = "memory-region";
  /** Bytes on 64-bit hosts. */
  static override readonly instanceSize: number = 272;
  static override readonly properties = [
    { name: "addr", type: "uint64", get: (region: MemoryRegion) => region.address },
    { name: "priority", type: "uint32", get: (region: MemoryRegion) => region.priority },
    { name: "size", type: "uint64", get: (region: MemoryRegion) => region.size },
    {
      name: "container",
      type: "str",
      get: (region: MemoryRegion) => region.container?.canonicalPath() ?? "",
    },
  ];

  declare readonly model: MemoryModel;

  // `clear` sets all of these, in the constructor and again whenever the storage is initialised.

  // Copied by sections, so that plain calls need not access the region.
  /** Sizes (bit set) of aligned reads that take one plain call of the ops. */
  plainReads!: number;
  /** The owner's guard, or null if re-entrancy is allowed. */
  guard!: MemReentrancyGuard | null;
  opaque!: unknown;
  /** `ops.read` and `ops.write`, one load away: ops have many hidden classes, regions only one. */
  readCallback!: ReadCallback;
  writeCallback!: WriteCallback;
  /** Sizes (bit set) of aligned writes that take one plain call of the ops. */
  plainWrites!: number;
  ops!: MemoryRegionOps<never>;
  ram!: RamBlock | null;

  name!: string | null;
  /** Bytes; 2^64 for a region that covers everything. */
  size!: number;
  owner!: QomObject | null;
  container!: MemoryRegion | null;
  /** Offset within the container. */
  address!: number;
  priority!: number;
  enabled!: boolean;
  /** Whether the region itself handles accesses, rather than only its subregions. */
  terminates!: boolean;
  readOnly!: boolean;
  romDevice!: boolean;
  /** Whether its RAM is registers of the host, accessed one by one. */
  ramDevice!: boolean;
  /** Whether it is an `IommuMemoryRegion`, which forwards accesses to other address spaces. */
  isIommu!: boolean;
  private onResized!: ((size: number) => void) | null;
  /** Whether a ROM device reads like memory; otherwise reads go to its callbacks. */
  romdMode!: boolean;
  nonvolatile!: boolean;
  unmergeable!: boolean;
  alias!: MemoryRegion | null;
  aliasOffset!: number;
  /** Number of mapped aliases that lead to this region. */
  mappedViaAlias!: number;
  private inside!: MemoryRegion[] | ManySubregions;
  private eventFds!: SortedTree<IoEventFd>;
  coalesced!: readonly CoalescedRange[];
  /** Whether batched writes are delivered before accesses. */
  flushesCoalesced!: boolean;
  /** Set while writes to its RAM are logged. */
  dirtyLog!: DirtyLog | null;
  private releaseRam!: (() => void) | null;
  /** The file that has its RAM, if what is written goes there. */
  private ramFile!: RamFile | null;

  constructor(storage: Storage) {
    super(storage);
    this.clear();
  }

  /** Puts the region into the state before any set-up. */
  private clear(): void {
    this.plainReads = 0;
    this.guard = null;
    this.opaque = undefined;
    this.readCallback = unassignedRead;
    this.writeCallback = unassignedWrite;
    this.plainWrites = 0;
    this.ops = unassignedOps;
    this.ram = null;
    this.name = null;
    this.size = 0;
    this.owner = null;
    this.container = null;
    this.address = 0;
    this.priority = 0;
    this.enabled = true;
    this.terminates = false;
    this.readOnly = false;
    this.romDevice = false;
    this.ramDevice = false;
    this.isIommu = false;
    this.onResized = null;
    this.romdMode = true;
    this.nonvolatile = false;
    this.unmergeable = false;
    this.alias = null;
    this.aliasOffset = 0;
    this.mappedViaAlias = 0;
    this.inside = [];
    this.eventFds = NO_EVENT_FDS;
    this.coalesced = [];
    this.flushesCoalesced = false;
    this.dirtyLog = null;
    this.releaseRam = null;
    this.ramFile = null;
  }

  protected override instanceInit(): void {
    // Storage that has ended or was never used holds none; in C, the list of the container would be corrupt now.
    if (this.container != null) {
      this.model.detector?.record(
        new Overwritten(
          `${this.describe()} is initialised again while it is in ${this.container.describe()}; remove it from there first`,
          MemoryRegion.typeName,
          "container",
          this,
        ),
      );
    }
    if (this.alias != null) this.model.changes.aliasEnds(this);
    this.clear();
  }

  protected override instanceFinalize(): void {
    this.enabled = false; // directly: setEnabled would open a transaction of its own
    this.model.changes.note(this, 0, this.size);
    this.model.transaction(() => {
      if (this.container !== null) {
        if (!this.model.references.exemptsSameOwner)
          throw new QomAbort(`${this.describe()} is finalized inside a container`);
        if (this.container.owner !== this.owner) {
          throw new QomAbort(`${this.describe()} is finalized inside a container of another owner`);
        }
        this.container.delSubregion(this);
      }
      for (const subregion of [...this.subregions]) this.delSubregion(subregion);
    });
    this.checkUnseen();
    this.model.ramBlocks?.remove(this);
    this.releaseRam?.();
    this.clearCoalescing();
    if (this.alias !== null) this.model.changes.aliasEnds(this);
    this.model.ioEventFdCount -= this.eventFds.size;
    this.eventFds = NO_EVENT_FDS;
  }

  // Constructor pairs.

  /** A container: only its subregions respond. */
  init(owner: RegionOwner, name: string | null, size: number): void {
    this.initialize().adopt(owner, name, size);
  }

  static new(owner: RegionOwner, name: string, size: number): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size);
  }

  /** Device registers, handled by callbacks that are passed `opaque`. */
  initIo<T>(owner: RegionOwner, ops: MemoryRegionOps<T>, opaque: T, name: string | null, size: number): void {
    this.initialize().adopt(owner, name, size).answerWith(ops, opaque);
  }

  static newIo<T>(
    owner: RegionOwner,
    ops: MemoryRegionOps<T>,
    opaque: T,
    name: string,
    size: number,
  ): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).answerWith(ops, opaque);
  }

  /**
   * RAM with an identity, which is of its owner: a device, or `noOwner`.
   * @throws QomError when it cannot be allocated, after unparenting the region; QomAbort, as QEMU aborts, when the owner
   *   is any other object, or other RAM has the identity
   */
  initRam(owner: RegionOwner, name: string | null, size: number): void {
    this.initRamNomigrate(owner, name, size);
    this.identify(this.owner);
  }

  static newRam(owner: RegionOwner, name: string, size: number): MemoryRegion {
    const region = MemoryRegion.newRamNomigrate(owner, name, size);
    return region.identify(region.owner);
  }

  /** RAM that the guest cannot write. @throws as `initRam` */
  initRom(owner: RegionOwner, name: string | null, size: number): void {
    this.initRomNomigrate(owner, name, size);
    this.identify(this.owner);
  }

  static newRom(owner: RegionOwner, name: string, size: number): MemoryRegion {
    const region = MemoryRegion.newRomNomigrate(owner, name, size);
    return region.identify(region.owner);
  }

  /** Memory that reads like RAM, while writes go to callbacks, such as flash. @throws as `initRam` */
  initRomDevice<T>(
    owner: RegionOwner,
    ops: MemoryRegionOps<T>,
    opaque: T,
    name: string | null,
    size: number,
  ): void {
    this.initRomDeviceNomigrate(owner, ops, opaque, name, size);
    this.identify(this.owner);
  }

  static newRomDevice<T>(
    owner: RegionOwner,
    ops: MemoryRegionOps<T>,
    opaque: T,
    name: string,
    size: number,
  ): MemoryRegion {
    const region = MemoryRegion.newRomDeviceNomigrate(owner, ops, opaque, name, size);
    return region.identify(region.owner);
  }

  /** RAM without an identity, of any owner; see `registerRamGlobally`. @throws QomError as `initRam` */
  initRamNomigrate(owner: RegionOwner, name: string | null, size: number): void {
    this.initialize().adopt(owner, name, size).backWithRam();
  }

  static newRamNomigrate(owner: RegionOwner, name: string, size: number): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).backWithRam();
  }

  /** As `initRom`, without an identity. @throws QomError as `initRam` */
  initRomNomigrate(owner: RegionOwner, name: string | null, size: number): void {
    this.initialize().adopt(owner, name, size).backWithRam().protect();
  }

  static newRomNomigrate(owner: RegionOwner, name: string, size: number): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).backWithRam().protect();
  }

  /** As `initRomDevice`, without an identity. @throws QomError as `initRam` */
  initRomDeviceNomigrate<T>(
    owner: RegionOwner,
    ops: MemoryRegionOps<T>,
    opaque: T,
    name: string | null,
    size: number,
  ): void {
    this.initialize().adopt(owner, name, size).answerWith(ops, opaque).backWithRam().writeToDevice();
  }

  static newRomDeviceNomigrate<T>(
    owner: RegionOwner,
    ops: MemoryRegionOps<T>,
    opaque: T,
    name: string,
    size: number,
  ): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size)
      .answerWith(ops, opaque)
      .backWithRam()
      .writeToDevice();
  }

  /**
   * Gives RAM that has none yet an identity of the whole machine: its name alone. QEMU: `vmstate_register_ram_global`.
   * @throws QomAbort, as QEMU aborts, for a region without RAM of its own, a second time, or when other RAM has the identity
   */
  registerRamGlobally(): void {
    if (this.ram === null) throw new QomAbort(`${this.describe()} has no RAM that could get an identity`);
    if (this.ram.id !== null)
      throw new QomAbort(`the RAM of ${this.describe()} is called ${this.ram.id} already`);
    this.identify(null);
  }

  /** A window onto `target`, starting at `offset` within it. Takes no reference: the target must outlive the alias. */
  initAlias(
    owner: RegionOwner,
    name: string | null,
    target: MemoryRegion,
    offset: number,
    size: number,
  ): void {
    this.initialize().adopt(owner, name, size).showPartOf(target, offset);
  }

  static newAlias(
    owner: RegionOwner,
    name: string,
    target: MemoryRegion,
    offset: number,
    size: number,
  ): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).showPartOf(target, offset);
  }

  /** RAM backed by the caller's `bytes`, which give its size and stay the caller's. */
  initRamPtr(owner: RegionOwner, name: string | null, bytes: Uint8Array): void {
    this.initialize().adopt(owner, name, bytes.byteLength).backWith(bytes);
  }

  static newRamPtr(owner: RegionOwner, name: string, bytes: Uint8Array): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, bytes.byteLength).backWith(bytes);
  }

  /**
   * RAM with the bytes of a file of the host. @throws QomError as `initRam`; the host's error, which names the file
   */
  initRamFromFile(
    owner: RegionOwner,
    name: string | null,
    size: number,
    path: string,
    options: RamFileOptions = {},
  ): void {
    this.initialize().adopt(owner, name, size).backWithFile(path, options);
  }

  static newRamFromFile(
    owner: RegionOwner,
    name: string,
    size: number,
    path: string,
    options: RamFileOptions = {},
  ): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).backWithFile(path, options);
  }

  /**
   * RAM that can be resized at run time up to `most` bytes, such as firmware tables. @throws QomError as `initRam`
   * @param onResized called with the new size after each resize
   */
  initResizeableRam(
    owner: RegionOwner,
    name: string | null,
    size: number,
    most: number,
    onResized: (size: number) => void = () => {},
  ): void {
    this.initialize().adopt(owner, name, size).backWithRam(most).resizeWith(onResized);
  }

  static newResizeableRam(
    owner: RegionOwner,
    name: string,
    size: number,
    most: number,
    onResized: (size: number) => void = () => {},
  ): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, size).backWithRam(most).resizeWith(onResized);
  }

  /**
   * The caller's `bytes`, which are registers of a device of the host: every access is a load or store of its own size,
   * and nobody gets direct access.
   */
  initRamDevicePtr(owner: RegionOwner, name: string | null, bytes: Uint8Array): void {
    this.initialize().adopt(owner, name, bytes.byteLength).backWith(bytes).passThrough();
  }

  static newRamDevicePtr(owner: RegionOwner, name: string, bytes: Uint8Array): MemoryRegion {
    return MemoryRegion.createIn(MemoryRegion, owner, name, bytes.byteLength).backWith(bytes).passThrough();
  }

  // References, counted on the owner or, in some policies, on the region.

  /** Takes a reference to the owner; does nothing if there is none. */
  takeRef(): void {
    this.countedOn()?.ref();
  }

  dropRef(): void {
    this.countedOn()?.unref();
  }

  /**
   * Takes it out of a container of its own owner and unparents it, as policies that break circles of references do when
   * the owner is unrealized.
   */
  leaveOwner(): void {
    const { owner, container } = this;
    owner?.ref(); // the region may be the last to hold it
    if (container !== null && container.owner === owner) container.delSubregion(this);
    this.unparent();
    owner?.unref();
  }

  /**
   * What references are counted on. Finalization leaves the owner of a container or an alias as it is, so a view that
   * still has one as its root may read it while the storage stands: in C nothing is wrong with that.
   */
  private countedOn(): QomObject | null {
    const { detector, references } = this.model;
    if (references.countsOn === "region") return this;
    if (detector === null || !detector.stands(this) || detector.peek(this, "terminates") === true)
      return this.owner;
    detector.reportHarmless(this, "field owner");
    return detector.peek(this, "owner") as QomObject | null; // the value of that field
  }

  // Position.

  /**
   * The part of the first range that is visible at `size` bytes from `offset` of this region on, wherever that is in the
   * address space that shows it; undefined if there is none. Holds a reference on that range's owner until it is released.
   * Source: QEMU 10.2.2, system/memory.c (memory_region_find).
   */
  find(offset: number, size: number): FoundRange | undefined {
    let root: MemoryRegion = this;
    let address = checkAddress(offset, `offset in ${this.describe()}`) + this.address;
    for (; root.container !== null; address += root.address) root = root.container;
    const view = this.model.addressSpaces.find((space) => space.root === root)?.view;
    const [range] = view?.within(address, address + size) ?? [];
    return range === undefined ? undefined : new FoundRange(range, address, address + size);
  }

  /** Whether it is in a container, directly or through an alias. */
  get mapped(): boolean {
    return this.container !== null || this.mappedViaAlias > 0;
  }

  /**
   * Adds `subregion` at `offset`. Of overlapping regions, the one with the highest priority wins; among equals, the
   * most recently added.
   * @throws QomAbort when it is already in a container.
   */
  addSubregion(offset: number, subregion: MemoryRegion, priority = 0): void {
    if (subregion.container !== null) throw new QomAbort(`${subregion.describe()} is already in a container`);
    subregion.reportIfUninitialised(`a subregion of ${this.describe()}`);
    checkAddress(offset, `offset of ${subregion.describe()}`);
    subregion.container = this;
    subregion.address = offset;
    subregion.priority = priority;
    for (let target = subregion.alias; target !== null; target = target.alias) target.mappedViaAlias++;
    this.model.transaction(() => {
      if (!this.model.exempt(this, subregion)) subregion.takeRef();
      this.enter(subregion);
      this.model.changes.note(this, offset, offset + subregion.size);
      this.model.updatePending ||= this.enabled && subregion.enabled;
    });
  }

  /** @throws QomAbort when `subregion` is not in this container. */
  delSubregion(subregion: MemoryRegion): void {
    this.model.transaction(() => {
      if (subregion.container !== this)
        throw new QomAbort(`${subregion.describe()} is not in ${this.describe()}`);
      subregion.container = null;
      for (let target = subregion.alias; target !== null; target = target.alias) target.mappedViaAlias--;
      const { inside } = this;
      if (inside instanceof ManySubregions) inside.delete(subregion);
      else inside.splice(inside.indexOf(subregion), 1);
      this.model.changes.note(this, subregion.address, subregion.address + subregion.size);
      if (this.model.references.countsOn === "region") {
        this.model.updatePending ||= this.enabled && subregion.enabled;
        subregion.dropRef(); // may be the last
        return;
      }
      if (!this.model.exempt(this, subregion)) subregion.dropRef();
      this.model.updatePending ||= this.enabled && subregion.enabled;
    });
  }

  private enter(subregion: MemoryRegion): void {
    const { inside } = this;
    if (inside instanceof ManySubregions) {
      inside.add(subregion);
      return;
    }
    const before = inside.findIndex((other) => other.priority <= subregion.priority);
    if (before === -1) inside.push(subregion);
    else inside.splice(before, 0, subregion);
    if (inside.length > MANY_SUBREGIONS) this.inside = new ManySubregions(inside);
  }

  /** Highest priority first; among equals, the most recently added first. */
  get subregions(): readonly MemoryRegion[] {
    const { inside } = this;
    return inside instanceof ManySubregions ? inside.list : inside;
  }

  /** As `subregions`, for whoever needs only the first. */
  subregionsInOrder(): Iterable<MemoryRegion> {
    return this.inside;
  }

  /** Those that may reach into a part of the region, in the order of `subregions`. */
  subregionsWithin(low: number, high: number): readonly MemoryRegion[] {
    const { inside } = this;
    return inside instanceof ManySubregions ? inside.within(low, high) : inside;
  }

  /** Whether looking at all subregions takes long. */
  get manySubregions(): boolean {
    return this.inside instanceof ManySubregions;
  }

  /** Moves it within its container; it then wins over regions of equal priority. */
  setAddress(address: number): void {
    if (checkAddress(address, `address of ${this.describe()}`) === this.address) return;
    const container = this.container;
    if (container === null) {
      this.address = address;
      return;
    }
    this.model.transaction(() => {
      this.takeRef();
      container.delSubregion(this);
      container.addSubregion(address, this, this.priority);
      this.dropRef();
    });
  }

  setEnabled(enabled: boolean): void {
    this.setFlag("enabled", enabled);
  }

  /**
   * Gives resizeable RAM another size; bytes that it gains are as they were when it lost them, at first zero.
   * @throws QomAbort for other regions; QomError for more bytes than it may have
   */
  resizeRam(size: number): void {
    if (this.onResized === null || this.ram === null)
      throw new QomAbort(`${this.describe()} cannot be resized`);
    const most = this.ram.bytes.length;
    if (size > most) throw new QomError(`${this.describe()} may have ${most} bytes at most, not ${size}`);
    if (size === this.size) return;
    this.setSize(size);
    this.onResized(size);
  }

  /** @throws QomAbort if the region's RAM has fewer bytes. */
  setSize(size: number): void {
    if (checkSize(size, `size of ${this.describe()}`) === this.size) return;
    if (this.ram !== null && size > this.ram.bytes.length)
      throw new QomAbort(`${this.describe()} has ${this.ram.bytes.length} bytes of RAM, not ${size}`);
    const most = Math.max(size, this.size);
    this.change(() => {
      this.size = size;
      const around = this.container?.inside;
      if (around instanceof ManySubregions) around.resize(this);
    }, most);
  }

  /** @throws QomAbort for a region that is not an alias. */
  setAliasOffset(offset: number): void {
    if (this.alias === null) throw new QomAbort(`${this.describe()} is not an alias`);
    if (checkAddress(offset, `alias offset of ${this.describe()}`) === this.aliasOffset) return;
    this.change(() => {
      this.aliasOffset = offset;
    });
  }

  setReadOnly(readOnly: boolean): void {
    this.setFlag("readOnly", readOnly);
  }

  /** Switches a ROM device between reading like memory (true) and reading through its callbacks. */
  setRomdMode(romdMode: boolean): void {
    this.setFlag("romdMode", romdMode);
  }

  setNonvolatile(nonvolatile: boolean): void {
    this.setFlag("nonvolatile", nonvolatile);
  }

  setUnmergeable(unmergeable: boolean): void {
    this.setFlag("unmergeable", unmergeable);
  }

  /** Exempts the region from its device's re-entrancy guard. */
  disableReentrancyGuard(): void {
    this.guard = null;
    this.model.refreshSections(this);
  }

  // Event notification.

  /** By offset, size and value. */
  get ioEventFds(): readonly IoEventFd[] {
    return this.eventFds.size === 0 ? [] : [...this.eventFds];
  }

  get hasIoEventFds(): boolean {
    return this.eventFds.size > 0;
  }

  /** The notifiers from an offset on, in order. */
  ioEventFdsFrom(offset: number): IterableIterator<IoEventFd> {
    return this.eventFds.from((fd) => fd.offset < offset);
  }

  /** A matching guest write goes to `fd` instead of the callbacks. */
  addIoEventFd(fd: IoEventFd): void {
    this.model.ioEventFdTransaction(() => {
      this.eventFds = this.eventFds.replace(
        (other) => compareIoEventFds(other, fd) <= 0,
        (other) => compareIoEventFds(other, fd) > 0,
        [fd],
      );
      this.model.ioEventFdCount++;
      this.model.changes.noteIoEventFd(this, fd.offset);
      if (this.eventFds.size === 1) this.countPlain();
    });
  }

  /** Removes the notifier that is equal to `fd`. @throws QomAbort when there is none. */
  delIoEventFd(fd: IoEventFd): void {
    const alike: IoEventFd[] = [];
    for (const each of this.eventFds.from((other) => compareIoEventFds(other, fd) < 0)) {
      if (compareIoEventFds(each, fd) > 0) break;
      alike.push(each);
    }
    const place = alike.findIndex(({ notify }) => notify === fd.notify);
    if (place === -1) throw new QomAbort(`${this.describe()} has no such event notifier to remove`);
    this.model.ioEventFdTransaction(() => {
      this.eventFds = this.eventFds.replace(
        (other) => compareIoEventFds(other, fd) < 0,
        (other) => compareIoEventFds(other, fd) > 0,
        alike.toSpliced(place, 1),
      );
      this.model.ioEventFdCount--;
      this.model.changes.noteIoEventFd(this, fd.offset);
      if (this.eventFds.size === 0) this.countPlain();
    });
  }

  /**
   * Lets the host batch guest writes to a subrange. It delivers them when a transaction begins, before any access to this
   * region, and before the batching ends. Source: QEMU 10.2.2, system/memory.c, system/physmem.c (prepare_mmio_access).
   */
  addCoalescing(offset: number, size: number): void {
    const part = { offset, size };
    this.coalesced = [...this.coalesced, part];
    for (const space of this.model.addressSpaces) space.observers.updateCoalesced(this, part, "coalescedAdd");
    this.setFlushCoalesced();
  }

  clearCoalescing(): void {
    if (this.coalesced.length === 0) return;
    this.model.flushCoalesced();
    this.setFlushing(false);
    for (const part of this.coalesced) {
      for (const space of this.model.addressSpaces)
        space.observers.updateCoalesced(this, part, "coalescedDel");
    }
    this.coalesced = [];
  }

  /** Has batched writes, which may be to other regions, delivered before any access to this one. */
  setFlushCoalesced(): void {
    this.setFlushing(true);
  }

  /** Ends that, after a last delivery, unless writes to this region itself are batched. */
  clearFlushCoalesced(): void {
    this.model.flushCoalesced();
    if (this.coalesced.length === 0) this.setFlushing(false);
  }

  private setFlushing(flushes: boolean): void {
    if (flushes === this.flushesCoalesced) return;
    this.flushesCoalesced = flushes;
    this.countPlain();
  }

  /** Finds out which accesses are plain calls now, and makes them see it. */
  private countPlain(): void {
    const none = this.flushesCoalesced || this.ramDevice;
    this.plainReads = none || this.romDevice ? 0 : plainSizes(this.ops, "read");
    this.plainWrites = none || this.eventFds.size > 0 ? 0 : plainSizes(this.ops, "write");
    this.model.refreshSections(this);
  }

  /**
   * Writes a part of RAM that shares a file to that file, as at the end of the region. @throws the host's error, which
   * names the file; QomAbort when no file gets what is written
   */
  writeBack(offset = 0, length = this.size): void {
    if (this.ramFile === null || this.ram === null)
      throw new QomAbort(`${this.describe()} does not share a file`);
    this.ramFile.store(this.ram.bytes, offset, length);
  }

  // Dirty logging.

  /**
   * Begins or ends the logging of writes to its RAM: through address spaces, mappings, and a processor's own stores, which
   * take the slow path meanwhile. All pages are clean at first.
   * @throws QomAbort for a region without RAM
   */
  setLog(on: boolean): void {
    if (this.ram === null) throw new QomAbort(`${this.describe()} has no RAM whose writes could be logged`);
    if (on === (this.dirtyLog !== null)) return;
    this.change(() => {
      this.dirtyLog = on ? new DirtyLog() : null;
    });
  }

  /**
   * Offsets of the pages written since the last call for them, ascending, and clears them.
   * @throws QomAbort unless writes are logged
   */
  takeDirty(offset: number, length: number): number[] {
    if (this.dirtyLog === null) throw new QomAbort(`writes to ${this.describe()} are not logged`);
    return this.dirtyLog.take(offset, length);
  }

  // Properties that accesses depend on.

  /** Whether it is RAM or ROM: accesses reach only its bytes, and write protection applies. */
  get isMemory(): boolean {
    return this.ram !== null && !this.romDevice;
  }

  /** Whether reads are loads from `ram`. */
  get readsDirectly(): boolean {
    return this.ram !== null && !this.ramDevice && (!this.romDevice || this.romdMode);
  }

  /** Whether writes are stores to `ram`. */
  get writesDirectly(): boolean {
    return this.isMemory && !this.readOnly && !this.ramDevice;
  }

  /**
   * The guard that holds for accesses to callbacks: none for memory, nor for a region that is read-only.
   * Source: QEMU 10.2.2, system/memory.c (access_with_adjusted_size).
   */
  get activeGuard(): MemReentrancyGuard | null {
    return this.readOnly ? null : this.guard;
  }

  /** The bytes of a RAM, ROM or ROM device region, following aliases. @throws QomAbort for a region without RAM. */
  ramBytes(): Uint8Array {
    let region: MemoryRegion = this;
    let offset = 0;
    while (region.alias !== null) {
      offset += region.aliasOffset;
      region = region.alias;
    }
    if (region.ram === null) throw new QomAbort(`${this.describe()} has no RAM`);
    return region.ram.bytes.subarray(offset);
  }

  // Construction.

  /**
   * Allocates a region that `owner` owns. As QEMU's proposed constructors, it insists on a name: the child property is
   * all that holds the region.
   */
  protected static createIn<R extends MemoryRegion>(
    type: QomType<R>,
    owner: RegionOwner,
    name: string,
    size: number,
  ): R {
    if (typeof name !== "string")
      throw new QomAbort("a region that QOM owns needs a name: nothing else holds it");
    return owner.model.create(type).adopt(owner, name, size);
  }

  protected initialize(): this {
    this.model.initialize(this);
    return this;
  }

  /** Set-up common to all kinds: size, name, owner, and place in the composition tree. */
  protected adopt(owner: RegionOwner, name: string | null, size: number): this {
    this.size = checkSize(size, `size of region ${name ?? "without name"}`);
    this.name = name;
    this.owner = owner instanceof QomObject ? owner : null;
    if (this.model.references.regionHoldsOwner) this.owner?.ref();
    if (name !== null) {
      const parent = this.owner ?? this.model.unattached;
      parent.addChild(`${escapeName(name)}[*]`, this);
      this.unref(); // the property holds the one reference from now on
    }
    return this;
  }

  private answerWith<T>(ops: MemoryRegionOps<T>, opaque: T): this {
    this.ops = ops as MemoryRegionOps<never>; // only these ops are passed `opaque`
    this.opaque = opaque;
    this.readCallback = (this.ops.read as ReadCallback | undefined) ?? unassignedRead; // as above
    this.writeCallback = (this.ops.write as WriteCallback | undefined) ?? unassignedWrite;
    this.plainReads = plainSizes(this.ops, "read");
    this.plainWrites = plainSizes(this.ops, "write");
    this.guard = guardOf(this.owner);
    this.terminates = true;
    return this;
  }

  /** @param most bytes to allocate, of which the region's size may use a part */
  private backWithRam(most = this.size): this {
    const bytes = this.allocateRam(() => {
      if (most < this.size)
        throw new QomError(`region ${this.name} has ${this.size} bytes, but may have ${most} at most`);
      return most;
    });
    this.releaseWith(bytes, null);
    return this.backWith(bytes);
  }

  private backWithFile(path: string, options: RamFileOptions): this {
    const { model, name, size } = this;
    let file: RamFile | null = null;
    let bytes: Uint8Array;
    try {
      if (model.openRamFile === null)
        throw new QomError(
          `RAM ${name} cannot be that of file ${path}: the machine has no way to open files; give it openRamFile`,
        );
      file = model.openRamFile(path, size, options);
      bytes = this.allocateRam(() => size);
      file.load(bytes);
    } catch (reason) {
      file?.close();
      this.fail();
      throw reason;
    }
    const opened = file;
    const kept = options.share === true && options.readOnly !== true;
    if (kept) this.ramFile = opened;
    this.readOnly = options.readOnly === true;
    this.releaseWith(bytes, () => {
      try {
        if (kept) opened.store(bytes, 0, size);
      } finally {
        opened.close();
      }
    });
    return this.backWith(bytes);
  }

  /**
   * Gives RAM an identity, if RAM of the machine has one.
   * @param device whose it is; null for the machine
   */
  private identify(device: QomObject | null): this {
    if (this.name !== null) this.model.ramBlocks?.add(this, device);
    return this;
  }

  /** @param most says how many bytes */
  private allocateRam(most: () => number): Uint8Array {
    try {
      return this.model.reclaimedRam.allocate(most());
    } catch (reason) {
      const { name } = this;
      this.fail();
      throw reason instanceof QomError
        ? reason
        : new QomError(`cannot allocate RAM for ${name}`, { cause: reason });
    }
  }

  /** Undoes a set-up that failed: the end of an owned region. */
  private fail(): void {
    this.size = 0;
    this.unparent();
  }

  /**
   * Gives `bytes` back, after `save`, a grace period after the end.
   * @param save must not refer to the region, whose storage would be held until then
   */
  private releaseWith(bytes: Uint8Array, save: (() => void) | null): void {
    const { model, name } = this;
    const node = new RcuNode();
    this.releaseRam = () =>
      model.rcu.call(node, () => {
        try {
          save?.();
        } finally {
          model.reclaimedRam.release(bytes, name ?? "without name");
        }
      });
  }

  private backWith(bytes: Uint8Array): this {
    this.ram = new RamBlock(bytes);
    this.terminates = true;
    return this;
  }

  private resizeWith(onResized: (size: number) => void): this {
    this.onResized = onResized;
    return this;
  }

  private passThrough(): this {
    const bytes = this.ramBytes();
    this.answerWith(hostRegisters, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.guard = null; // memory has none
    this.plainReads = 0; // as 8 bytes are one load, too
    this.plainWrites = 0;
    this.ramDevice = true;
    return this;
  }

  private protect(): this {
    this.readOnly = true;
    return this;
  }

  /** Makes RAM a ROM device: reads may bypass the callbacks, so plain reads and the guard do not apply. */
  private writeToDevice(): this {
    this.romDevice = true;
    this.guard = null;
    this.plainReads = 0;
    return this;
  }

  private showPartOf(target: MemoryRegion, offset: number): this {
    target.reportIfUninitialised(`the target of alias ${this.name}`);
    this.alias = target;
    this.model.changes.aliasBegins(this, target);
    this.aliasOffset = checkAddress(offset, `alias offset of ${this.name}`);
    return this;
  }

  /** In C a region in zeroed storage is accepted, and responds to nothing. */
  private reportIfUninitialised(use: string): void {
    if (this.state !== ObjectState.Uninitialised) return;
    this.model.detector?.record(
      new UseBeforeInit(
        `a memory-region that was never initialised becomes ${use}; initialise it first`,
        MemoryRegion.typeName,
        use,
        this,
      ),
    );
  }

  /** In checked mode, reports a region that ends while the current view of an address space shows it. */
  private checkUnseen(): void {
    const { detector } = this.model;
    if (detector === null) return;
    for (const { name, view } of this.model.addressSpaces) {
      if (!view.ranges.some(({ region }) => region === this)) continue;
      detector.record(
        new FinalizedInView(
          `${this.describe()} was finalized while the view of ${name} shows it; remove it and its aliases from the map first`,
          MemoryRegion.typeName,
          `view of ${name}`,
          this,
        ),
      );
    }
  }

  private setFlag(flag: Flag, on: boolean): void {
    if (on === this[flag]) return;
    this.change(() => {
      this[flag] = on;
    });
  }

  /** @param size greatest of the sizes before and after */
  private change(apply: () => void, size = this.size): void {
    this.model.transaction(() => {
      apply();
      this.model.changes.note(this, 0, size);
      this.model.updatePending = true;
    });
  }
}

/** Regions name their child properties; characters with a meaning in paths are escaped. */
function escapeName(name: string): string {
  return name.replace(/[/[\\\]]/g, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function guardOf(owner: QomObject | null): MemReentrancyGuard | null {
  return (owner as Partial<GuardedOwner> | null)?.memReentrancyGuard ?? null; // owners that are not devices have none
}
