/** Firmware configuration: items by number, files by name. Source: QEMU's docs/specs/fw_cfg; quirks as in QEMU 7.2. */
import { type DmaView, MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { boolProperty, type FlashKernel, SysBusDevice, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";

/** Item numbers. Files come after the others. */
const SIGNATURE = 0x00;
const ID = 0x01;
const KERNEL_SIZE = 0x08;
const INITRD_SIZE = 0x0b;
const KERNEL_DATA = 0x11;
const INITRD_DATA = 0x12;
const COMMAND_LINE_SIZE = 0x14;
const COMMAND_LINE_DATA = 0x15;
const FILE_DIRECTORY = 0x19;
const FIRST_FILE = 0x20;
/** Machine-specific items have this bit. */
const LOCAL = 0x8000;
const NUMBER_MASK = 0x3fff;

const ID_TRADITIONAL = 1;
const ID_DMA = 2;

const DIRECTORY_HEADER_BYTES = 4;
const DIRECTORY_ENTRY_BYTES = 64;
/** Including the terminating NUL. */
const NAME_BYTES = 56;

const DMA_ERROR = 0x01;
const DMA_READ = 0x02;
const DMA_SKIP = 0x04;
const DMA_SELECT = 0x08;
const DMA_WRITE = 0x10;
const DMA_REQUEST_BYTES = 16;
/** Zeroes written after an item before the rest of the machine gets a turn: a guest may request 4 GiB of them. */
const ZEROES_AT_ONCE = 64 * 2 ** 20;
/** Value of the DMA register: "QEMU CFG", most significant byte first. */
const DMA_SIGNATURE = 0x5145_4d55_2043_4647n;

interface Item {
  readonly bytes: Uint8Array;
  readonly writable: boolean;
}

interface File extends Item {
  readonly name: string;
}

/** Selector, data and DMA registers, all big-endian. The board maps the three windows. */
export class FwCfgMem extends SysBusDevice {
  static override readonly typeName = "fw_cfg_mem";
  static override readonly instanceSize: number = 1216;
  static override readonly properties = [
    uintProperty<FwCfgMem>("data_width", "uint32", "dataWidth"),
    boolProperty<FwCfgMem>("dma_enabled", "dmaEnabled"),
    uintProperty<FwCfgMem>("x-file-slots", "uint16", "fileSlots"),
  ];

  static override readonly vmState = {
    name: "fw_cfg",
    version: 2,
    fields: {
      ...{ selected: "uint16", offset: "uint32", dmaHigh: "uint32" },
      ...{ request: "int", zeroesAt: "int", zeroesLeft: "uint32", turn: "timer" },
    },
  } as const satisfies VmState;

  /** Maximum access size of the data register, in bytes. */
  dataWidth = 1;
  dmaEnabled = true;
  /** Maximum number of files. */
  fileSlots = 32;
  /** By number, including machine-specific ones; files are in `files`. */
  private readonly items = new Map<number, Item>();
  /** Sorted by name; a file's position gives its number. */
  private readonly files: File[] = [];
  private selected = SIGNATURE;
  private offset = 0;
  /** High half of a request's address, until the low half is written. */
  private dmaHigh = 0;
  /** The request in progress: its address, and the zeroes still to be written. */
  private request = 0;
  private zeroesAt = 0;
  private zeroesLeft = 0;
  private readonly turn = this.clock.timer(() => this.writeZeroes(this.dmaView()));

  protected override realize(): void {
    /** Selects an item. */
    const ctlIomem = MemoryRegion.newIo(this, ctlOps, this, "fwcfg.ctl", 2);
    this.initMmio(ctlIomem);
    /** Reads the item's bytes in sequence. */
    const dataIomem = MemoryRegion.newIo(this, dataOps, this, "fwcfg.data", this.dataWidth);
    this.initMmio(dataIomem);
    if (this.dmaEnabled) {
      /** Receives the address of a request. */
      const dmaIomem = MemoryRegion.newIo(this, dmaOps, this, "fwcfg.dma", 8);
      this.initMmio(dmaIomem);
    }
    this.addItem(SIGNATURE, new TextEncoder().encode("QEMU"));
    this.addItem(ID, uint32(ID_TRADITIONAL | (this.dmaEnabled ? ID_DMA : 0)));
    this.updateDirectory();
  }

  override reset(): void {
    this.select(SIGNATURE);
    this.turn.cancel();
    this.zeroesLeft = 0;
  }

  protected override unrealize(): void {
    this.turn.cancel();
    this.zeroesLeft = 0;
  }

  /** Adds or replaces an item. @param number below 0x20; plus 0x8000 if the item is machine-specific. */
  addItem(number: number, bytes: Uint8Array): void {
    this.items.set(number, { bytes, writable: false });
  }

  /** Adds the files that firmware loads itself; QEMU's docs/specs/fw_cfg.rst calls this the legacy interface. */
  addKernel({ kernel, initrd, commandLine }: FlashKernel): void {
    const add = (size: number, data: number, bytes: Uint8Array | undefined): void => {
      if (bytes === undefined) return;
      this.addItem(size, uint32(bytes.length));
      this.addItem(data, bytes);
    };
    add(KERNEL_SIZE, KERNEL_DATA, kernel);
    add(INITRD_SIZE, INITRD_DATA, initrd);
    add(
      COMMAND_LINE_SIZE,
      COMMAND_LINE_DATA,
      commandLine === undefined ? undefined : terminated(commandLine),
    );
  }

  /**
   * Adds a file. Files that sort after it are renumbered, so all must be added before the guest looks.
   * @param writable whether the guest may write to it, through DMA.
   * @throws QomError when the name is taken, empty or too long, or there is no room.
   */
  addFile(name: string, bytes: Uint8Array, writable = false): void {
    const length = new TextEncoder().encode(name).length;
    if (length === 0 || length >= NAME_BYTES)
      throw new QomError(`fw_cfg file name "${name}" has ${length} bytes; give 1 to ${NAME_BYTES - 1}`);
    if (this.files.some((file) => file.name === name))
      throw new QomError(`fw_cfg file "${name}" already exists; give another name`);
    if (this.files.length >= this.fileSlots)
      throw new QomError(`fw_cfg has room for ${this.fileSlots} files; leave out "${name}", or another`);
    const behind = this.files.findIndex((file) => file.name > name);
    this.files.splice(behind < 0 ? this.files.length : behind, 0, { name, bytes, writable });
    this.updateDirectory();
  }

  select(number: number): void {
    this.selected = number;
    this.offset = 0;
  }

  /** The next bytes of the selected item, the first in the most significant place; zeroes past its end. */
  readData(size: number): number {
    const bytes = this.item?.bytes;
    let value = 0;
    for (let done = 0; done < size; done++) {
      const byte = bytes?.[this.offset] ?? 0;
      if (bytes !== undefined && this.offset < bytes.length) this.offset++;
      value = (value << 8) | byte;
    }
    return value >>> 0;
  }

  /** Takes half of a request's address; the low half starts the request. */
  writeDma(offset: number, value: number): void {
    if (offset === 0) {
      this.dmaHigh = value;
      return;
    }
    const address = this.dmaHigh * 2 ** 32 + value;
    this.dmaHigh = 0;
    this.carryOut(address);
  }

  private carryOut(address: number): void {
    const dma = this.dmaView();
    const request = new DataView(new ArrayBuffer(DMA_REQUEST_BYTES));
    const failed = dma.readBytes(address, new Uint8Array(request.buffer)) !== MemTxResult.Ok;
    // One at a time; guests wait for the control word.
    if (failed || this.zeroesLeft > 0) {
      finish(dma, address, MemTxResult.Error);
      return;
    }
    this.request = address;
    const result = this.transfer(dma, request);
    if (result !== MemTxResult.Ok) this.zeroesLeft = 0;
    if (this.zeroesLeft > 0) this.writeZeroes(dma);
    else finish(dma, address, result);
  }

  /** Writes the zeroes after an item, some at a time; stops at the first error. */
  private writeZeroes(dma: DmaView): void {
    let result: MemTxResult = MemTxResult.Ok;
    for (let done = 0; done < ZEROES_AT_ONCE && this.zeroesLeft > 0 && result === MemTxResult.Ok; ) {
      const piece = ZEROES.subarray(0, Math.min(ZEROES.length, this.zeroesLeft));
      result = dma.writeBytes(this.zeroesAt, piece);
      this.zeroesAt += piece.length;
      this.zeroesLeft -= piece.length;
      done += piece.length;
    }
    if (result !== MemTxResult.Ok) this.zeroesLeft = 0;
    if (this.zeroesLeft > 0) this.turn.set(this.clock.now());
    else finish(dma, this.request, result);
  }

  /** Transfers an item's bytes; the zeroes after them remain to be written. */
  private transfer(dma: DmaView, request: DataView): MemTxResult {
    const control = request.getUint32(0);
    const length = request.getUint32(4);
    const target = request.getUint32(8) * 2 ** 32 + request.getUint32(12);
    if ((control & DMA_SELECT) !== 0) this.select(control >>> 16);
    const kind = control & (DMA_READ | DMA_WRITE | DMA_SKIP);
    if (kind === 0 || length === 0) return MemTxResult.Ok;
    const { item } = this;
    const left = item === undefined ? 0 : item.bytes.length - this.offset;
    const within = Math.min(length, left);
    const piece = item?.bytes.subarray(this.offset, this.offset + within) ?? new Uint8Array();
    let result: MemTxResult = MemTxResult.Ok;
    if ((kind & DMA_READ) !== 0) {
      if (within > 0) result = dma.writeBytes(target, piece);
      this.zeroesAt = target + within;
      this.zeroesLeft = length - within;
    } else if ((kind & DMA_WRITE) !== 0) {
      // All or nothing: a write past the item's end is an error, although the offset advances.
      if (item?.writable === true && within === length) result = dma.readBytes(target, piece);
      else result = MemTxResult.Error;
    }
    this.offset += within;
    return result;
  }

  private get item(): Item | undefined {
    const { selected } = this;
    const number = selected & NUMBER_MASK;
    if (number >= FIRST_FILE && (selected & LOCAL) === 0) return this.files[number - FIRST_FILE];
    return this.items.get(number | (selected & LOCAL));
  }

  private updateDirectory(): void {
    const bytes = new Uint8Array(DIRECTORY_HEADER_BYTES + this.files.length * DIRECTORY_ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.files.length);
    for (const [index, file] of this.files.entries()) {
      const at = DIRECTORY_HEADER_BYTES + index * DIRECTORY_ENTRY_BYTES;
      view.setUint32(at, file.bytes.length);
      view.setUint16(at + 4, FIRST_FILE + index);
      bytes.set(new TextEncoder().encode(file.name), at + 8);
    }
    this.addItem(FILE_DIRECTORY, bytes);
  }
}

function uint32(value: number, littleEndian = true): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
}

function terminated(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

const ZEROES = new Uint8Array(4096);

/** Reports the outcome of a request to the guest, in the control word. */
function finish(dma: DmaView, address: number, result: MemTxResult): void {
  dma.writeBytes(address, uint32(result === MemTxResult.Ok ? 0 : DMA_ERROR, false));
}

const ctlOps: MemoryRegionOps<FwCfgMem> = {
  read: () => 0,
  write: (config, _offset, value) => config.select(value),
  endianness: "big",
  valid: { accepts: (_config, _offset, size, isWrite) => isWrite && size === 2 },
};

/** Writes have no effect: they must use DMA. */
const dataOps: MemoryRegionOps<FwCfgMem> = {
  read: (config, _offset, size) => config.readData(size),
  write: () => {},
  endianness: "big",
  valid: { maxAccessSize: 8, accepts: (_config, offset) => offset === 0 },
};

const dmaOps: MemoryRegionOps<FwCfgMem> = {
  read: (_config, offset, size) =>
    Number(BigInt.asUintN(8 * size, DMA_SIGNATURE >> BigInt(8 * (8 - offset - size)))),
  write: (config, offset, value) => config.writeDma(offset, value),
  endianness: "big",
  valid: {
    maxAccessSize: 8,
    accepts: (_config, offset, size, isWrite) =>
      !isWrite || (size === 4 && offset % 4 === 0) || (size === 8 && offset === 0),
  },
};
