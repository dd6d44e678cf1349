/** Block device. Source: VIRTIO 1.2, section 5.2; defaults, limits and quirks as in QEMU 7.2. */
import {
  type BlockBackend,
  type BlockResult,
  boolProperty,
  stringProperty,
  uintProperty,
  type VmState,
} from "#qdev";
import { QomAbort, QomError } from "#qom";
import { VIRTIO_STATUS, VirtioDevice } from "../virtio/virtio-device.ts";
import {
  VIRTIO_F_ANY_LAYOUT,
  VIRTIO_F_VERSION_1,
  VIRTIO_LEGACY_FEATURES,
} from "../virtio/virtio-features.ts";
import type { Virtqueue } from "../virtio/virtqueue.ts";
import type { VirtqueueElement } from "../virtio/virtqueue-element.ts";

const FEATURE = {
  SegMax: 1n << 2n,
  Geometry: 1n << 4n,
  ReadOnly: 1n << 5n,
  BlockSize: 1n << 6n,
  /** SCSI commands: legacy drivers expect this feature; all commands are reported as unsupported. */
  Scsi: 1n << 7n,
  Flush: 1n << 9n,
  Topology: 1n << 10n,
  ConfigWce: 1n << 11n,
  MultiQueue: 1n << 12n,
  Discard: 1n << 13n,
  WriteZeroes: 1n << 14n,
} as const;

/** Request types. Those that send data to the device are odd. */
const REQUEST_IN = 0;
const REQUEST_FLUSH = 4;
const REQUEST_GET_ID = 8;
const REQUEST_DISCARD = 11;
const REQUEST_WRITE_ZEROES = 13;
const REQUEST_OUT_BIT = 1;
/** Legacy; has no meaning. */
const REQUEST_BARRIER_BIT = 0x8000_0000;

const STATUS_OK = 0;
const STATUS_ERROR = 1;
const STATUS_UNSUPPORTED = 2;

const SECTOR_BYTES = 512;
const HEADER_BYTES = 16;
const RANGE_BYTES = 16;
const ID_BYTES = 20;
const MAY_UNMAP = 1;

/** Bytes of the configuration before the fields for discard, up to those for write-zeroes, and in total. */
const CONFIG_BYTES = 36;
const CONFIG_BYTES_DISCARD = 48;
const CONFIG_BYTES_WRITE_ZEROES = 57;
const CONFIG_WCE = 32;

/** Stands for as many as suit the transport, which is one. */
const AUTO_QUEUES = 0xffff;
/** Stands for QEMU's choice, the logical block size. */
const AUTO_GRANULARITY = 0xffff_ffff;
const MOST_QUEUE_SIZE = 1024;
/** Maximum number of sectors in a discard or write-zeroes request. */
const MOST_SECTORS = 0x3f_ffff;

/** Requests are carried out synchronously, in the order in which the driver makes them available. */
export class VirtioBlk extends VirtioDevice {
  static override readonly typeName = "virtio-blk-device";
  static override readonly instanceSize: number = 784;
  static override readonly vmState = {
    name: "virtio-blk",
    version: 2,
    fields: { ...VirtioDevice.vmFields, cacheEnabled: "bool" },
  } as const satisfies VmState;
  static override readonly properties = [
    stringProperty<VirtioBlk>("drive", "drive"),
    uintProperty<VirtioBlk>("logical_block_size", "size", "logicalBlockSize"),
    uintProperty<VirtioBlk>("physical_block_size", "size", "physicalBlockSize"),
    uintProperty<VirtioBlk>("min_io_size", "size", "minIoSize"),
    uintProperty<VirtioBlk>("opt_io_size", "size", "optIoSize"),
    uintProperty<VirtioBlk>("discard_granularity", "size", "discardGranularity"),
    stringProperty<VirtioBlk>("write-cache", "writeCache"),
    uintProperty<VirtioBlk>("cyls", "uint32", "cyls"),
    uintProperty<VirtioBlk>("heads", "uint32", "heads"),
    uintProperty<VirtioBlk>("secs", "uint32", "secs"),
    stringProperty<VirtioBlk>("serial", "serial"),
    boolProperty<VirtioBlk>("config-wce", "configWce"),
    uintProperty<VirtioBlk>("num-queues", "uint16", "numQueues"),
    uintProperty<VirtioBlk>("queue-size", "uint16", "queueSize"),
    boolProperty<VirtioBlk>("seg-max-adjust", "segMaxAdjust"),
    boolProperty<VirtioBlk>("discard", "discard"),
    boolProperty<VirtioBlk>("report-discard-granularity", "reportDiscardGranularity"),
    boolProperty<VirtioBlk>("write-zeroes", "writeZeroes"),
    uintProperty<VirtioBlk>("max-discard-sectors", "uint32", "maxDiscardSectors"),
    uintProperty<VirtioBlk>("max-write-zeroes-sectors", "uint32", "maxWriteZeroesSectors"),
  ];

  readonly deviceId = 2;
  /** Name of the backend in `DeviceModel.drives`. */
  drive = "";
  /** Bytes; 0 stands for 512. */
  logicalBlockSize = 0;
  physicalBlockSize = 0;
  /** Minimum and optimal transfer sizes in bytes; 0 if there is no preference. */
  minIoSize = 0;
  optIoSize = 0;
  discardGranularity = AUTO_GRANULARITY;
  /** Whether writes may stay in the host's caches until the driver flushes them: `on`, `off` or `auto`. */
  writeCache = "auto";
  /** Geometry for drivers that still use it; guessed from the size if all three are 0. */
  cyls = 0;
  heads = 0;
  secs = 0;
  /** The disk's ID as read by the driver; only the first 20 bytes are used. */
  serial = "";
  /** Whether the driver may turn the write cache on and off. */
  configWce = true;
  numQueues = AUTO_QUEUES;
  queueSize = 256;
  /** Whether the driver may use all but two of a queue's descriptors for data, rather than 126. */
  segMaxAdjust = true;
  discard = true;
  reportDiscardGranularity = true;
  writeZeroes = true;
  maxDiscardSectors = MOST_SECTORS;
  maxWriteZeroesSectors = MOST_SECTORS;
  private backend: BlockBackend | null = null;
  /** Whether writes may currently stay in caches. */
  private cacheEnabled = true;
  private readonly header = new DataView(new ArrayBuffer(HEADER_BYTES));
  private readonly statusByte = new Uint8Array(1);

  protected override realizeDevice(): void {
    this.checkOptions();
    this.backend = this.model.attachDrive(this.drive);
    if (this.numQueues === AUTO_QUEUES) this.numQueues = 1;
    if (this.logicalBlockSize === 0) this.logicalBlockSize = SECTOR_BYTES;
    if (this.physicalBlockSize === 0) this.physicalBlockSize = this.logicalBlockSize;
    this.guessGeometry(this.backend.bytes);
    for (let index = 0; index < this.numQueues; index++)
      this.addQueue(this.queueSize, (queue) => this.serve(queue));
    this.fillConfig();
  }

  protected override unrealizeDevice(): void {
    this.backend = null;
    this.model.detachDrive(this.drive);
  }

  protected override offer(features: bigint): bigint {
    let offered =
      features | FEATURE.SegMax | FEATURE.Geometry | FEATURE.BlockSize | FEATURE.Topology | FEATURE.Flush;
    if ((features & VIRTIO_F_VERSION_1) === 0n) offered = (offered & ~VIRTIO_F_ANY_LAYOUT) | FEATURE.Scsi;
    if (this.configWce) offered |= FEATURE.ConfigWce;
    if (this.disk.readOnly) offered |= FEATURE.ReadOnly;
    if (this.numQueues > 1) offered |= FEATURE.MultiQueue;
    if (this.discard) offered |= FEATURE.Discard;
    if (this.writeZeroes) offered |= FEATURE.WriteZeroes;
    return offered;
  }

  override get legacyFeatures(): bigint {
    return VIRTIO_LEGACY_FEATURES | FEATURE.Scsi;
  }

  protected override resetDevice(): void {
    this.setCache(this.writeCache !== "off");
  }

  /** Turns the cache off for drivers that neither switch it nor flush, so that they lose nothing. */
  protected override statusChanges(value: number): void {
    if ((value & VIRTIO_STATUS.DriverOk) === 0 || this.hasFeature(FEATURE.ConfigWce)) return;
    this.setCache(this.hasFeature(FEATURE.Flush));
  }

  protected override configWritten(): void {
    this.setCache(this.config.getUint8(CONFIG_WCE) !== 0);
    this.fillConfig(); // only this field is writable
  }

  private setCache(enabled: boolean): void {
    this.cacheEnabled = enabled;
    this.config.setUint8(CONFIG_WCE, Number(enabled));
  }

  private serve(queue: Virtqueue): void {
    do {
      queue.setNotification(false);
      for (let element = queue.pop(); element !== null; element = queue.pop()) {
        const status = this.carryOut(element);
        if (status === null) {
          queue.unpop(element);
          return;
        }
        this.statusByte[0] = status;
        element.write(element.inBytes - 1, this.statusByte);
        queue.push(element, element.inBytes);
        this.notify(queue);
      }
      queue.setNotification(true);
    } while (!queue.empty);
  }

  /** Returns the status for the driver; null if the request is invalid, which breaks the device. */
  private carryOut(element: VirtqueueElement): number | null {
    const bytes = new Uint8Array(this.header.buffer);
    if (element.inBytes < 1 || element.read(0, bytes) < HEADER_BYTES) {
      this.fail(`a request has ${element.outBytes} bytes to read and ${element.inBytes} to write`);
      return null;
    }
    const type = (this.header.getUint32(0, true) & ~REQUEST_BARRIER_BIT) >>> 0;
    switch (type & ~REQUEST_OUT_BIT) {
      case REQUEST_IN:
        return (type & REQUEST_OUT_BIT) === 0 ? this.read(element) : this.write(element);
      case REQUEST_FLUSH:
        return statusOf(this.disk.flush());
      case REQUEST_GET_ID:
        return this.tellId(element);
      case REQUEST_DISCARD & ~REQUEST_OUT_BIT:
      case REQUEST_WRITE_ZEROES & ~REQUEST_OUT_BIT:
        return this.changeRange(element, type);
      default:
        return STATUS_UNSUPPORTED;
    }
  }

  private read(element: VirtqueueElement): number {
    const length = element.inBytes - 1;
    const start = this.placeOf(this.header.getBigUint64(8, true), length);
    if (start === null) return STATUS_ERROR;
    let result: BlockResult = "ok";
    element.forEachIn(0, length, (bytes, done) => {
      if (result === "ok") result = this.disk.read(start + done, bytes);
    });
    return statusOf(result);
  }

  private write(element: VirtqueueElement): number {
    const length = element.outBytes - HEADER_BYTES;
    const start = this.placeOf(this.header.getBigUint64(8, true), length);
    if (start === null) return STATUS_ERROR;
    let result: BlockResult = this.disk.readOnly ? "read-only" : "ok";
    element.forEachOut(HEADER_BYTES, length, (bytes, done) => {
      if (result === "ok") result = this.disk.write(start + done, bytes);
    });
    return this.settle(result);
  }

  private tellId(element: VirtqueueElement): number {
    const name = new Uint8Array(ID_BYTES + 1);
    const { written } = new TextEncoder().encodeInto(this.serial, name.subarray(0, ID_BYTES));
    const room = Math.min(element.inBytes - 1, ID_BYTES);
    element.write(0, name.subarray(0, Math.min(written + 1, room)));
    return STATUS_OK;
  }

  private changeRange(element: VirtqueueElement, type: number): number | null {
    if ((type & REQUEST_OUT_BIT) === 0 || element.outBytes > HEADER_BYTES + RANGE_BYTES)
      return STATUS_UNSUPPORTED; // one range per request, as the configuration says
    const range = new DataView(new ArrayBuffer(RANGE_BYTES));
    if (element.read(HEADER_BYTES, new Uint8Array(range.buffer)) < RANGE_BYTES) {
      this.fail("a request to discard or to write zeroes has no range");
      return null;
    }
    const isDiscard = type === REQUEST_DISCARD;
    const sectors = range.getUint32(8, true);
    const flags = range.getUint32(12, true);
    if (sectors > (isDiscard ? this.maxDiscardSectors : this.maxWriteZeroesSectors)) return STATUS_ERROR;
    const length = sectors * SECTOR_BYTES;
    const start = this.placeOf(range.getBigUint64(0, true), length);
    if (start === null) return STATUS_ERROR;
    if ((flags & ~MAY_UNMAP) !== 0 || (isDiscard && flags !== 0)) return STATUS_UNSUPPORTED;
    if (this.disk.readOnly) return STATUS_ERROR;
    if (isDiscard) return this.settle(this.disk.discard(start, length));
    return this.settle(this.disk.writeZeroes(start, length, (flags & MAY_UNMAP) !== 0));
  }

  /** Without a cache, flushes before the request completes. */
  private settle(result: BlockResult): number {
    return statusOf(result === "ok" && !this.cacheEnabled ? this.disk.flush() : result);
  }

  /** Byte offset of a range of whole blocks within the disk; null for any other range. */
  private placeOf(sector: bigint, length: number): number | null {
    const start = Number(sector) * SECTOR_BYTES; // inexact only far past the end
    const isWhole = length % this.logicalBlockSize === 0 && start % this.logicalBlockSize === 0;
    return isWhole && start + length <= this.disk.bytes ? start : null;
  }

  private get disk(): BlockBackend {
    if (this.backend === null) throw new QomAbort(`${this.describe()} has no drive: it is not realized`);
    return this.backend;
  }

  private checkOptions(): void {
    if (this.drive === "")
      throw new QomError("property drive is not set; give drive= and the id of a -drive");
    const { logicalBlockSize: logical, physicalBlockSize: physical } = this;
    for (const [name, size] of [
      ["logical_block_size", logical],
      ["physical_block_size", physical],
    ] as const) {
      const isSize = size >= SECTOR_BYTES && size <= 2 ** 21 && Number.isInteger(Math.log2(size));
      if (size !== 0 && !isSize)
        throw new QomError(`property ${name} is ${size}; give a power of two from 512 to 2097152`);
    }
    if (physical !== 0 && physical < logical)
      throw new QomError(
        `property physical_block_size is ${physical}; give at least logical_block_size, ${logical}`,
      );
    if (!["on", "off", "auto"].includes(this.writeCache))
      throw new QomError(`property write-cache is ${this.writeCache}; give on, off or auto`);
    if (this.numQueues === 0 || (this.numQueues !== AUTO_QUEUES && this.numQueues > MOST_QUEUE_SIZE))
      throw new QomError(`property num-queues is ${this.numQueues}; give 1 to ${MOST_QUEUE_SIZE}`);
    if (
      this.queueSize <= 2 ||
      this.queueSize > MOST_QUEUE_SIZE ||
      !Number.isInteger(Math.log2(this.queueSize))
    )
      throw new QomError(
        `property queue-size is ${this.queueSize}; give a power of two from 4 to ${MOST_QUEUE_SIZE}`,
      );
    if (this.discard) checkSectors("max-discard-sectors", this.maxDiscardSectors);
    if (this.writeZeroes) checkSectors("max-write-zeroes-sectors", this.maxWriteZeroesSectors);
  }

  /** Uses the geometry that disks of this size had; ignores partition tables. */
  private guessGeometry(bytes: number): void {
    if (this.cyls !== 0 || this.heads !== 0 || this.secs !== 0) return;
    this.heads = 16;
    this.secs = 63;
    const cylinders = Math.floor(bytes / SECTOR_BYTES / (this.heads * this.secs));
    this.cyls = Math.min(Math.max(cylinders, 2), 16_383);
  }

  private fillConfig(): void {
    const { logicalBlockSize: block } = this;
    const length = this.writeZeroes
      ? CONFIG_BYTES_WRITE_ZEROES
      : this.discard
        ? CONFIG_BYTES_DISCARD
        : CONFIG_BYTES;
    const whole = new DataView(new ArrayBuffer(CONFIG_BYTES_WRITE_ZEROES));
    whole.setBigUint64(0, BigInt(Math.floor(this.disk.bytes / SECTOR_BYTES)), true);
    whole.setUint32(12, this.segMaxAdjust ? this.queueSize - 2 : 128 - 2, true);
    whole.setUint16(16, this.cyls, true);
    whole.setUint8(18, this.heads);
    // Sectors per track, rounded down to whole blocks.
    whole.setUint8(19, this.secs & ~(block / SECTOR_BYTES - 1));
    whole.setUint32(20, block, true);
    whole.setUint8(24, Math.log2(this.physicalBlockSize / block));
    whole.setUint16(26, this.minIoSize / block, true);
    whole.setUint32(28, this.optIoSize / block, true);
    whole.setUint8(CONFIG_WCE, Number(this.cacheEnabled));
    whole.setUint16(34, this.numQueues, true);
    const granularity =
      this.reportDiscardGranularity && this.discardGranularity !== AUTO_GRANULARITY
        ? this.discardGranularity
        : block;
    if (this.discard) {
      whole.setUint32(36, this.maxDiscardSectors, true);
      whole.setUint32(40, 1, true); // ranges per request
      whole.setUint32(44, granularity / SECTOR_BYTES, true);
    }
    whole.setUint32(48, this.maxWriteZeroesSectors, true);
    whole.setUint32(52, 1, true);
    whole.setUint8(56, 1); // write-zeroes may unmap
    this.config = new DataView(whole.buffer, 0, length);
  }
}

function statusOf(result: BlockResult): number {
  return result === "ok" ? STATUS_OK : STATUS_ERROR;
}

function checkSectors(name: string, sectors: number): void {
  if (sectors === 0 || sectors > MOST_SECTORS)
    throw new QomError(`property ${name} is ${sectors}; give 1 to ${MOST_SECTORS}`);
}
