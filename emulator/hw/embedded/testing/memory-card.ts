/**
 * Three memories with different claims to an identity: RAM, which has that of its device; a PROM that the machine knows by its
 * name alone, as that of QEMU's CG3 and TCX; and flash that nobody has to find again.
 */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const MEMORY_BYTES = 0x1000;

export class MemoryCard extends SysBusDevice {
  static override readonly typeName = "memory-card";

  private readonly ram = this.embed(MemoryRegion);
  private readonly prom = this.embed(MemoryRegion);
  private readonly flash = this.embed(MemoryRegion);

  protected override realize(): void {
    this.ram.initRam(this, "memory-card.ram", MEMORY_BYTES);
    this.initMmio(this.ram);
    this.prom.initRomNomigrate(this, "memory-card.prom", MEMORY_BYTES);
    this.prom.registerRamGlobally();
    this.initMmio(this.prom);
    this.flash.initRomDeviceNomigrate(this, ops, this, "memory-card.flash", MEMORY_BYTES);
    this.flash.ramBytes().fill(0xff);
    this.initMmio(this.flash);
  }

  /** Clears the bits of a byte that are 0 in `value`, as flash does. */
  program(offset: number, value: number): void {
    const bytes = this.flash.ramBytes();
    bytes[offset] = (bytes[offset] ?? 0) & value;
  }
}

const ops: MemoryRegionOps<MemoryCard> = {
  write: (card, offset, value) => card.program(offset, value),
  endianness: "little",
  valid: { minAccessSize: 1, maxAccessSize: 1 },
};
