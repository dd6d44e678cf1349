/** Outcome of a request to a block backend: done, or why not. */
export type BlockResult = "ok" | "io-error" | "no-space" | "read-only";

/**
 * Where a block device keeps its sectors. Requests are carried out at once, and never throw: what the host cannot do is an
 * answer. Offsets and lengths are in bytes, multiples of 512, inside of `bytes`.
 */
export interface BlockBackend {
  /** Size; a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  read(offset: number, into: Uint8Array): BlockResult;
  write(offset: number, from: Uint8Array): BlockResult;
  /** Makes sure that all that was written outlives the host. */
  flush(): BlockResult;
  /** The content of a range does not matter any more; it may read as anything, or as it was. */
  discard(offset: number, length: number): BlockResult;
  /** Makes a range read as zeroes, and gives back its storage if that is wanted and can be. */
  writeZeroes(offset: number, length: number, mayDiscard: boolean): BlockResult;
}
