/** Guest memory for the monitor and debuggers: accessed by virtual address, without changing page tables or harts. */
import type { RiscvHart } from "#cpu/riscv";
import type { Emulation } from "#machine";
import { MemTxResult } from "#memory";

const PAGE = 4096n;

/** Reads virtual memory as `hart` sees it, devices included, up to the first page that has no translation or fails. */
export function readVirtual(emulation: Emulation, hart: RiscvHart, address: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const done = eachPage(hart, address, length, (physical, offset, count) =>
    succeeded(emulation.board.memorySpace.readBytes(physical, bytes.subarray(offset, offset + count))),
  );
  return bytes.subarray(0, done);
}

/** Writes virtual memory; false if some of it cannot be written. Overwritten code is decoded again. */
export function writeVirtual(emulation: Emulation, hart: RiscvHart, address: bigint, bytes: Buffer): boolean {
  const done = eachPage(hart, address, bytes.length, (physical, offset, count) => {
    const part = bytes.subarray(offset, offset + count);
    return succeeded(emulation.writePhysical(physical, part));
  });
  return done === bytes.length;
}

/**
 * Calls `use` for the part in each page, until a page has no translation or `use` returns false. Returns the number of
 * bytes before that.
 */
function eachPage(
  hart: RiscvHart,
  address: bigint,
  length: number,
  use: (physical: number, offset: number, count: number) => boolean,
): number {
  let done = 0;
  while (done < length) {
    const at = BigInt.asUintN(64, address + BigInt(done));
    const count = Math.min(length - done, Number(PAGE - (at % PAGE)));
    const physical = hart.debug.translate(at);
    if (physical < 0 || !use(physical, done, count)) return done;
    done += count;
  }
  return done;
}

function succeeded(result: MemTxResult): boolean {
  return result === MemTxResult.Ok;
}
