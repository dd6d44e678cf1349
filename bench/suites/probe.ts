/**
 * The smallest device that exercises all of dispatch: registers accessed by callbacks, an owner with a re-entrancy
 * guard, and a region in either form. The two classes differ only as the two device trees do.
 */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { Device, type DeviceModel } from "#qdev";
import type { QomObject } from "#qom";
import type { Form } from "#results";

/** Bytes of a probe's register window. */
export const PROBE_BYTES = 0x1000;

export abstract class Probe extends Device {
  /** Selects one of {@link probeOps}; set before the device is realized. */
  variant = 0;
  register = 1;
  abstract readonly window: MemoryRegion;
}

export class EmbeddedProbe extends Probe {
  static override readonly typeName = "bench-embedded-probe";

  private readonly iomem = this.embed(MemoryRegion);

  get window(): MemoryRegion {
    return this.iomem;
  }

  protected override realize(): void {
    this.iomem.initIo(this, probeOps(this.variant), this, "probe", PROBE_BYTES);
  }
}

export class OwnedProbe extends Probe {
  static override readonly typeName = "bench-owned-probe";

  private iomem!: MemoryRegion; // assigned when the device is realized, before it can be read

  get window(): MemoryRegion {
    return this.iomem;
  }

  protected override realize(): void {
    this.iomem = MemoryRegion.newIo(this, probeOps(this.variant), this, "probe", PROBE_BYTES);
  }
}

/**
 * A realized probe, not yet mapped.
 * @param home its parent, in which it is called `name`; a container has room for only 32 768 children of one kind
 */
export function createProbe(
  model: DeviceModel,
  home: QomObject,
  form: Form,
  variant: number,
  name: string,
): Probe {
  const probe = model.create<Probe>(form === "embedded" ? EmbeddedProbe : OwnedProbe);
  probe.variant = variant;
  home.addChild(name, probe);
  probe.unref(); // its parent holds the reference now
  probe.plug();
  return probe;
}

/** Number of different sets of callbacks: as many as it takes for V8 to stop inlining one of them. */
export const VARIANTS = 6;

/**
 * The callbacks of one kind of device. A machine has many kinds, so the call in the dispatcher has many targets and
 * cannot be inlined. With only one kind, a benchmark would measure an inlined callback, which no real machine gets.
 */
export function probeOps(variant: number): MemoryRegionOps<Probe> {
  const ops = OPS[variant % VARIANTS];
  if (!ops) throw new RangeError(`probe variant ${variant}`);
  return ops;
}

const OPS: readonly MemoryRegionOps<Probe>[] = [
  {
    read: (probe, offset) => probe.register + offset,
    write: (probe, offset, value) => {
      probe.register = (value ^ offset) & 0xffff;
    },
    endianness: "little",
  },
  {
    read: (probe, offset) => probe.register ^ offset,
    write: (probe, offset, value) => {
      probe.register = (value + offset) & 0xffff;
    },
    endianness: "little",
    valid: { minAccessSize: 1, maxAccessSize: 8 },
  },
  {
    read: (probe, offset) => probe.register | offset,
    write: (probe, offset, value) => {
      probe.register = (value | offset) & 0xffff;
    },
    endianness: "little",
    impl: { minAccessSize: 1, maxAccessSize: 4 },
  },
  {
    read: (probe, offset) => (probe.register - offset) >>> 0,
    write: (probe, offset, value) => {
      probe.register = (value - offset) & 0xffff;
    },
    endianness: "little",
  },
  {
    read: (probe, offset) => (probe.register & 0xff) + offset,
    write: (probe, offset, value) => {
      probe.register = (value & 0xff) + offset;
    },
    endianness: "little",
  },
  {
    read: (probe, offset) => (probe.register << 1) + offset,
    write: (probe, offset, value) => {
      probe.register = ((value << 1) + offset) & 0xffff;
    },
    endianness: "little",
  },
];
