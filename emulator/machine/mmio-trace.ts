import type { AccessSize, MemTxResult, PageUse, PhysicalBus } from "#memory";
import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";
import { Sha256 } from "./sha256.ts";

/** Bytes of one record: instruction count (8), address (8), value (8), direction and size (1), outcome (1). */
const RECORD_BYTES = 26;
const RECORDS = 2048;
const WRITE = 0x80;

/** Counts the instructions of a machine. */
export interface InstructionCount {
  readonly instructions: number;
}

/** Receives every access in readable form. */
export type TraceLine = (line: string) => void;

/**
 * Records all processor accesses that reach the memory core: their number, and a hash over the time, address,
 * direction, size, outcome and value of each, in order. Time is the instruction count, from which guest time derives.
 */
export class MmioTrace {
  private static readonly vmFields = {
    hash: Sha256.vmFields,
    count: "int",
  } as const satisfies VmStateFields;

  private readonly time: InstructionCount;
  private readonly line: TraceLine | undefined;
  private readonly hash = new Sha256();
  private readonly records = new DataView(new ArrayBuffer(RECORD_BYTES * RECORDS));
  private filled = 0;
  private count = 0;

  /** @param time how many instructions have been executed before the current access */
  constructor(time: InstructionCount, line?: TraceLine) {
    this.time = time;
    this.line = line;
  }

  get accesses(): number {
    return this.count;
  }

  /** Wraps a bus in one that records its accesses. Only traced machines have it between processor and bus. */
  watch(bus: PhysicalBus): PhysicalBus {
    return new WatchedBus(bus, this);
  }

  /** SHA-256 over all records so far, hexadecimal. */
  sha256(): string {
    this.flush();
    return this.hash.hex();
  }

  /** State for a snapshot. */
  save(): SavedValue {
    this.flush();
    return saveFields(this, MmioTrace.vmFields);
  }

  /** @throws QomError when `saved` did not come from `save`. */
  load(saved: SavedValue): Restore[] {
    const forget = () => {
      this.filled = 0;
    };
    return [forget, ...loadFields(this, MmioTrace.vmFields, saved, "trace")];
  }

  /** Adds one access; `kind` is its size, combined with `WRITE` if it writes. */
  record(address: number, kind: number, result: MemTxResult, low: number, high: number): void {
    const { records } = this;
    const { instructions } = this.time;
    const at = this.filled * RECORD_BYTES;
    records.setUint32(at, instructions >>> 0, true);
    records.setUint32(at + 4, instructions / 2 ** 32, true);
    records.setUint32(at + 8, address >>> 0, true);
    records.setUint32(at + 12, address / 2 ** 32, true);
    records.setUint32(at + 16, low, true);
    records.setUint32(at + 20, high, true);
    records.setUint8(at + 24, kind);
    records.setUint8(at + 25, result);
    this.count++;
    if (++this.filled === RECORDS) this.flush();
    this.line?.(`${instructions} ${formatAccess(address, kind, result, low, high)}`);
  }

  private flush(): void {
    this.hash.update(new Uint8Array(this.records.buffer, 0, this.filled * RECORD_BYTES));
    this.filled = 0;
  }
}

/** One processor's bus, with every access recorded. */
class WatchedBus implements PhysicalBus {
  private readonly bus: PhysicalBus;
  private readonly trace: MmioTrace;

  constructor(bus: PhysicalBus, trace: MmioTrace) {
    this.bus = bus;
    this.trace = trace;
  }

  get high(): number {
    return this.bus.high;
  }

  get result(): MemTxResult {
    return this.bus.result;
  }

  read(address: number, size: AccessSize): number {
    const { bus } = this;
    const low = bus.read(address, size);
    this.trace.record(address, size, bus.result, low, size === 8 ? bus.high : 0);
    return low;
  }

  write(address: number, size: AccessSize, low: number, high: number): void {
    const { bus } = this;
    bus.write(address, size, low, high);
    this.trace.record(address, WRITE | size, bus.result, low, size === 8 ? high : 0);
  }

  directPage(address: number, use: PageUse): number {
    return this.bus.directPage(address, use);
  }

  onMapChange(flush: () => void): void {
    this.bus.onMapChange(flush);
  }
}

function formatAccess(address: number, kind: number, result: MemTxResult, low: number, high: number): string {
  const size = kind & 0xf;
  const value = ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString(16).padStart(size * 2, "0");
  const outcome = result === 0 ? "" : ` error ${result}`;
  return `${kind & WRITE ? "write" : "read "} ${size} 0x${address.toString(16).padStart(8, "0")} 0x${value}${outcome}`;
}
