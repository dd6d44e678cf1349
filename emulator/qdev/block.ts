/** Outcome of a request to a block backend: success, or the reason for failure. */
export type BlockResult = "ok" | "io-error" | "no-space" | "read-only";

/**
 * The storage of a block device. Requests are synchronous and never throw; host errors are returned as results. Offsets
 * and lengths are in bytes, multiples of 512, and within `bytes`.
 */
export interface BlockBackend {
  /** Size in bytes; a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  read(offset: number, into: Uint8Array): BlockResult;
  write(offset: number, from: Uint8Array): BlockResult;
  /** Makes sure that everything written survives a crash of the host. */
  flush(): BlockResult;
  /** Declares the content of a range unneeded; it may then read as anything, including its old content. */
  discard(offset: number, length: number): BlockResult;
  /** Makes a range read as zeroes, and frees its storage if `mayDiscard` is set and the backend can. */
  writeZeroes(offset: number, length: number, mayDiscard: boolean): BlockResult;
}
