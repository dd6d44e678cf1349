/** Outcome of a request: done, or why not. */
export type DiskResult = "ok" | "io-error" | "no-space" | "read-only";

/** Sectors kept by the host. Offsets and lengths in bytes, inside of `bytes`; nothing throws but `close` and opening. */
export interface Disk {
  /** Size; a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  read(offset: number, into: Uint8Array): DiskResult;
  write(offset: number, from: Uint8Array): DiskResult;
  /** Makes sure that all that was written outlives the host. */
  flush(): DiskResult;
  /** What a range holds does not matter any more. */
  discard(offset: number, length: number): DiskResult;
  writeZeroes(offset: number, length: number, mayDiscard: boolean): DiskResult;
  /** Gives back what the host lent; no request may follow. */
  close(): void;
}

export const SECTOR_BYTES = 512;

const ZEROES = new Uint8Array(64 * 1024);

/** Writes zeroes where there is no shorter way. */
export function writeZeroesPlainly(disk: Disk, offset: number, length: number): DiskResult {
  for (let done = 0; done < length; done += ZEROES.length) {
    const result = disk.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
    if (result !== "ok") return result;
  }
  return "ok";
}
