/** Outcome of a request: success, or the reason for failure. */
export type DiskResult = "ok" | "io-error" | "no-space" | "read-only";

/** Sectors stored by the host. Offsets and lengths are in bytes, within `bytes`; only opening and `close` may throw. */
export interface Disk {
  /** Size in bytes; a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  read(offset: number, into: Uint8Array): DiskResult;
  write(offset: number, from: Uint8Array): DiskResult;
  /** Makes sure that everything written survives a crash of the host. */
  flush(): DiskResult;
  /** Declares the content of a range unneeded. */
  discard(offset: number, length: number): DiskResult;
  writeZeroes(offset: number, length: number, mayDiscard: boolean): DiskResult;
  /** Releases host resources; no request may follow. */
  close(): void;
}

export const SECTOR_BYTES = 512;

const ZEROES = new Uint8Array(64 * 1024);

/** Writes zeroes block by block, for disks without a faster way. */
export function writeZeroesPlainly(disk: Disk, offset: number, length: number): DiskResult {
  for (let done = 0; done < length; done += ZEROES.length) {
    const result = disk.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
    if (result !== "ok") return result;
  }
  return "ok";
}
