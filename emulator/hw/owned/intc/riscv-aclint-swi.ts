/** Inter-hart software interrupts: a register per hart. Source: RISC-V ACLINT specification 1.0, chapters 3 and 4. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { IrqLine, SysBusDevice, uintProperty, type VmState } from "#qdev";

const REGISTER_BYTES = 0x4000;

/** The MSWI device of harts `hartid-base` to `hartid-base` + `num-harts` - 1; with `sswi`, the SSWI device. */
export class AclintSwi extends SysBusDevice {
  static override readonly typeName = "riscv.aclint.swi";
  static override readonly instanceSize: number = 832;
  static override readonly properties = [
    uintProperty<AclintSwi>("hartid-base", "uint32", "hartidBase"),
    uintProperty<AclintSwi>("num-harts", "uint32", "numHarts"),
    uintProperty<AclintSwi>("sswi", "uint32", "sswi"),
  ];
  static override readonly vmState = {
    name: "riscv.aclint.swi",
    version: 1,
    fields: { lines: "irqs" },
  } as const satisfies VmState;

  hartidBase = 0;
  numHarts = 1;
  /** If not 0, it raises supervisor interrupts by an edge, rather than machine interrupts by a level. */
  sswi = 0;
  private lines: IrqLine[] = [];

  protected override realize(): void {
    /** Register window. */
    const iomem = MemoryRegion.newIo(this, ops, this, "riscv.aclint.swi", REGISTER_BYTES);
    this.initMmio(iomem);
    this.lines = Array.from({ length: this.numHarts }, () => new IrqLine());
    for (const line of this.lines) this.initGpioOut(line);
  }

  override reset(): void {
    for (const line of this.lines) line.lower();
  }

  readRegister(offset: number): number {
    const line = this.lines[offset >> 2];
    if (line === undefined) return this.unimplementedRead(offset);
    return this.sswi === 0 && line.level ? 1 : 0;
  }

  writeRegister(offset: number, value: number): void {
    const line = this.lines[offset >> 2];
    if (line === undefined) this.unimplementedWrite(offset, value);
    else if ((value & 1) !== 0) line.raise();
    else if (this.sswi === 0) line.lower(); // supervisors clear SSIP in their own register
  }
}

const ops: MemoryRegionOps<AclintSwi> = {
  read: (swi, offset) => swi.readRegister(offset),
  write: (swi, offset, value) => swi.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};
