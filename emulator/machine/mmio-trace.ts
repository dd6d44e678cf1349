import { createHash } from "node:crypto";
import type { AccessSize, MemTxResult, PageUse, PhysicalBus } from "#memory";

/** Bytes of one record: address (8), direction and size (1), outcome (1), value (8). */
const RECORD_BYTES = 18;
const RECORDS = 2048;
const WRITE = 0x80;

/** Told of every access in readable form. */
export type TraceLine = (line: string) => void;

/**
 * Records every access of the processors that reaches the memory core: their number, and a hash over address, direction,
 * size, outcome and value of each, in order.
 */
export class MmioTrace {
  private readonly line: TraceLine | undefined;
  private readonly hash = createHash("sha256");
  private readonly records = new DataView(new ArrayBuffer(RECORD_BYTES * RECORDS));
  private filled = 0;
  private count = 0;

  constructor(line?: TraceLine) {
    this.line = line;
  }

  get accesses(): number {
    return this.count;
  }

  /** A bus that records what it passes on: stands between processor and bus only while somebody wants the record. */
  watch(bus: PhysicalBus): PhysicalBus {
    return new WatchedBus(bus, this);
  }

  /** SHA-256 over all records so far, hexadecimal. */
  sha256(): string {
    this.flush();
    return this.hash.copy().digest("hex");
  }

  /** Adds one access; `kind` is its size, and `WRITE` if it writes. */
  record(address: number, kind: number, result: MemTxResult, low: number, high: number): void {
    const { records } = this;
    const at = this.filled * RECORD_BYTES;
    records.setUint32(at, address >>> 0, true);
    records.setUint32(at + 4, address / 2 ** 32, true);
    records.setUint8(at + 8, kind);
    records.setUint8(at + 9, result);
    records.setUint32(at + 10, low, true);
    records.setUint32(at + 14, high, true);
    this.count++;
    if (++this.filled === RECORDS) this.flush();
    this.line?.(formatAccess(address, kind, result, low, high));
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
