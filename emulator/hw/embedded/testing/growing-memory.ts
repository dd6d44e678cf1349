/** Memory whose size the guest sets, up to a limit, by a register: what a balloon or a hotplugged module is for. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";

const WINDOW_BYTES = 0x1000;
const PAGE_BYTES = 0x1000;

/** Size in pages: of the memory, and the greatest. */
const SIZE = 0x0;
const MOST = 0x4;

export class GrowingMemory extends SysBusDevice {
  static override readonly typeName = "growing-memory";
  static override readonly properties = [uintProperty<GrowingMemory>("max-pages", "uint32", "maxPages")];
  static override readonly vmState = {
    name: "growing-memory",
    version: 1,
    fields: { pages: "uint32" },
    postLoad: (device: object) => (device as GrowingMemory).resize(),
  } as const satisfies VmState;

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  private readonly memory = this.embed(MemoryRegion);
  maxPages = 16;
  private pages = 0;

  protected override realize(): void {
    if (this.maxPages === 0)
      throw new QomError("property max-pages of a growing-memory is 0; give at least 1 page");
    this.iomem.initIo(this, ops, this, "growing-memory", WINDOW_BYTES);
    this.initMmio(this.iomem);
    this.memory.initResizeableRam(this, "growing-memory.ram", 0, this.maxPages * PAGE_BYTES);
    this.initMmio(this.memory);
  }

  override reset(): void {
    this.pages = 0;
    this.resize();
  }

  readRegister(offset: number): number {
    if (offset === SIZE) return this.pages;
    return offset === MOST ? this.maxPages : this.unimplementedRead(offset);
  }

  writeRegister(offset: number, value: number): void {
    if (offset !== SIZE) {
      this.unimplementedWrite(offset, value);
    } else if (value > this.maxPages) {
      this.guestError(`${value} pages, of at most ${this.maxPages}`);
    } else {
      this.pages = value;
      this.resize();
    }
  }

  /** Gives the memory the size that the register says. */
  resize(): void {
    this.memory.resizeRam(this.pages * PAGE_BYTES);
  }
}

const ops: MemoryRegionOps<GrowingMemory> = {
  read: (device, offset) => device.readRegister(offset),
  write: (device, offset, value) => device.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};
