/**
 * A small IOMMU, with a copy engine behind it: for tests, and for guests that want to try one. The first 4 GiB of the
 * engine's addresses are translated by a table in guest memory, with an entry of 8 bytes for each page of 4 KiB: bit 0
 * permits reads, bit 1 writes, bits 12 to 52 are the page's address. Each process has a table of its own, one after the other.
 */
import {
  AddressSpaceStorage,
  DmaView,
  IommuAccess,
  IommuEvent,
  IommuMemoryRegion,
  type IommuTlbEntry,
  MemoryRegion,
  type MemoryRegionOps,
  type MemTxAttrs,
  MemTxResult,
} from "#memory";
import { SysBusDevice, type VmState } from "#qdev";

const WINDOW_BYTES = 0x1000;
const PAGE_BYTES = 0x1000;
const TRANSLATED_BYTES = 2 ** 32;
/** The engine refuses to copy more at once, as the machine stands still meanwhile. */
const MOST_COPIED = 2 ** 20;

/** Registers of 32 bits, by number. */
const CONTROL = 0; // bit 0: translate; otherwise every page is itself
const TABLE_LOW = 1;
const TABLE_HIGH = 2;
const PAGES = 3; // entries in the table
const SOURCE = 4;
const DESTINATION = 5;
const LENGTH = 6;
const COPY = 7; // any write copies; reads as the outcome, 0 if all went well
const INVALIDATE = 8; // the number of a page whose entry has changed
const PROCESS = 9; // whose accesses the engine makes, and whose entry is invalidated
const COUNT = 10;

/** Processes are numbers of 8 bits. */
const PROCESSES = 256;

/** The translation itself. */
class LinearIommuRegion extends IommuMemoryRegion {
  static override readonly typeName = "linear-iommu-memory-region";

  override get indexCount(): number {
    return PROCESSES;
  }

  /** Whoever does not say for which process it works shares the table of process 0. */
  override indexOf({ unspecified, pid = 0 }: MemTxAttrs): number {
    return unspecified === true ? 0 : pid;
  }

  override translate(iova: number, _access: number, index: number): IommuTlbEntry {
    return (this.owner as LinearIommu).entryOf(Math.floor(iova / PAGE_BYTES), index); // no other type has such a region
  }
}

export class LinearIommu extends SysBusDevice {
  static override readonly typeName = "linear-iommu";
  static override readonly vmState = {
    name: "linear-iommu",
    version: 2,
    fields: { registers: "uint32s" },
  } as const satisfies VmState;

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  /** What the engine's accesses go to. */
  private readonly iommu = this.embed(LinearIommuRegion);
  private readonly behind = new AddressSpaceStorage(this);
  private readonly registers = new Uint32Array(COUNT);

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "linear-iommu", WINDOW_BYTES);
    this.initMmio(this.iomem);
    this.iommu.initIommu(this, "linear-iommu-translation", TRANSLATED_BYTES);
    this.behind.init(this.iommu, "linear-iommu");
  }

  protected override unrealize(): void {
    this.behind.current?.destroy();
  }

  override reset(): void {
    this.registers.fill(0);
  }

  /** A process's entry for a page. */
  entryOf(page: number, pasid: number): IommuTlbEntry {
    const { systemSpace: target } = this.model;
    const iova = page * PAGE_BYTES;
    const entry = { target, iova, size: PAGE_BYTES, pasid };
    if ((this.register(CONTROL) & 1) === 0) return { ...entry, address: iova, access: IommuAccess.ReadWrite };
    const none = { ...entry, address: 0, access: IommuAccess.None };
    const pages = this.register(PAGES);
    if (page >= pages) return none;
    const table = this.register(TABLE_HIGH) * 2 ** 32 + this.register(TABLE_LOW);
    const low = target.read(table + 8 * (pasid * pages + page), 8);
    const address = (target.high & 0x1f_ffff) * 2 ** 32 + (low - (low % PAGE_BYTES));
    return target.result === MemTxResult.Ok
      ? { ...entry, address, access: low & IommuAccess.ReadWrite }
      : none;
  }

  readRegister(offset: number): number {
    const number = offset / 4;
    return number < COUNT ? this.register(number) : this.unimplementedRead(offset);
  }

  writeRegister(offset: number, value: number): void {
    const number = offset / 4;
    if (number >= COUNT) {
      this.unimplementedWrite(offset, value);
      return;
    }
    if (number === PROCESS && value >= PROCESSES) {
      this.guestError(`process ${value}, of ${PROCESSES}`);
      return;
    }
    this.registers[number] = number === COPY ? this.copy() : value;
    if (number === INVALIDATE) this.invalidate(value);
  }

  private register(number: number): number {
    return this.registers[number] ?? 0;
  }

  private copy(): MemTxResult {
    const length = this.register(LENGTH);
    const space = this.behind.current;
    if (space === null || length > MOST_COPIED) {
      this.guestError(`copy of ${length} bytes, of at most ${MOST_COPIED}`);
      return MemTxResult.Error;
    }
    const bytes = new Uint8Array(length);
    const engine = new DmaView(space, {
      secure: false,
      user: false,
      requesterId: 0,
      pid: this.register(PROCESS),
    });
    return (
      engine.readBytes(this.register(SOURCE), bytes) || engine.writeBytes(this.register(DESTINATION), bytes)
    );
  }

  /** Tells those who cache translations. */
  private invalidate(page: number): void {
    const process = this.register(PROCESS);
    const entry = this.entryOf(page, process);
    this.iommu.notify(process, IommuEvent.Unmap, { ...entry, access: IommuAccess.None });
    if (entry.access !== IommuAccess.None) this.iommu.notify(process, IommuEvent.Map, entry);
  }
}

const ops: MemoryRegionOps<LinearIommu> = {
  read: (iommu, offset) => iommu.readRegister(offset),
  write: (iommu, offset, value) => iommu.writeRegister(offset, value),
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};
