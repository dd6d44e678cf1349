/** Machine timer: a counter, and a comparator per hart. Source: RISC-V ACLINT specification 1.0, chapter 2. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { IrqLine, SysBusDevice, type Timer, uintProperty, type VmState } from "#qdev";

const NANOSECONDS_PER_SECOND = 1e9;
const WORD = 2 ** 32;

/**
 * The MTIMER device of harts `hartid-base` to `hartid-base` + `num-harts` - 1.
 *
 * 64-bit quantities are pairs of unsigned 32-bit halves, so that neither guest accesses nor reads of the harts' `time`
 * register allocate.
 */
export class AclintMtimer extends SysBusDevice {
  static override readonly typeName = "riscv.aclint.mtimer";
  static override readonly instanceSize: number = 864;
  static override readonly properties = [
    uintProperty<AclintMtimer>("hartid-base", "uint32", "hartidBase"),
    uintProperty<AclintMtimer>("num-harts", "uint32", "numHarts"),
    uintProperty<AclintMtimer>("timecmp-base", "uint32", "timecmpBase"),
    uintProperty<AclintMtimer>("time-base", "uint32", "timeBase"),
    uintProperty<AclintMtimer>("aperture-size", "uint32", "apertureSize"),
    uintProperty<AclintMtimer>("timebase-freq", "uint32", "timebaseFreq"),
  ];
  static override readonly vmState = {
    name: "riscv.aclint.mtimer",
    version: 1,
    fields: {
      lines: "irqs",
      timers: "timers",
      compareLow: "uint32s",
      compareHigh: "uint32s",
      deltaLow: "uint32",
      deltaHigh: "uint32",
      timeLow: "uint32",
      timeHigh: "uint32",
    },
  } as const satisfies VmState;

  hartidBase = 0;
  numHarts = 1;
  /** Offset of the comparators. */
  timecmpBase = 0;
  /** Offset of the counter. */
  timeBase = 0x7ff8;
  apertureSize = 0x8000;
  /** Ticks per second. */
  timebaseFreq = 10_000_000;
  /** Called after the counter was set, as opposed to counting. */
  onTimeSet: () => void = () => {};
  private lines: IrqLine[] = [];
  private timers: Timer[] = [];
  private compareLow = new Uint32Array();
  private compareHigh = new Uint32Array();
  /** Added to the ticks since the start to give the counter. */
  private deltaLow = 0;
  private deltaHigh = 0;
  /** The counter as of the last `sample`. */
  private timeLow = 0;
  private timeHigh = 0;

  protected override realize(): void {
    /** Register window. */
    const iomem = MemoryRegion.newIo(this, ops, this, "riscv.aclint.mtimer", this.apertureSize);
    this.initMmio(iomem);
    const harts = Array.from({ length: this.numHarts }, (_, index) => index);
    this.lines = harts.map(() => new IrqLine());
    this.timers = harts.map((hart) => this.clock.timer(() => this.lines[hart]?.raise()));
    for (const line of this.lines) this.initGpioOut(line);
    this.compareLow = new Uint32Array(this.numHarts);
    this.compareHigh = new Uint32Array(this.numHarts);
  }

  protected override unrealize(): void {
    for (const timer of this.timers) timer.cancel();
  }

  /** The counter restarts at 0. Comparators keep their values. */
  override reset(): void {
    this.setTime(0, 0);
  }

  /** The counter; exact up to 2^53. Reading it leaves no trace in the device's state. */
  readTime(): number {
    const raw = this.rawTicks();
    const low = (raw % WORD) + this.deltaLow;
    return this.highOf(raw, low) * WORD + (low >>> 0);
  }

  /** Guest time, in nanoseconds, at which the counter will be `ticks` higher than now. */
  timeAfter(ticks: number): number {
    return (this.rawTicks() + ticks) * (NANOSECONDS_PER_SECOND / this.timebaseFreq);
  }

  readRegister(offset: number): number {
    const at = offset - this.timecmpBase;
    const hart = at >> 3;
    if (at >= 0 && hart < this.numHarts) {
      return ((at & 4) === 0 ? this.compareLow[hart] : this.compareHigh[hart]) as number; // hart is in range
    }
    this.sample();
    if (offset === this.timeBase) return this.timeLow;
    if (offset === this.timeBase + 4) return this.timeHigh;
    return this.unimplementedRead(offset);
  }

  writeRegister(offset: number, value: number): void {
    const at = offset - this.timecmpBase;
    const hart = at >> 3;
    if (at >= 0 && hart < this.numHarts) {
      const half = (at & 4) === 0 ? this.compareLow : this.compareHigh;
      half[hart] = value;
      this.sample();
      this.compare(hart);
      return;
    }
    this.sample();
    if (offset === this.timeBase) this.setTime(value, this.timeHigh);
    else if (offset === this.timeBase + 4) this.setTime(this.timeLow, value);
    else this.unimplementedWrite(offset, value);
  }

  /** Writes both halves in one aligned access. */
  writeBoth(offset: number, value: bigint): void {
    const low = Number(BigInt.asUintN(32, value));
    const high = Number(BigInt.asUintN(32, value >> 32n));
    const hart = (offset - this.timecmpBase) >> 3;
    if (offset >= this.timecmpBase && hart < this.numHarts) {
      this.compareLow[hart] = low;
      this.compareHigh[hart] = high;
      this.sample();
      this.compare(hart);
    } else if (offset === this.timeBase) {
      this.setTime(low, high);
    } else {
      this.unimplementedWrite(offset, low);
    }
  }

  readBoth(offset: number): bigint {
    const hart = (offset - this.timecmpBase) >> 3;
    const isCompare = offset >= this.timecmpBase && hart < this.numHarts;
    if (!isCompare && offset !== this.timeBase) return BigInt(this.unimplementedRead(offset));
    const low = this.readRegister(offset); // samples both halves of the counter
    const high = isCompare ? (this.compareHigh[hart] as number) : this.timeHigh; // hart is in range
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** Ticks since the start of guest time, independent of the counter's setting. */
  private rawTicks(): number {
    return Math.floor(this.clock.now() / (NANOSECONDS_PER_SECOND / this.timebaseFreq));
  }

  private sample(): void {
    const raw = this.rawTicks();
    const low = (raw % WORD) + this.deltaLow;
    this.timeLow = low >>> 0;
    this.timeHigh = this.highOf(raw, low);
  }

  /** High word of the counter at so many raw ticks, of which `low` is the low word with its carry. */
  private highOf(raw: number, low: number): number {
    return (Math.floor(raw / WORD) + this.deltaHigh + (low >= WORD ? 1 : 0)) >>> 0;
  }

  /** Sets the counter, and updates each hart's interrupt and timer. */
  private setTime(low: number, high: number): void {
    const raw = this.rawTicks();
    const delta = low - (raw % WORD);
    this.deltaLow = delta >>> 0;
    this.deltaHigh = (high - Math.floor(raw / WORD) - (delta < 0 ? 1 : 0)) >>> 0;
    this.sample();
    for (let hart = 0; hart < this.numHarts; hart++) this.compare(hart);
    this.onTimeSet();
  }

  /** Drives the interrupt of `hart` from the sampled counter, and sets its timer for the next change. */
  private compare(hart: number): void {
    const ahead =
      ((this.compareHigh[hart] as number) - this.timeHigh) * WORD +
      ((this.compareLow[hart] as number) - this.timeLow); // hart is in range
    const line = this.lines[hart] as IrqLine; // as above
    const timer = this.timers[hart] as Timer; // as above
    if (ahead <= 0) {
      timer.cancel();
      line.raise();
      return;
    }
    line.lower();
    timer.set(this.clock.now() + Math.ceil(ahead * (NANOSECONDS_PER_SECOND / this.timebaseFreq)));
  }
}

const ops: MemoryRegionOps<AclintMtimer> = {
  read: (mtimer, offset) => mtimer.readRegister(offset),
  write: (mtimer, offset, value) => mtimer.writeRegister(offset, value),
  read64: (mtimer, offset) => mtimer.readBoth(offset),
  write64: (mtimer, offset, value) => mtimer.writeBoth(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 8 },
  impl: { minAccessSize: 4, maxAccessSize: 8 },
};
