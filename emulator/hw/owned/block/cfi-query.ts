/** The table by which a flash chip describes itself. Source: JEDEC JESD68.01 (Common Flash Interface), JEP137 (ids). */

/** One chip of a bank. */
export interface FlashGeometry {
  /** Blocks that can be erased singly, all of one size. */
  readonly blocks: number;
  readonly blockBytes: number;
  /** Most bytes of one buffered write; a power of two. */
  readonly bufferBytes: number;
}

/** Offset of the primary algorithm's own table, which here ends with one protection field. */
const PRIMARY_TABLE = 0x31;
const TABLE_BYTES = 0x52;

/** The answers to a query by offset: Intel's standard command set, x8 and x16. Zero where there is nothing to tell. */
export function cfiQueryTable({ blocks, blockBytes, bufferBytes }: FlashGeometry): Uint8Array {
  const table = new Uint8Array(TABLE_BYTES);
  table.set(ascii("QRY"), 0x10);
  table.set([0x01, 0x00, PRIMARY_TABLE, 0x00], 0x13); // command set; where its own table is
  table.set([0x45, 0x55, 0x00, 0x00], 0x1b); // supply from 4.5 V to 5.5 V, no separate programming voltage
  table.set([0x07, 0x07, 0x0a, 0x00], 0x1f); // typical: word 128 µs, buffer 128 µs, block 1 s, chip not given
  table.set([0x04, 0x04, 0x04, 0x00], 0x23); // worst: sixteen times the typical
  table[0x27] = Math.log2(blocks * blockBytes);
  table.set([0x02, 0x00], 0x28); // x8 and x16
  table.set([Math.log2(bufferBytes), 0x00], 0x2a);
  table[0x2c] = 1; // one region of equal blocks
  table.set([blocks - 1, (blocks - 1) >> 8], 0x2d);
  table.set([blockBytes >> 8, blockBytes >> 16], 0x2f); // in units of 256 bytes
  table.set(ascii("PRI10"), PRIMARY_TABLE); // version 1.0
  table[0x3f] = 1; // protection fields
  return table;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
