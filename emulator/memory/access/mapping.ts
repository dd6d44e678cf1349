import { type Block, QomAbort } from "#qom";
import type { AddressSpace } from "../address-space.ts";
import type { FlatRange } from "../map/flat-range.ts";
import type { MemoryRegion } from "../map/region.ts";
import type { MemTxAttrs } from "./ops.ts";
import { translate } from "./translate.ts";

/** Bytes of bounce buffers that one address space may have in use at once. */
const BOUNCE_LIMIT = 4096;

/** Guest memory lent to a device, valid until it is unmapped. */
export class Mapping {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly region: MemoryRegion;
  readonly isWrite: boolean;
  /** The heap ledger's record of the bounce buffer; null if `bytes` is guest RAM itself. */
  readonly bounce: Block | null;
  readonly attrs: MemTxAttrs;
  /** Offset of the first byte in the region. */
  readonly offset: number;

  constructor(
    bytes: Uint8Array,
    address: number,
    region: MemoryRegion,
    isWrite: boolean,
    bounce: Block | null,
    attrs: MemTxAttrs,
    offset: number,
  ) {
    this.offset = offset;
    this.bytes = bytes;
    this.address = address;
    this.region = region;
    this.isWrite = isWrite;
    this.bounce = bounce;
    this.attrs = attrs;
  }
}

interface Reached {
  readonly range: FlatRange;
  /** Offset of the first byte in the region. */
  readonly offset: number;
  readonly length: number;
}

function reached(range: FlatRange, address: number, length: number): Reached {
  const offset = address - range.start + range.offset;
  return { range, offset, length: Math.min(length, range.end - address) };
}

/** The active mappings of one address space. */
export class MappingLedger {
  private readonly space: AddressSpace;
  private readonly open = new Set<Mapping>();
  private waiters: (() => void)[] = [];
  private bouncing = 0;

  constructor(space: AddressSpace) {
    this.space = space;
  }

  /** The mappings that are not unmapped yet. */
  current(): IterableIterator<Mapping> {
    return this.open.values();
  }

  get count(): number {
    return this.open.size;
  }

  get bounceBytes(): number {
    return this.bouncing;
  }

  /** Number of callbacks waiting for a bounce buffer. */
  get waiting(): number {
    return this.waiters.length;
  }

  map(address: number, length: number, isWrite: boolean, attrs: MemTxAttrs): Mapping | null {
    const first = this.reach(address, length, isWrite, attrs);
    if (first === undefined || length <= 0) return null;
    const { range, offset } = first;
    const { region } = range;
    let within = first.length;
    const direct = isWrite ? region.writesDirectly : region.readsDirectly;
    if (direct && region.ram !== null) {
      while (within < length) {
        const next = this.reach(address + within, length - within, isWrite, attrs);
        if (next?.range.region !== region || next.offset !== offset + within) break;
        within += next.length;
      }
      return this.lend(
        new Mapping(
          region.ram.bytes.subarray(offset, offset + within),
          address,
          region,
          isWrite,
          null,
          attrs,
          offset,
        ),
      );
    }
    const size = Math.min(within, BOUNCE_LIMIT - this.bouncing);
    if (size <= 0) return null;
    const bytes = new Uint8Array(size);
    if (!isWrite) this.space.readBytes(address, bytes, attrs);
    this.bouncing += size;
    const block = this.space.model.heap.allocate("bounce-buffer", size);
    return this.lend(new Mapping(bytes, address, region, isWrite, block, attrs, offset));
  }

  unmap(mapping: Mapping, written: number): void {
    if (!this.open.delete(mapping)) throw new QomAbort(`a mapping of ${this.space.name} is unmapped twice`);
    const { bounce } = mapping;
    try {
      if (mapping.isWrite && written > 0) {
        if (bounce !== null)
          this.space.writeBytes(mapping.address, mapping.bytes.subarray(0, written), mapping.attrs);
        else {
          this.space.onRamWritten(mapping.bytes, 0, written);
          mapping.region.dirtyLog?.mark(mapping.offset, written);
        }
      }
    } finally {
      if (bounce !== null) {
        this.bouncing -= mapping.bytes.length;
        this.space.model.heap.free(bounce);
      }
      mapping.region.dropRef();
    }
    if (bounce === null) return;
    this.space.model.detector?.freedPlain(mapping, "bounce-buffer"); // guest RAM stays where it is
    this.wake();
  }

  /** Calls `retry` once, when a bounce buffer becomes free; for use after `map` returned null. */
  whenFree(retry: () => void): void {
    this.waiters.push(retry);
  }

  /** What an access of `length` bytes reaches, as far as it goes in one piece. */
  private reach(address: number, length: number, isWrite: boolean, attrs: MemTxAttrs): Reached | undefined {
    const range = this.space.find(address);
    if (range === undefined) return undefined;
    if (!range.region.isIommu) return reached(range, address, length);
    const to = translate(range, address, length, isWrite, attrs);
    if (to === null) return undefined;
    const behind = to.space.find(to.address);
    return behind && reached(behind, to.address, to.length);
  }

  private lend(mapping: Mapping): Mapping {
    mapping.region.takeRef();
    this.open.add(mapping);
    return mapping;
  }

  private wake(): void {
    const waiting = this.waiters;
    this.waiters = [];
    for (const retry of waiting) retry();
  }
}
