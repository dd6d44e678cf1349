/** RAM whose bytes are those of a file of the host. The host opens files; see `MemoryModelOptions.openRamFile`. */

export interface RamFileOptions {
  /** Whether what is written to the RAM goes to the file, at the latest when the RAM ends; otherwise only the RAM changes. */
  readonly share?: boolean;
  /** Whether the guest can only read; the file then need not be writable. */
  readonly readOnly?: boolean;
  /** Where in the file the RAM starts, in bytes; default 0. */
  readonly offset?: number;
}

/** An open file. */
export interface RamFile {
  /** Fills `bytes` from the file. */
  load(bytes: Uint8Array): void;
  /** Makes the file have `bytes`, of which `length` from `offset` on may have changed. */
  store(bytes: Uint8Array, offset: number, length: number): void;
  close(): void;
}

/**
 * Opens a file that has `size` bytes from the offset on; an empty or missing one that is shared and writable gets them.
 * @throws an error that names the file, the reason and what to do
 */
export type OpenRamFile = (path: string, size: number, options: RamFileOptions) => RamFile;
