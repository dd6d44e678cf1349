import { QomError } from "#qom";
import type { RamAllocator } from "./ram.ts";

export const PAGE_BYTES = 4096;
const WASM_PAGE_BYTES = 65536;
/** Maximum size of a 32-bit WebAssembly memory. */
const LIMIT_BYTES = 4 * 2 ** 30;

/**
 * The single WebAssembly memory of a machine: processor state and all RAM regions, page-aligned, so that translated
 * code reaches everything with plain loads. Its size is fixed; the host commits pages as they are touched.
 */
export class GuestMemory implements RamAllocator {
  readonly memory: WebAssembly.Memory;
  /** Free extents, sorted by offset, never adjacent. */
  private free: { offset: number; bytes: number }[];
  /** Everything from this offset on has never been allocated and is still zero. */
  private untouched = 0;

  /** @throws QomError when the host cannot provide `bytes`, or they exceed a 32-bit memory. */
  constructor(bytes: number) {
    if (bytes > LIMIT_BYTES) {
      throw new QomError(
        `${bytes} bytes of guest memory do not fit in a 32-bit WebAssembly memory; ask for at most 3 GiB of RAM`,
      );
    }
    const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
    try {
      this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch {
      throw new QomError(`the host cannot provide ${bytes} bytes of guest memory; ask for less RAM`);
    }
    this.free = [{ offset: 0, bytes: pages * WASM_PAGE_BYTES }];
  }

  allocate(bytes: number): Uint8Array {
    const wanted = Math.max(Math.ceil(bytes / PAGE_BYTES), 1) * PAGE_BYTES;
    const extent = this.free.find((each) => each.bytes >= wanted);
    if (extent === undefined)
      throw new QomError(`cannot allocate ${bytes} bytes: not enough guest memory is left; ask for less RAM`);
    const { offset } = extent;
    extent.offset += wanted;
    extent.bytes -= wanted;
    if (extent.bytes === 0) this.free.splice(this.free.indexOf(extent), 1);
    const block = new Uint8Array(this.memory.buffer, offset, bytes);
    // Zeroed now rather than on release, so that a machine that ends need not touch all of its memory.
    if (offset < this.untouched) block.subarray(0, this.untouched - offset).fill(0);
    this.untouched = Math.max(this.untouched, offset + wanted);
    return block;
  }

  release(block: Uint8Array): void {
    const bytes = Math.max(Math.ceil(block.byteLength / PAGE_BYTES), 1) * PAGE_BYTES;
    this.free.push({ offset: block.byteOffset, bytes });
    this.free.sort((a, b) => a.offset - b.offset);
    this.free = this.free.reduce<typeof this.free>((joined, extent) => {
      const last = joined.at(-1);
      if (last !== undefined && last.offset + last.bytes === extent.offset) last.bytes += extent.bytes;
      else joined.push(extent);
      return joined;
    }, []);
  }
}
