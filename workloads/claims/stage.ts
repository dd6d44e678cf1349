/** A machine of one combination, without a processor, and the devices that scenarios put into it. */
import {
  AddressSpace,
  type FlatView,
  MemoryRegion,
  type MemoryRegionOps,
  type ReferencePolicy,
  WHOLE_ADDRESS_SPACE,
} from "#memory";
import { Device, DeviceModel } from "#qdev";
import type { Block, QomObject } from "#qom";
import { isHeldByTree } from "../lifecycle/composition.ts";
import type { Combination, Storage } from "./claim.ts";

/** Bytes of every register window. */
export const WINDOW_BYTES = 0x1000;
/** Where windows are mapped. */
export const MAPPED_AT = 0x1000_0000;
/** Offset of a leaf in its container; not 0, so that views are rendered from the container, not from just the leaf. */
export const LEAF_OFFSET = WINDOW_BYTES;
const CONTAINER_BYTES = 4 * WINDOW_BYTES;
/** Regions that a device has room for. */
const SLOTS = 3;
/** Value of every register. */
export const ANSWER = 0x5a;

/** A read touches the device, as that of a real one does. */
const ops: MemoryRegionOps<Subject> = {
  read: (subject) => subject.register,
  write: () => {},
  endianness: "little",
};

/** What a subject does at each point of its life, besides what every device does. */
export interface Habits {
  readonly atRealize?: (subject: Subject) => void;
  readonly atUnrealize?: (subject: Subject) => void;
  readonly atFinalize?: (subject: Subject) => void;
}

/** A device that keeps its regions as the combination says. */
export abstract class Subject extends Device {
  static override readonly typeName: string = "subject";
  /** Register that reads return. */
  register = ANSWER;
  habits: Habits = {};
  /** The regions in its state, in order: themselves, or pointers to them. */
  readonly regions: MemoryRegion[] = [];
  /** An address space, or a mapping of guest memory, that the device holds. */
  busMaster: AddressSpace | null = null;
  lent: ReturnType<AddressSpace["map"]> = null;

  protected override realize(): void {
    this.habits.atRealize?.(this);
  }

  protected override unrealize(): void {
    this.habits.atUnrealize?.(this);
  }

  protected override instanceFinalize(): void {
    this.habits.atFinalize?.(this);
  }

  /** Region number `index` of the state, made by `make`. */
  protected abstract keep(
    index: number,
    init: (region: MemoryRegion) => void,
    make: () => MemoryRegion,
  ): MemoryRegion;

  window(index = 0): MemoryRegion {
    return this.keep(
      index,
      (region) => region.initIo(this, ops, this, "window", WINDOW_BYTES),
      () => MemoryRegion.newIo(this, ops, this, "window", WINDOW_BYTES),
    );
  }

  ramWindow(index = 0): MemoryRegion {
    return this.keep(
      index,
      (region) => region.initRam(this, "ram", WINDOW_BYTES),
      () => MemoryRegion.newRam(this, "ram", WINDOW_BYTES),
    );
  }

  container(index = 0): MemoryRegion {
    return this.keep(
      index,
      (region) => region.init(this, "container", CONTAINER_BYTES),
      () => MemoryRegion.new(this, "container", CONTAINER_BYTES),
    );
  }

  alias(index: number, target: MemoryRegion): MemoryRegion {
    return this.keep(
      index,
      (region) => region.initAlias(this, "alias", target, 0, WINDOW_BYTES),
      () => MemoryRegion.newAlias(this, "alias", target, 0, WINDOW_BYTES),
    );
  }

  /** A container as region 0, and `leaf` in it as region 1. */
  nest(leaf: (index: number) => MemoryRegion = (index) => this.window(index)): MemoryRegion {
    const container = this.container(0);
    container.addSubregion(LEAF_OFFSET, leaf(1));
    return container;
  }

  /** Region `index` of the state. @throws RangeError when there is none */
  region(index: number): MemoryRegion {
    const region = this.regions[index];
    if (region === undefined) throw new RangeError(`the subject has no region ${index}`);
    return region;
  }
}

class EmbeddedSubject extends Subject {
  static override readonly typeName = "embedded-subject";
  private readonly slots = this.embedArray(MemoryRegion, SLOTS);

  protected override keep(index: number, init: (region: MemoryRegion) => void): MemoryRegion {
    const region = this.slots[index];
    if (region === undefined) throw new RangeError(`the subject has room for ${SLOTS} regions`);
    init(region);
    this.regions[index] = region;
    return region;
  }
}

class OwnedSubject extends Subject {
  static override readonly typeName = "owned-subject";

  protected override keep(index: number, _: unknown, make: () => MemoryRegion): MemoryRegion {
    const region = make();
    this.regions[index] = region;
    return region;
  }
}

class HeapSubject extends Subject {
  static override readonly typeName = "heap-subject";

  protected override keep(index: number, init: (region: MemoryRegion) => void): MemoryRegion {
    const region = this.model.allocate(MemoryRegion);
    init(region);
    this.regions[index] = region;
    return region;
  }
}

const subjectTypes = { embedded: EmbeddedSubject, owned: OwnedSubject, heap: HeapSubject } as const;

/** Notes in which order objects end and storage is freed. */
class WatchedModel extends DeviceModel {
  readonly events: string[] = [];
  private readonly named = new Map<object, string>();

  name(object: object, name: string): void {
    this.named.set(object, name);
  }

  override finalize(object: QomObject): void {
    this.note(object, "ends");
    super.finalize(object);
  }

  override freeBlockOf(object: QomObject): void {
    super.freeBlockOf(object);
    this.note(object, "is freed");
  }

  private note(object: object, event: string): void {
    const name = this.named?.get(object); // the first objects are created before this class's fields exist
    if (name !== undefined) this.events.push(`${name} ${event}`);
  }
}

/** The machine, and its view from outside. */
export class Stage {
  readonly storage: Storage;
  readonly policy: ReferencePolicy;
  readonly model: WatchedModel;
  /** The guest's memory: covers all addresses, initially empty. */
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  private readonly initial: ReadonlySet<Block>;
  private readonly blocks = new Map<Subject, Block>();

  /** @param releaseOrder seed of the order in which properties are released; default: that of their addition */
  constructor({ storage, policy }: Combination, releaseOrder?: number) {
    this.storage = storage;
    this.policy = policy;
    this.model = new WatchedModel({
      checked: "count",
      references: policy,
      ...(releaseOrder === undefined ? {} : { releaseOrder }),
    });
    this.root = MemoryRegion.new(this.model.noOwner, "system", WHOLE_ADDRESS_SPACE);
    this.model.systemMemory = this.root;
    this.space = new AddressSpace(this.model, this.root, "memory");
    this.initial = new Set(this.model.heap.live());
  }

  /** A device, not yet realized; `build` does what its instance_init would. */
  create(build: (subject: Subject) => void = () => {}, habits: Habits = {}): Subject {
    const subject = this.model.create<Subject>(subjectTypes[this.storage]);
    subject.habits = habits;
    this.blocks.set(subject, subject.block);
    this.model.name(subject, "device");
    build(subject);
    for (const [index, region] of subject.regions.entries()) this.model.name(region, `region ${index}`);
    return subject;
  }

  /** A realized device. */
  device(build?: (subject: Subject) => void, habits?: Habits): Subject {
    const subject = this.create(build, habits);
    subject.plug();
    return subject;
  }

  /** Maps a region into guest memory. */
  map(region: MemoryRegion): void {
    this.root.addSubregion(MAPPED_AT, region);
  }

  unmap(region: MemoryRegion): void {
    this.root.delSubregion(region);
  }

  /** Ends the grace period and runs everything that was deferred. */
  settle(): void {
    this.model.rcu.drain();
  }

  /** The guest changes its map elsewhere, so that every view is rendered again. */
  changeMap(): void {
    const bystander = MemoryRegion.newRam(this.model.noOwner, "bystander", WINDOW_BYTES);
    this.root.addSubregion(0, bystander);
    this.root.delSubregion(bystander);
    this.settle();
    bystander.unparent();
    this.settle();
  }

  /** What a reader that entered before the map changed finds at `address`: reads through the old view. */
  readThrough(view: FlatView, address: number): number {
    const region = view.find(address)?.region;
    if (region === undefined) throw new RangeError("nothing is mapped there");
    if (region.ram !== null) return region.ram.bytes[0] ?? 0;
    return region.readCallback(region.opaque, 0, 4);
  }

  /** Whether a device's storage is gone. */
  isFreed(subject: Subject): boolean {
    return this.blocks.get(subject)?.freed === true;
  }

  /** Blocks that were allocated since the start, are not freed, and hold nothing that is in the composition tree. */
  leaked(): Block[] {
    return [...this.model.heap.live()].filter(
      (block) =>
        !this.initial.has(block) && block.typeName !== "flat-view" && !isHeldByTree(this.model, block),
    );
  }
}
