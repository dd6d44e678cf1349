/** The table that describes a flash chip to drivers. Source: JEDEC JESD68.01 (Common Flash Interface), JEP137 (IDs). */

/** One chip of a bank. */
export interface FlashGeometry {
  /** Number of separately erasable blocks, all of the same size. */
  readonly blocks: number;
  readonly blockBytes: number;
  /** Maximum number of bytes of a buffered write; a power of two. */
  readonly bufferBytes: number;
}

/** Offset of the primary algorithm's extended table, which ends here after one protection field. */
const PRIMARY_TABLE = 0x31;
const TABLE_BYTES = 0x52;

/** The query table, by offset: Intel's standard command set, x8 and x16. Unused entries are 0. */
export function cfiQueryTable({ blocks, blockBytes, bufferBytes }: FlashGeometry): Uint8Array {
  const table = new Uint8Array(TABLE_BYTES);
  table.set(ascii("QRY"), 0x10);
  table.set([0x01, 0x00, PRIMARY_TABLE, 0x00], 0x13); // command set; offset of its extended table
  table.set([0x45, 0x55, 0x00, 0x00], 0x1b); // supply from 4.5 V to 5.5 V, no separate programming voltage
  table.set([0x07, 0x07, 0x0a, 0x00], 0x1f); // typical: word 128 µs, buffer 128 µs, block 1 s, chip not given
  table.set([0x04, 0x04, 0x04, 0x00], 0x23); // maximum: sixteen times the typical
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
