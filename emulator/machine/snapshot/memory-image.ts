/**
 * Guest memory in a snapshot: its pages that are not all zero, some at a time.
 *
 *     4 bytes   number of pages, 0 at the end of the memory
 *     4 bytes   length of the compressed bytes
 *     4 bytes   for each page, its number
 *     bytes     the pages, compressed (raw deflate)
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";

const PAGE_BYTES = 4096;
const PAGES_AT_ONCE = 1024;
const ZEROES = Buffer.alloc(PAGE_BYTES);
const HEADER_BYTES = 8;
/** Most of a boot's memory is repetition: the fastest level takes a fifth of the time and gives nearly the same size. */
const LEVEL = 1;

/** @param bytes a whole number of pages, or less than one more. */
export function saveMemory(bytes: Uint8Array, write: (bytes: Uint8Array) => void): void {
  const numbers: number[] = [];
  const flush = (): void => {
    const packed =
      numbers.length === 0
        ? new Uint8Array()
        : deflateRawSync(Buffer.concat(numbers.map((number) => pageOf(bytes, number))), { level: LEVEL });
    const header = Buffer.alloc(HEADER_BYTES + 4 * numbers.length);
    header.writeUInt32LE(numbers.length, 0);
    header.writeUInt32LE(packed.length, 4);
    for (const [index, number] of numbers.entries()) header.writeUInt32LE(number, HEADER_BYTES + 4 * index);
    write(header);
    write(packed);
    numbers.length = 0;
  };
  for (const number of occupiedPages(bytes)) {
    numbers.push(number);
    if (numbers.length === PAGES_AT_ONCE) flush();
  }
  if (numbers.length > 0) flush();
  flush(); // none: the end
}

/** Numbers of the pages that are not all zero, in order. */
export function* occupiedPages(bytes: Uint8Array): IterableIterator<number> {
  for (let number = 0; number * PAGE_BYTES < bytes.length; number++)
    if (!isZero(pageOf(bytes, number))) yield number;
}

/** Fills `bytes` from what starts at `at` in a file, and answers where that ends. Untouched pages of the host stay so. */
export function loadMemory(bytes: Uint8Array, file: Buffer, at: number): number {
  let next = 0; // the first page that nothing has been said of
  for (let position = at; ; ) {
    const count = file.readUInt32LE(position);
    const packedBytes = file.readUInt32LE(position + 4);
    const packedAt = position + HEADER_BYTES + 4 * count;
    position = packedAt + packedBytes;
    if (count === 0) {
      clear(bytes, next, Math.ceil(bytes.length / PAGE_BYTES));
      return position;
    }
    const pages = inflateRawSync(file.subarray(packedAt, position));
    for (let index = 0, from = 0; index < count; index++) {
      const number = file.readUInt32LE(packedAt - 4 * (count - index));
      clear(bytes, next, number);
      const page = pageOf(bytes, number);
      page.set(pages.subarray(from, from + page.length));
      from += page.length;
      next = number + 1;
    }
  }
}

/** A page's bytes; the last may have fewer. */
export function pageOf(bytes: Uint8Array, number: number): Uint8Array {
  return bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
}

/** Clears pages from `first` to before `end`; those that are clear are only read, so that the host need not provide them. */
function clear(bytes: Uint8Array, first: number, end: number): void {
  for (let number = first; number < end; number++) {
    const page = pageOf(bytes, number);
    if (!isZero(page)) page.fill(0);
  }
}

function isZero(page: Uint8Array): boolean {
  return ZEROES.compare(page, 0, page.length, 0, page.length) === 0;
}
