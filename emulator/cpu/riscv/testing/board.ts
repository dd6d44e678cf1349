/** A small board for tests: RAM, a console, a test finisher and a page of registers that record their accesses. */
import { type AccessSize, MemTxResult, type PageUse, type PhysicalBus } from "#memory/bus";
import type { CodePages } from "../hart/code-pages.ts";
import { RiscvHart, type Translate } from "../hart/hart.ts";

/** The addresses are those of QEMU's virt board. */
export const RAM_BASE = 0x80000000;
export const UART_BASE = 0x10000000;
export const FINISHER_BASE = 0x100000;
export const MSWI_BASE = 0x2000000;
const MTIMER_COMPARE = 0x2004000;
const MTIMER_TIME = 0x200bff8;
/** A page whose reads return their address, and which logs every access. */
export const PROBE_BASE = 0x10001000;
/** Every test of the processor runs twice: see the projects in vitest.config.ts. */
const translateInTests: Translate = process.env.REGIONLAB_TRANSLATE === "all" ? "all" : "nothing";

/** Line status of the console: it can always accept a byte. */
const UART_LINE_STATUS = 5;
const UART_IDLE = 0x60;
const POWER_OFF = 0x5555;
/** Unless a test sets something else, the time counter counts instructions; neither number is the default of a board. */
const NANOSECONDS_PER_INSTRUCTION = 7;
const NANOSECONDS_PER_TICK = 7;

export class TestBoard implements PhysicalBus {
  high = 0;
  result: number = MemTxResult.Ok;
  readonly hart: RiscvHart;
  readonly memory: WebAssembly.Memory;
  /** Where RAM starts in the WebAssembly memory. */
  readonly ramOffset = RiscvHart.stateBytes;
  /** Bytes the guest has printed. */
  readonly console: number[] = [];
  /** Accesses to the probe: `r4 10001000`, `w8 10001008 =low,high`. */
  readonly probed: string[] = [];
  /** Called during an access to the probe. */
  onProbe: () => void = () => {};
  poweredOff = false;
  /** Guest time in which nothing was executed, in nanoseconds, and what the guest added to the time counter. */
  idle = 0;
  timeOffset = 0;
  /** If false, RAM acts like a device: everything goes through `read` and `write`. */
  direct = true;
  private readonly ramBytes: number;
  private flush: () => void = () => {};
  private compare = Number.POSITIVE_INFINITY;

  constructor(ramBytes = 1 << 20, codePages?: CodePages, translate: Translate = translateInTests) {
    this.ramBytes = ramBytes;
    this.memory = new WebAssembly.Memory({ initial: (this.ramOffset + ramBytes) / 65_536 });
    const options = {
      hartId: 0,
      memory: this.memory,
      stateOffset: 0,
      bus: this,
      time: () => Math.floor(this.now() / NANOSECONDS_PER_TICK) + this.timeOffset,
      clock: {
        now: () => this.now(),
        nanosecondsPerInstruction: NANOSECONDS_PER_INSTRUCTION,
        nanosecondsPerTick: NANOSECONDS_PER_TICK,
      },
      translate,
    };
    this.hart = new RiscvHart(codePages === undefined ? options : { ...options, codePages });
  }

  private now(): number {
    return this.hart.retired * NANOSECONDS_PER_INSTRUCTION + this.idle;
  }

  /** Created each time, since the memory may grow. */
  private get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  onMapChange(flush: () => void): void {
    this.flush = flush;
  }

  mapChanged(): void {
    this.flush();
  }

  private ramAt(address: number, size: number): number {
    const offset = address - RAM_BASE;
    return offset >= 0 && offset + size <= this.ramBytes ? this.ramOffset + offset : -1;
  }

  directPage(address: number, _use: PageUse): number {
    return this.direct ? this.ramAt(address, 4096) : -1;
  }

  read(address: number, size: AccessSize): number {
    this.result = MemTxResult.Ok;
    this.high = 0;
    const ram = this.ramAt(address, size);
    if (ram >= 0) {
      if (size === 8) this.high = this.view.getUint32(ram + 4, true);
      if (size === 1) return this.view.getUint8(ram);
      return size === 2 ? this.view.getUint16(ram, true) : this.view.getUint32(ram, true);
    }
    if (address === UART_BASE + UART_LINE_STATUS) return UART_IDLE;
    if (address >= PROBE_BASE && address < PROBE_BASE + 4096) {
      this.probed.push(`r${size} ${address.toString(16)}`);
      this.onProbe();
      this.high = size === 8 ? address + 4 : 0;
      return address;
    }
    if (address === MTIMER_TIME) return this.hart.retired;
    this.result = MemTxResult.DecodeError;
    return 0;
  }

  write(address: number, size: AccessSize, low: number, high: number): void {
    this.result = MemTxResult.Ok;
    const ram = this.ramAt(address, size);
    if (ram >= 0) {
      if (size === 1) this.view.setUint8(ram, low);
      else if (size === 2) this.view.setUint16(ram, low, true);
      else this.view.setUint32(ram, low, true);
      if (size === 8) this.view.setUint32(ram + 4, high, true);
      this.hart.invalidate(ram, size);
    } else if (address === UART_BASE) {
      this.console.push(low & 0xff);
    } else if (address === FINISHER_BASE) {
      if ((low & 0xffff) === POWER_OFF) {
        this.poweredOff = true;
        this.hart.requestExit();
      }
    } else if (address === MSWI_BASE) {
      this.hart.setInterrupt(3, (low & 1) === 1);
    } else if (address === MTIMER_COMPARE) {
      this.compare = high * 2 ** 32 + low;
      this.hart.setInterrupt(7, this.hart.retired >= this.compare);
    } else if (address >= PROBE_BASE && address < PROBE_BASE + 4096) {
      this.probed.push(`w${size} ${address.toString(16)} =${low.toString(16)},${high.toString(16)}`);
      this.onProbe();
    } else {
      this.result = MemTxResult.DecodeError;
    }
  }

  /** Puts bytes into RAM, as a loader would. */
  load(address: number, bytes: Uint8Array): void {
    const offset = this.ramAt(address, bytes.length);
    if (offset < 0) throw new RangeError(`${bytes.length} bytes at ${address.toString(16)}: not in RAM`);
    new Uint8Array(this.memory.buffer).set(bytes, offset);
    this.hart.invalidate(offset, bytes.length);
  }

  /** Puts 32-bit words into RAM. */
  loadWords(address: number, words: readonly number[]): void {
    this.load(address, new Uint8Array(Uint32Array.from(words).buffer));
  }

  readRam64(address: number): bigint {
    return this.view.getBigUint64(this.ramAt(address, 8), true);
  }

  writeRam64(address: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.load(address, bytes);
  }

  /** Runs until the guest powers off. @throws Error when it does not within `maxInstructions`. */
  runToPowerOff(maxInstructions: number): void {
    while (!this.poweredOff) {
      if (this.hart.retired >= maxInstructions) {
        throw new Error(
          `still running at 0x${this.hart.pc.toString(16)} after ${maxInstructions} instructions`,
        );
      }
      if (this.hart.run(1000) === "wfi") throw new Error("the guest waits for an interrupt that cannot come");
    }
  }
}
