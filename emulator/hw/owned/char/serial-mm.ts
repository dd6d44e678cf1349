/** A 16550A UART with memory-mapped registers. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice, uintProperty } from "#qdev";
import { Serial } from "./serial.ts";

const REGISTERS = 8;

export class SerialMm extends SysBusDevice {
  static override readonly typeName = "serial-mm";
  static override readonly instanceSize: number = 816;
  static override readonly properties = [uintProperty<SerialMm>("regshift", "uint8", "regshift")];
  static override readonly vmState = { name: "serial-mm", version: 1, fields: {} };

  /** The UART itself, and the line that the host connects to. */
  readonly serial = this.embed(Serial);
  /** Registers are 2^regshift bytes apart. */
  regshift = 0;

  protected override instanceInit(): void {
    this.initializeChild("serial", this.serial);
  }

  protected override realize(): void {
    /** Register window. */
    const io = MemoryRegion.newIo(this, ops, this, "serial", REGISTERS << this.regshift);
    this.serial.plug();
    this.initMmio(io);
    this.initIrq(this.serial.irq);
  }

  protected override unrealize(): void {
    this.serial.unplug();
  }

  override reset(): void {
    this.serial.reset();
  }
}

/** Accesses of any size access one byte: the other bytes read as 0 and are ignored on writes. */
const ops: MemoryRegionOps<SerialMm> = {
  read: (uart, offset) => uart.serial.readRegister(offset >> uart.regshift),
  write: (uart, offset, value) => uart.serial.writeRegister(offset >> uart.regshift, value & 0xff),
  read64: (uart, offset) => BigInt(uart.serial.readRegister(offset >> uart.regshift)),
  write64: (uart, offset, value) => uart.serial.writeRegister(offset >> uart.regshift, Number(value & 0xffn)),
  endianness: "little",
  valid: { maxAccessSize: 8 },
  impl: { maxAccessSize: 8 },
};
