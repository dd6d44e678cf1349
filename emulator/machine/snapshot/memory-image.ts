/**
 * Guest memory in a snapshot: its pages that are not all zero, in groups.
 *
 *     4 bytes   number of pages, 0 at the end of the memory
 *     4 bytes   length of the compressed data
 *     4 bytes   per page: its number
 *     bytes     the pages, compressed (raw deflate)
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { CommandError } from "#host";

const PAGE_BYTES = 4096;
const PAGES_AT_ONCE = 1024;
const ZEROES = Buffer.alloc(PAGE_BYTES);
const HEADER_BYTES = 8;
/** Most memory after a boot is repetitive: the fastest level takes a fifth of the time for nearly the same size. */
const LEVEL = 1;

/** @param bytes pages, the last of which may be partial. */
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
  flush(); // an empty group: the end
}

/** Numbers of the pages that are not all zero, in order. */
export function* occupiedPages(bytes: Uint8Array): IterableIterator<number> {
  for (let number = 0; number * PAGE_BYTES < bytes.length; number++)
    if (!isZero(pageOf(bytes, number))) yield number;
}

/** A memory as read from a file: its pages that are not all zero, in order. */
export interface MemoryImage {
  readonly pages: readonly { readonly numbers: readonly number[]; readonly content: Uint8Array }[];
  /** Where it ends in the file. */
  readonly end: number;
}

/**
 * Reads a memory of `bytes` bytes, which starts at `at` in a file.
 * @throws CommandError when it is invalid; `where` names option and file
 */
export function readMemory(bytes: number, file: Buffer, at: number, where: string): MemoryImage {
  const damaged = (cause?: unknown): CommandError =>
    new CommandError(`${where}: damaged, a memory in it is invalid; make it again`, { cause });
  const pages: { numbers: number[]; content: Uint8Array }[] = [];
  let next = 0;
  for (let position = at; ; ) {
    if (position + HEADER_BYTES > file.length) throw damaged();
    const count = file.readUInt32LE(position);
    const packedAt = position + HEADER_BYTES + 4 * count;
    const end = packedAt + file.readUInt32LE(position + 4);
    if (count > PAGES_AT_ONCE || end > file.length) throw damaged();
    if (count === 0) return { pages, end };
    const numbers = Array.from({ length: count }, (_, i) =>
      file.readUInt32LE(position + HEADER_BYTES + 4 * i),
    );
    let size = 0;
    for (const number of numbers) {
      if (number < next || number * PAGE_BYTES >= bytes) throw damaged();
      next = number + 1;
      size += Math.min(PAGE_BYTES, bytes - number * PAGE_BYTES);
    }
    let content: Uint8Array;
    try {
      content = inflateRawSync(file.subarray(packedAt, end), { maxOutputLength: size });
    } catch (error) {
      throw damaged(error);
    }
    if (content.length !== size) throw damaged();
    pages.push({ numbers, content });
    position = end;
  }
}

/** Fills `bytes` with an image. Untouched host pages that are to be zero stay untouched. */
export function fillMemory(bytes: Uint8Array, { pages }: MemoryImage): void {
  let next = 0; // the first page not yet handled
  for (const { numbers, content } of pages) {
    let from = 0;
    for (const number of numbers) {
      clear(bytes, next, number);
      const page = pageOf(bytes, number);
      page.set(content.subarray(from, from + page.length));
      from += page.length;
      next = number + 1;
    }
  }
  clear(bytes, next, Math.ceil(bytes.length / PAGE_BYTES));
}

/** The bytes of a page; the last may be shorter. */
export function pageOf(bytes: Uint8Array, number: number): Uint8Array {
  return bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
}

/** Clears pages from `first` to before `end`. Zero pages are only read, so that the host need not allocate them. */
function clear(bytes: Uint8Array, first: number, end: number): void {
  for (let number = first; number < end; number++) {
    const page = pageOf(bytes, number);
    if (!isZero(page)) page.fill(0);
  }
}

function isZero(page: Uint8Array): boolean {
  return ZEROES.compare(page, 0, page.length, 0, page.length) === 0;
}
