/**
 * The smallest devices in which the form of the regions makes a difference to their lives. Each exists as two classes that
 * differ as the two device trees do, and in nothing else.
 */
import type { RegionForm } from "#machine";
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { Device, type DeviceModel } from "#qdev";

/** Bytes of a register window. */
export const WINDOW_BYTES = 0x1000;
/** What each window answers to every read. */
export const ANSWER = 0x5a;
/** Modelled bytes of a specimen as a C structure, less the regions that it embeds. */
export const SPECIMEN_BYTES = 160;
/** Modelled bytes of a region: `sizeof(MemoryRegion)` on 64-bit hosts. */
export const REGION_BYTES = 272;

const ops: MemoryRegionOps<unknown> = { read: () => ANSWER, write: () => {}, endianness: "little" };

/** A device with one register window, made when it is realized. */
export abstract class Plain extends Device {
  static override readonly instanceSize: number = SPECIMEN_BYTES;
  abstract readonly window: MemoryRegion;
}

class EmbeddedPlain extends Plain {
  static override readonly typeName: string = "embedded-plain";

  private readonly iomem = this.embed(MemoryRegion);

  get window(): MemoryRegion {
    return this.iomem;
  }

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "window", WINDOW_BYTES);
  }
}

class OwnedPlain extends Plain {
  static override readonly typeName: string = "owned-plain";

  private iomem!: MemoryRegion; // assigned when the device is realized, before it is asked for

  get window(): MemoryRegion {
    return this.iomem;
  }

  protected override realize(): void {
    this.iomem = MemoryRegion.newIo(this, ops, this, "window", WINDOW_BYTES);
  }
}

/** A plain device whose finalizer tidies up after a region that has already ended. */
class EmbeddedTidy extends EmbeddedPlain {
  static override readonly typeName = "embedded-tidy";

  protected override instanceFinalize(): void {
    tidyUp(this.window);
  }
}

class OwnedTidy extends OwnedPlain {
  static override readonly typeName = "owned-tidy";

  protected override instanceFinalize(): void {
    tidyUp(this.window);
  }
}

function tidyUp(window: MemoryRegion): void {
  if (window.size > 0) window.unparent();
}

/** A device with a container of its own, made with the device, that holds a leaf which may come and go at run time. */
export abstract class Nested extends Device {
  static override readonly instanceSize: number = SPECIMEN_BYTES;
  abstract readonly container: MemoryRegion;
  abstract readonly leaf: MemoryRegion;

  /** Makes the leaf and puts it into the container. */
  abstract makeLeaf(): void;

  /** Takes the leaf out of the container and ends it, while the device lives on. */
  endLeaf(): void {
    this.container.delSubregion(this.leaf);
    this.leaf.unparent();
  }

  protected place(leaf: MemoryRegion): void {
    this.container.addSubregion(LEAF_OFFSET, leaf);
  }
}

/** Where the leaf is in its container; not 0, so that views are made of the container and not of the leaf alone. */
export const LEAF_OFFSET = WINDOW_BYTES;
const CONTAINER_BYTES = 4 * WINDOW_BYTES;

class EmbeddedNested extends Nested {
  static override readonly typeName = "embedded-nested";

  readonly container = this.embed(MemoryRegion);
  readonly leaf = this.embed(MemoryRegion);

  protected override instanceInit(): void {
    this.container.init(this, "container", CONTAINER_BYTES);
    this.makeLeaf();
  }

  override makeLeaf(): void {
    this.leaf.initIo(this, ops, this, "leaf", WINDOW_BYTES);
    this.place(this.leaf);
  }
}

class OwnedNested extends Nested {
  static override readonly typeName = "owned-nested";

  container!: MemoryRegion; // both are assigned by the initialiser, before anything else runs
  leaf!: MemoryRegion;

  protected override instanceInit(): void {
    this.container = MemoryRegion.new(this, "container", CONTAINER_BYTES);
    this.makeLeaf();
  }

  override makeLeaf(): void {
    this.leaf = MemoryRegion.newIo(this, ops, this, "leaf", WINDOW_BYTES);
    this.place(this.leaf);
  }
}

/** Windows of a {@link Counted} device. */
export const COUNTED_WINDOWS = 3;

/**
 * A device that learns only at realize how many windows it has, so that none can be a field of its state: for `init` it must
 * allocate them by hand, for `new` it need not.
 */
abstract class Counted extends Device {
  static override readonly instanceSize: number = SPECIMEN_BYTES;
  readonly count = COUNTED_WINDOWS;
}

class EmbeddedCounted extends Counted {
  static override readonly typeName = "embedded-counted";

  protected override realize(): void {
    for (let i = 0; i < this.count; i++)
      this.model.allocate(MemoryRegion).initIo(this, ops, this, "window", WINDOW_BYTES);
  }
}

class OwnedCounted extends Counted {
  static override readonly typeName = "owned-counted";

  protected override realize(): void {
    for (let i = 0; i < this.count; i++) MemoryRegion.newIo(this, ops, this, "window", WINDOW_BYTES);
  }
}

/** Makes devices of one form in one machine. */
export class Specimens {
  private readonly model: DeviceModel;
  private readonly form: RegionForm;

  constructor(model: DeviceModel, form: RegionForm) {
    this.model = model;
    this.form = form;
  }

  /** A realized device with one window, not yet mapped. */
  plain(): Plain {
    return plugged(this.model.create<Plain>(this.form === "embedded" ? EmbeddedPlain : OwnedPlain));
  }

  /** As {@link plain}, whose finalizer touches its region. */
  tidy(): Plain {
    return plugged(this.model.create<Plain>(this.form === "embedded" ? EmbeddedTidy : OwnedTidy));
  }

  /** A realized device with a container that holds a leaf, not yet mapped. */
  nested(): Nested {
    return plugged(this.model.create<Nested>(this.form === "embedded" ? EmbeddedNested : OwnedNested));
  }

  /** A realized device with {@link COUNTED_WINDOWS} windows. */
  counted(): Device {
    return plugged(this.model.create<Counted>(this.form === "embedded" ? EmbeddedCounted : OwnedCounted));
  }
}

function plugged<T extends Device>(device: T): T {
  device.plug();
  return device;
}
