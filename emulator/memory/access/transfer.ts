/** Transfers of any length, split into accesses that each region accepts. */
import type { FlatRange } from "../map/flat-range.ts";
import type { FlatView } from "../map/flat-view.ts";
import { MemTxResult } from "./bus.ts";
import type { CallbackAccesses } from "./callbacks.ts";
import { transferSize } from "./dispatch.ts";
import type { MemTxAttrs } from "./ops.ts";
import { refusal } from "./protection.ts";
import type { RamBlock } from "./ram.ts";
import { translate } from "./translate.ts";

/** What a transfer goes through. The view may change between two pieces, as callbacks may change the map. */
export interface TransferPath {
  readonly view: FlatView;
  readonly callbacks: CallbackAccesses;
  /** Called after each write to RAM: `length` bytes at `offset` of `bytes`. */
  onRamWritten(bytes: Uint8Array, offset: number, length: number): void;
}

/** Transfers one piece, at `at`, and returns its length; `done` bytes have been transferred before. */
type Piece = (
  path: TransferPath,
  range: FlatRange,
  at: number,
  bytes: Uint8Array,
  done: number,
  attrs: MemTxAttrs,
) => number;

/** Fills `into` from `address` on, with zeroes where regions refuse the access. Returns the combined outcome. */
export function transferFrom(
  path: TransferPath,
  address: number,
  into: Uint8Array,
  attrs: MemTxAttrs,
): MemTxResult {
  return transfer(path, address, into, attrs, readPiece);
}

/** Writes all of `from`, continuing after regions that refuse the access. Returns the combined outcome. */
export function transferTo(
  path: TransferPath,
  address: number,
  from: Uint8Array,
  attrs: MemTxAttrs,
): MemTxResult {
  return transfer(path, address, from, attrs, writePiece);
}

function transfer(
  path: TransferPath,
  address: number,
  bytes: Uint8Array,
  attrs: MemTxAttrs,
  piece: Piece,
): MemTxResult {
  const { access } = path.callbacks;
  let result: MemTxResult = MemTxResult.Ok;
  for (let done = 0; done < bytes.length; ) {
    access.attrs = attrs; // accesses made by a callback may have changed them
    const at = address + done;
    const { view } = path;
    const range = view.find(at);
    if (range === undefined) {
      // At least one byte: at the top of the address space the gap's end may not be above `at`.
      const gap = Math.max(1, Math.min(bytes.length - done, view.gapEnd(at) - at));
      if (piece === readPiece) bytes.fill(0, done, done + gap);
      result |= MemTxResult.DecodeError;
      done += gap;
      continue;
    }
    access.result = MemTxResult.Ok;
    done += piece(path, range, at, bytes, done, attrs);
    result |= access.result;
  }
  access.result = result;
  return result;
}

function readPiece(
  { callbacks }: TransferPath,
  range: FlatRange,
  at: number,
  bytes: Uint8Array,
  done: number,
  attrs: MemTxAttrs,
): number {
  const { region } = range;
  const offset = at - range.start + range.offset;
  const length = Math.min(bytes.length - done, range.end - at);
  if (region.readsDirectly) {
    const { bytes: ram } = region.ram as RamBlock; // regions that read directly have RAM
    bytes.set(ram.subarray(offset, offset + length), done);
    return length;
  }
  const { access } = callbacks;
  if (region.isIommu) {
    const to = translate(range, at, bytes.length - done, false, attrs);
    if (to !== null) {
      access.result = to.space.readBytes(to.address, bytes.subarray(done, done + to.length), attrs);
      return to.length;
    }
  }
  const size = transferSize(region, offset, bytes.length - done); // not clipped at the end of the range
  callbacks.read(region, offset, size);
  for (let i = 0; i < size; i++)
    bytes[done + i] = i < 4 ? access.low >>> (i * 8) : access.high >>> ((i - 4) * 8);
  return size;
}

function writePiece(
  path: TransferPath,
  range: FlatRange,
  at: number,
  bytes: Uint8Array,
  done: number,
  attrs: MemTxAttrs,
): number {
  const { region } = range;
  const offset = at - range.start + range.offset;
  const length = Math.min(bytes.length - done, range.end - at);
  const { callbacks } = path;
  const { access } = callbacks;
  const refused = refusal(range, at, attrs);
  if (refused !== null) {
    access.result = refused;
    return length;
  }
  if (region.writesDirectly) {
    const { bytes: ram } = region.ram as RamBlock; // regions that write directly have RAM
    ram.set(bytes.subarray(done, done + length), offset);
    path.onRamWritten(ram, offset, length);
    region.dirtyLog?.mark(offset, length);
    return length;
  }
  if (region.isIommu) {
    const to = translate(range, at, bytes.length - done, true, attrs);
    if (to !== null) {
      access.result = to.space.writeBytes(to.address, bytes.subarray(done, done + to.length), attrs);
      return to.length;
    }
  }
  const size = transferSize(region, offset, bytes.length - done); // not clipped at the end of the range
  access.low = 0;
  access.high = 0;
  for (let i = 0; i < size; i++) {
    const byte = bytes[done + i] as number;
    if (i < 4) access.low = (access.low | (byte << (i * 8))) >>> 0;
    else access.high = (access.high | (byte << ((i - 4) * 8))) >>> 0;
  }
  callbacks.write(region, offset, size);
  return size;
}
