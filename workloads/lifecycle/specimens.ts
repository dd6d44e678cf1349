/**
 * Minimal devices whose lifecycle depends on the form of their regions. Each exists as two classes that differ only as
 * the two device trees do.
 */
import type { RegionForm } from "#machine";
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { Device, type DeviceModel } from "#qdev";

/** Bytes of a register window. */
export const WINDOW_BYTES = 0x1000;
/** Value that every read of a window returns. */
export const ANSWER = 0x5a;
/** Modelled bytes of a specimen as a C structure, without embedded regions. */
export const SPECIMEN_BYTES = 160;
/** Modelled bytes of a region: `sizeof(MemoryRegion)` on 64-bit hosts. */
export const REGION_BYTES = 272;

const ops: MemoryRegionOps<unknown> = { read: () => ANSWER, write: () => {}, endianness: "little" };

/** A device with one register window, created when it is realized. */
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

  private iomem!: MemoryRegion; // assigned when the device is realized, before its first use

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

/** A device with a container, created with it, and a leaf in that which can be removed and recreated at run time. */
export abstract class Nested extends Device {
  static override readonly instanceSize: number = SPECIMEN_BYTES;
  abstract readonly container: MemoryRegion;
  abstract readonly leaf: MemoryRegion;

  /** Creates the leaf and adds it to the container. */
  abstract makeLeaf(): void;

  /** Removes the leaf from the container and unparents it, while the device lives on. */
  endLeaf(): void {
    this.container.delSubregion(this.leaf);
    this.leaf.unparent();
  }

  protected place(leaf: MemoryRegion): void {
    this.container.addSubregion(LEAF_OFFSET, leaf);
  }
}

/** Offset of the leaf in its container; not 0, so that views are rendered from the container, not from just the leaf. */
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

  container!: MemoryRegion; // instanceInit assigns both before anything else runs
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
 * A device that learns only at realize how many windows it has, so that none can be a field of its state: `init`
 * requires it to allocate them by hand, `new` does not.
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

/** Creates devices of one form in one machine. */
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

  /** Like {@link plain}, with a finalizer that uses its region. */
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
