/** Goldfish real-time clock: nanoseconds since 1970 and one alarm. Source: Android goldfish RTC register map. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { IrqLine, SysBusDevice, type Timer, type VmState } from "#qdev";

const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;
const REGISTER_BYTES = 0x24;

const NANOSECONDS_PER_SECOND = 1_000_000_000n;

export class GoldfishRtc extends SysBusDevice {
  static override readonly typeName = "goldfish_rtc";
  static override readonly instanceSize: number = 872;
  static override readonly vmState = {
    name: "goldfish_rtc",
    version: 1,
    fields: {
      irq: "irq",
      timer: "timer",
      offset: "uint64",
      alarm: "uint64",
      alarmRunning: "bool",
      irqPending: "bool",
      irqEnabled: "bool",
      timeHigh: "uint32",
    },
  } as const satisfies VmState;

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  private readonly irq = new IrqLine();
  private timer: Timer | null = null;
  /** Added to guest time to give the clock's time; in nanoseconds, modulo 2^64. */
  private offset = 0n;
  /** Alarm time, in nanoseconds since 1970. */
  private alarm = 0n;
  private alarmRunning = false;
  private irqPending = false;
  private irqEnabled = false;
  /** High half of the time, latched when the low half is read. */
  private timeHigh = 0;

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "goldfish_rtc", REGISTER_BYTES);
    this.initMmio(this.iomem);
    this.initIrq(this.irq);
    this.timer = this.clock.timer(() => this.ring());
    this.setToWallClock();
  }

  protected override unrealize(): void {
    this.stopAlarm();
  }

  /** The time keeps running. */
  override reset(): void {
    this.stopAlarm();
    this.alarm = 0n;
    this.irqPending = false;
    this.irqEnabled = false;
  }

  readRegister(offset: number): number {
    switch (offset) {
      case TIME_LOW: {
        const now = this.now();
        this.timeHigh = high(now);
        return low(now);
      }
      case TIME_HIGH:
        return this.timeHigh;
      case ALARM_LOW:
        return low(this.alarm);
      case ALARM_HIGH:
        return high(this.alarm);
      case IRQ_ENABLED:
        return Number(this.irqEnabled);
      case ALARM_STATUS:
        return Number(this.alarmRunning);
      default:
        return this.unimplementedRead(offset);
    }
  }

  writeRegister(offset: number, value: number): void {
    switch (offset) {
      case TIME_LOW: {
        const now = this.now();
        this.shiftTime(withLow(now, value) - now);
        break;
      }
      case TIME_HIGH: {
        const now = this.now();
        this.shiftTime(withHigh(now, value) - now);
        break;
      }
      case ALARM_LOW: // arms the alarm: drivers write the high half first
        this.alarm = withLow(this.alarm, value);
        this.startAlarm();
        break;
      case ALARM_HIGH:
        this.alarm = withHigh(this.alarm, value);
        break;
      case IRQ_ENABLED:
        this.irqEnabled = (value & 1) !== 0;
        this.updateIrq();
        break;
      case CLEAR_ALARM:
        this.stopAlarm();
        break;
      case CLEAR_INTERRUPT:
        this.irqPending = false;
        this.updateIrq();
        break;
      default:
        this.unimplementedWrite(offset, value);
    }
  }

  private now(): bigint {
    return BigInt.asUintN(64, this.offset + BigInt(this.clock.now()));
  }

  private shiftTime(by: bigint): void {
    this.offset = BigInt.asUintN(64, this.offset + by);
  }

  /** Sets the time to the wall clock, truncated to seconds as in QEMU. */
  private setToWallClock(): void {
    const wall = this.clock.wallNanoseconds();
    const seconds = wall / NANOSECONDS_PER_SECOND;
    this.offset = BigInt.asUintN(64, seconds * NANOSECONDS_PER_SECOND - BigInt(this.clock.now()));
  }

  private startAlarm(): void {
    if (this.alarm <= this.now()) {
      this.timer?.cancel();
      this.ring();
      return;
    }
    const deadline = Number(BigInt.asIntN(64, this.alarm - this.offset));
    this.timer?.set(Math.max(deadline, 0));
    this.alarmRunning = true;
  }

  private stopAlarm(): void {
    this.timer?.cancel();
    this.alarmRunning = false;
  }

  private ring(): void {
    this.alarmRunning = false;
    this.irqPending = true;
    this.updateIrq();
  }

  private updateIrq(): void {
    this.irq.set(this.irqPending && this.irqEnabled);
  }
}

function low(value: bigint): number {
  return Number(value & 0xffff_ffffn);
}

function high(value: bigint): number {
  return Number(value >> 32n);
}

function withLow(value: bigint, half: number): bigint {
  return ((value >> 32n) << 32n) | BigInt(half);
}

function withHigh(value: bigint, half: number): bigint {
  return (BigInt(half) << 32n) | (value & 0xffff_ffffn);
}

const ops: MemoryRegionOps<GoldfishRtc> = {
  read: (rtc, offset) => rtc.readRegister(offset),
  write: (rtc, offset, value) => rtc.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};
