/** Archives in "newc" format, Linux's format for its initial file system (kernel: early-userspace/buffer-format). */

/** A file, folder, or symbolic link. */
export interface CpioEntry {
  /** Without a leading slash. */
  readonly name: string;
  /** Type and permissions, as in `st_mode`. */
  readonly mode: number;
  /** Content of a file, or target of a link. */
  readonly content: Uint8Array;
}

const MAGIC = "070701";
const HEADER_BYTES = 110;
const TRAILER = "TRAILER!!!";

export const FOLDER_MODE = 0o40_755;
export const SCRIPT_MODE = 0o100_755;

/** The entries of an archive. @throws Error if it is damaged */
export function readCpio(archive: Uint8Array): CpioEntry[] {
  const text = new TextDecoder("latin1");
  const entries: CpioEntry[] = [];
  for (let at = 0; ; ) {
    const header = text.decode(archive.subarray(at, at + HEADER_BYTES));
    if (header.slice(0, 6) !== MAGIC) throw new Error(`no header of a newc archive at byte ${at}`);
    const field = (index: number) => Number.parseInt(header.slice(6 + 8 * index, 14 + 8 * index), 16);
    const [mode, size, nameBytes] = [field(1), field(6), field(11)];
    const name = new TextDecoder().decode(
      archive.subarray(at + HEADER_BYTES, at + HEADER_BYTES + nameBytes - 1),
    );
    if (name === TRAILER) return entries;
    const start = align(at + HEADER_BYTES + nameBytes);
    entries.push({ name, mode, content: archive.subarray(start, start + size) });
    at = align(start + size);
  }
}

/** An archive of these entries; folders must precede their content. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const all = [...entries, { name: TRAILER, mode: 0, content: new Uint8Array() }];
  return Buffer.concat(all.flatMap((entry, i) => [...parts(entry, i + 1)]));
}

function* parts({ name, mode, content }: CpioEntry, inode: number): Generator<Uint8Array> {
  const encodedName = new TextEncoder().encode(`${name}\0`);
  // Inode, mode, owner, group, links, time, size, device and device node numbers, length of the name, checksum.
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, encodedName.length, 0];
  yield new TextEncoder().encode(MAGIC + fields.map((field) => field.toString(16).padStart(8, "0")).join(""));
  yield encodedName;
  yield padding(HEADER_BYTES + encodedName.length);
  yield content;
  yield padding(content.length);
}

function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

function padding(length: number): Uint8Array {
  return new Uint8Array(align(length) - length);
}
