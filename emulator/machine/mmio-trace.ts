import type { AccessSize, MemTxResult, PageUse, PhysicalBus } from "#memory";
import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";
import { Sha256 } from "./sha256.ts";

/** Bytes of one record: address (8), direction and size (1), outcome (1), value (8). */
const RECORD_BYTES = 18;
const RECORDS = 2048;
const WRITE = 0x80;

/** Told of every access in readable form. */
export type TraceLine = (line: string) => void;

/**
 * Records every access of a processor that reaches the memory core: their number, and a hash over address, direction,
 * size, outcome and value of each, in order. Stands between processor and bus only while somebody wants the record.
 */
export class MmioTrace implements PhysicalBus {
  private static readonly vmFields = {
    hash: Sha256.vmFields,
    count: "int",
  } as const satisfies VmStateFields;

  private readonly bus: PhysicalBus;
  private readonly line: TraceLine | undefined;
  private readonly hash = new Sha256();
  private readonly records = new DataView(new ArrayBuffer(RECORD_BYTES * RECORDS));
  private filled = 0;
  private count = 0;

  constructor(bus: PhysicalBus, line?: TraceLine) {
    this.bus = bus;
    this.line = line;
  }

  get accesses(): number {
    return this.count;
  }

  get high(): number {
    return this.bus.high;
  }

  get result(): MemTxResult {
    return this.bus.result;
  }

  read(address: number, size: AccessSize): number {
    const low = this.bus.read(address, size);
    this.record(address, size, low, size === 8 ? this.bus.high : 0);
    return low;
  }

  write(address: number, size: AccessSize, low: number, high: number): void {
    this.bus.write(address, size, low, high);
    this.record(address, WRITE | size, low, size === 8 ? high : 0);
  }

  directPage(address: number, use: PageUse): number {
    return this.bus.directPage(address, use);
  }

  onMapChange(flush: () => void): void {
    this.bus.onMapChange(flush);
  }

  /** SHA-256 over all records so far, hexadecimal. */
  sha256(): string {
    this.flush();
    return this.hash.hex();
  }

  /** What a snapshot keeps. */
  save(): SavedValue {
    this.flush();
    return saveFields(this, MmioTrace.vmFields);
  }

  /** @throws QomError when `saved` is not what `save` answered. */
  load(saved: SavedValue): Restore[] {
    const forget = () => {
      this.filled = 0;
    };
    return [forget, ...loadFields(this, MmioTrace.vmFields, saved, "trace")];
  }

  private record(address: number, kind: number, low: number, high: number): void {
    const { records } = this;
    const at = this.filled * RECORD_BYTES;
    records.setUint32(at, address >>> 0, true);
    records.setUint32(at + 4, address / 2 ** 32, true);
    records.setUint8(at + 8, kind);
    records.setUint8(at + 9, this.bus.result);
    records.setUint32(at + 10, low, true);
    records.setUint32(at + 14, high, true);
    this.count++;
    if (++this.filled === RECORDS) this.flush();
    this.line?.(formatAccess(address, kind, this.bus.result, low, high));
  }

  private flush(): void {
    this.hash.update(new Uint8Array(this.records.buffer, 0, this.filled * RECORD_BYTES));
    this.filled = 0;
  }
}

function formatAccess(address: number, kind: number, result: MemTxResult, low: number, high: number): string {
  const size = kind & 0xf;
  const value = ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString(16).padStart(size * 2, "0");
  const outcome = result === 0 ? "" : ` error ${result}`;
  return `${kind & WRITE ? "write" : "read "} ${size} 0x${address.toString(16).padStart(8, "0")} 0x${value}${outcome}`;
}
