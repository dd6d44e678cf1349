/** Parallel NOR flash, Intel command set. Source: Intel StrataFlash J3 data sheet; JESD68.01; quirks as in QEMU. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { type BlockBackend, SysBusDevice, stringProperty, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";
import { cfiQueryTable } from "./cfi-query.ts";

/** Commands. 0x00, which also reads the array, is QEMU's own. */
const READ_ARRAY = 0xff;
const READ_ARRAY_OLD = 0x00;
const READ_IDENTIFIER = 0x90;
const READ_QUERY = 0x98;
const READ_STATUS = 0x70;
const CLEAR_STATUS = 0x50;
const PROGRAM = 0x40;
const PROGRAM_ALTERNATE = 0x10;
const ERASE_BLOCK = 0x20;
const WRITE_BUFFER = 0xe8;
const CONFIRM = 0xd0;
const LOCK_SETUP = 0x60;
const LOCK_SET = 0x01;

const STATUS_READY = 0x80;
const STATUS_ERASE_ERROR = 0x20;
const STATUS_PROGRAM_ERROR = 0x10;

/** The write that is expected next in a command sequence. */
const EXPECT = { Command: 0, Argument: 1, BufferData: 2, BufferConfirm: 3 } as const;
type Expect = (typeof EXPECT)[keyof typeof EXPECT];

/** Sectors of the drive; modelled buffer of one chip: 2 KiB, or 256 bytes if the bank is one byte wide. */
const SECTOR_BYTES = 512;
const CHIP_BUFFER_BYTES = 0x800;
const NARROW_CHIP_BUFFER_BYTES = 0x100;

/**
 * Chips side by side: `width` bytes together, `device-width` bytes each. Commands go to all chips at once, and each
 * answers in its own bytes. Commands take no time: the status is ready at once.
 *
 * In read-array mode the bank reads like memory, at the same speed; after any other command, reads return the chips'
 * answers. Programming stores the value written, whereas real flash only clears bits.
 */
export class PflashCfi01 extends SysBusDevice {
  static override readonly typeName = "cfi.pflash01";
  static override readonly instanceSize: number = 1000;
  static override readonly properties = [
    stringProperty<PflashCfi01>("drive", "drive"),
    uintProperty<PflashCfi01>("num-blocks", "uint32", "numBlocks"),
    uintProperty<PflashCfi01>("sector-length", "uint32", "sectorLength"),
    uintProperty<PflashCfi01>("width", "uint8", "width"),
    uintProperty<PflashCfi01>("device-width", "uint8", "deviceWidth"),
    uintProperty<PflashCfi01>("max-device-width", "uint8", "maxDeviceWidth"),
    uintProperty<PflashCfi01>("id0", "uint16", "id0"),
    uintProperty<PflashCfi01>("id1", "uint16", "id1"),
    uintProperty<PflashCfi01>("id2", "uint16", "id2"),
    uintProperty<PflashCfi01>("id3", "uint16", "id3"),
    stringProperty<PflashCfi01>("name", "name"),
  ];
  static override readonly vmState = {
    name: "cfi.pflash01",
    version: 1,
    fields: {
      command: "uint8",
      expect: "uint8",
      status: "uint8",
      buffer: "bytes",
      bufferedAt: "int",
      bufferCounter: "uint32",
    },
    postLoad: (flash: PflashCfi01) => flash.mem.setRomdMode(flash.command === READ_ARRAY_OLD),
  } as const satisfies VmState;

  /** The array, or the chips' answers in its place. */
  private mem!: MemoryRegion;
  /** Name of the drive that keeps the array between runs; if empty, its content is lost. */
  drive = "";
  numBlocks = 128;
  /** Bytes per block of the whole bank. */
  sectorLength = 0x4_0000;
  width = 4;
  deviceWidth = 2;
  /** Maximum width of the chips, and the unit of query addresses. */
  maxDeviceWidth = 2;
  /** Manufacturer ID. */
  id0 = 0x89;
  /** Device ID. */
  id1 = 0x18;
  id2 = 0;
  id3 = 0;
  name = "pflash";
  /** Whether erasing and programming fail; set by the host. */
  readOnly = false;
  private backend: BlockBackend | null = null;
  private storage: DataView = new DataView(new ArrayBuffer(0));
  private queryTable: Uint8Array = new Uint8Array();
  /** Binary logarithm of the bytes per entry of the query table and per identifier. */
  private queryShift = 0;
  private command = READ_ARRAY_OLD;
  private expect: Expect = EXPECT.Command;
  private status = STATUS_READY;
  private buffer: Uint8Array = new Uint8Array();
  private bufferView: DataView = new DataView(this.buffer.buffer);
  /** Offset of the buffered block in the array; -1 while none is buffered. */
  private bufferedAt = -1;
  /** Number of buffered writes expected after the next one. */
  private bufferCounter = 0;

  protected override realize(): void {
    this.checkGeometry();
    this.mem = MemoryRegion.newRomDevice(this, ops, this, this.name, this.numBlocks * this.sectorLength);
    this.initMmio(this.mem);
    const { buffer, byteOffset, byteLength } = this.mem.ramBytes();
    this.storage = new DataView(buffer, byteOffset, byteLength);
    if (this.drive !== "") this.readDrive();
    const chips = this.width / this.deviceWidth;
    const bufferBytes = this.width === 1 ? NARROW_CHIP_BUFFER_BYTES : CHIP_BUFFER_BYTES;
    this.queryTable = cfiQueryTable({
      blocks: this.numBlocks,
      blockBytes: this.sectorLength / chips,
      bufferBytes,
    });
    this.queryShift = Math.log2((this.width * this.maxDeviceWidth) / this.deviceWidth);
    this.buffer = new Uint8Array(bufferBytes * chips);
    this.bufferView = new DataView(this.buffer.buffer);
  }

  protected override unrealize(): void {
    if (this.backend === null) return;
    this.backend = null;
    this.model.detachDrive(this.drive);
  }

  override reset(): void {
    this.readArray();
    this.status = STATUS_READY;
  }

  /** Loads `content` at the start of the array, from the host. @throws QomError when it is larger than the array. */
  load(content: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = this.storage;
    if (content.length > byteLength)
      throw new QomError(
        `flash ${this.name} holds ${byteLength} bytes, but the image has ${content.length}; give a smaller one`,
      );
    new Uint8Array(buffer, byteOffset, byteLength).set(content);
  }

  /** @throws QomError when the drive's size differs from the array's, or it cannot be read. */
  private readDrive(): void {
    const drive = this.model.attachDrive(this.drive);
    const bytes = this.mem.ramBytes();
    const mistake =
      drive.bytes !== bytes.length
        ? `has ${drive.bytes} bytes, not ${bytes.length}; give an image of that size`
        : drive.read(0, bytes) === "ok"
          ? null
          : "cannot be read; give another";
    if (mistake !== null) {
      this.model.detachDrive(this.drive);
      throw new QomError(`flash ${this.name}: drive ${this.drive} ${mistake}`);
    }
    this.backend = drive;
    this.readOnly = drive.readOnly;
  }

  /** Writes changes to the drive, in whole sectors. Ignores host errors, which chips cannot report. */
  private keep(offset: number, length: number): void {
    if (this.backend === null) return;
    const start = offset - (offset % SECTOR_BYTES);
    const end = Math.ceil((offset + length) / SECTOR_BYTES) * SECTOR_BYTES;
    const { buffer, byteOffset } = this.storage;
    this.backend.write(start, new Uint8Array(buffer, byteOffset + start, end - start));
  }

  /** Returns the chips' answers while the bank does not read like memory. */
  readRegister(offset: number, size: number): number {
    switch (this.command) {
      case READ_ARRAY_OLD:
        return this.readStorage(offset, size);
      case READ_QUERY:
        return this.fromEachChip(this.queryTable[offset >> this.queryShift] ?? 0, this.width);
      case READ_IDENTIFIER:
        return this.fromEachChip(this.identifier((offset >> this.queryShift) & 0xff), this.width);
      default:
        return this.fromEachChip(this.status, size);
    }
  }

  writeRegister(offset: number, value: number, size: number): void {
    const code = value & 0xff;
    switch (this.expect) {
      case EXPECT.Command:
        this.startCommand(offset, code);
        break;
      case EXPECT.Argument:
        this.takeArgument(offset, value, size);
        break;
      case EXPECT.BufferData:
        this.bufferWrite(offset, value, size);
        break;
      case EXPECT.BufferConfirm:
        if (code === CONFIRM && (this.status & STATUS_PROGRAM_ERROR) === 0) {
          this.flushBuffer();
          this.finish();
        } else {
          this.readArray();
        }
        break;
    }
  }

  private startCommand(offset: number, code: number): void {
    switch (code) {
      case PROGRAM:
      case PROGRAM_ALTERNATE:
      case LOCK_SETUP:
      case READ_QUERY:
        this.expect = EXPECT.Argument;
        break;
      case ERASE_BLOCK: // erases at once; the confirmation only ends the sequence
        this.eraseBlock(offset);
        this.status |= STATUS_READY;
        this.expect = EXPECT.Argument;
        break;
      case WRITE_BUFFER:
        this.status |= STATUS_READY;
        this.expect = EXPECT.Argument;
        break;
      case READ_STATUS:
      case READ_IDENTIFIER:
        break;
      case CLEAR_STATUS:
        this.status = 0;
        this.readArray();
        return;
      default: // including reads of the array
        this.readArray();
        return;
    }
    this.command = code;
    this.mem.setRomdMode(false);
  }

  private takeArgument(offset: number, value: number, size: number): void {
    const code = value & 0xff;
    switch (this.command) {
      case PROGRAM:
      case PROGRAM_ALTERNATE:
        this.program(offset, value, size);
        this.finish();
        break;
      case ERASE_BLOCK:
        if (code === CONFIRM) this.finish();
        else this.readArray();
        break;
      case WRITE_BUFFER:
        this.bufferCounter = this.deviceWidth === 4 ? value : value & ((1 << (this.deviceWidth * 8)) - 1);
        this.startBuffer(offset);
        this.expect = EXPECT.BufferData;
        break;
      case LOCK_SETUP: // blocks have no locks; valid sequences succeed
        if (code === CONFIRM || code === LOCK_SET) this.finish();
        else this.readArray();
        break;
      case READ_QUERY: // lasts until a read-array command
        if (code === READ_ARRAY) this.readArray();
        break;
    }
  }

  /** Ends a valid sequence; reads return the status. */
  private finish(): void {
    this.expect = EXPECT.Command;
    this.status |= STATUS_READY;
  }

  /** Returns to read-array mode, abandoning any sequence. */
  private readArray(): void {
    this.bufferedAt = -1;
    this.expect = EXPECT.Command;
    this.command = READ_ARRAY_OLD;
    this.mem.setRomdMode(true);
  }

  private eraseBlock(offset: number): void {
    if (this.readOnly) {
      this.status |= STATUS_ERASE_ERROR;
      return;
    }
    const start = offset - (offset % this.sectorLength);
    new Uint8Array(this.storage.buffer, this.storage.byteOffset + start, this.sectorLength).fill(0xff);
    this.keep(start, this.sectorLength);
  }

  private program(offset: number, value: number, size: number): void {
    if (this.readOnly) this.status |= STATUS_PROGRAM_ERROR;
    else {
      store(this.storage, offset, value, size);
      this.keep(offset, size);
    }
  }

  /** Begins a buffered write to the block around `offset`; the buffer starts with the block's current content. */
  private startBuffer(offset: number): void {
    this.bufferedAt = offset - (offset % this.buffer.length);
    const start = this.storage.byteOffset + this.bufferedAt;
    this.buffer.set(new Uint8Array(this.storage.buffer, start, this.buffer.length));
  }

  private bufferWrite(offset: number, value: number, size: number): void {
    const at = offset - this.bufferedAt;
    if (this.readOnly || at < 0 || at + size > this.buffer.length) this.status |= STATUS_PROGRAM_ERROR;
    else store(this.bufferView, at, value, size);
    this.status |= STATUS_READY;
    if (this.bufferCounter === 0) this.expect = EXPECT.BufferConfirm;
    else this.bufferCounter--;
  }

  private flushBuffer(): void {
    const start = this.storage.byteOffset + this.bufferedAt;
    new Uint8Array(this.storage.buffer, start, this.buffer.length).set(this.buffer);
    this.keep(this.bufferedAt, this.buffer.length);
    this.bufferedAt = -1;
  }

  private readStorage(offset: number, size: number): number {
    if (size === 4) return this.storage.getUint32(offset, true);
    return size === 2 ? this.storage.getUint16(offset, true) : this.storage.getUint8(offset);
  }

  private identifier(index: number): number {
    return index === 0 ? this.id0 : index === 1 ? this.id1 : 0;
  }

  /** Repeats `answer` for each chip, side by side in `bytes` bytes. */
  private fromEachChip(answer: number, bytes: number): number {
    let value = answer;
    for (let at = this.deviceWidth; at + this.deviceWidth <= bytes; at += this.deviceWidth) {
      value |= answer << (at * 8);
    }
    return value >>> 0;
  }

  private checkGeometry(): void {
    const { width, deviceWidth, maxDeviceWidth, numBlocks, sectorLength } = this;
    const widths = [deviceWidth, maxDeviceWidth, width];
    if (!widths.every((each) => each === 1 || each === 2 || each === 4) || deviceWidth > width)
      throw new QomError(
        `flash ${this.name}: width ${width}, device-width ${deviceWidth}, max-device-width ${maxDeviceWidth}; give 1, 2 or 4 bytes each, chips no wider than the bank`,
      );
    if (!isPowerOfTwo(sectorLength) || !isPowerOfTwo(numBlocks) || sectorLength < 0x1000)
      throw new QomError(
        `flash ${this.name}: ${numBlocks} blocks of ${sectorLength} bytes; give powers of two, blocks of at least 4 KiB`,
      );
  }
}

function store(view: DataView, offset: number, value: number, size: number): void {
  if (size === 4) view.setUint32(offset, value, true);
  else if (size === 2) view.setUint16(offset, value, true);
  else view.setUint8(offset, value);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

const ops: MemoryRegionOps<PflashCfi01> = {
  read: (flash, offset, size) => flash.readRegister(offset, size),
  write: (flash, offset, value, size) => flash.writeRegister(offset, value, size),
  endianness: "little",
};
