import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { type Disk, type DiskResult, SECTOR_BYTES, writeZeroesPlainly } from "./disk.ts";

/**
 * A raw image: the file's bytes are the disk's. If the file ends within a sector, the rest of the sector reads as
 * zeroes. Discarding a range does not free storage: Node has no call for that.
 */
export class FileDisk implements Disk {
  readonly bytes: number;
  readonly readOnly: boolean;
  private readonly descriptor: number;

  /** @throws Error from node:fs when the file cannot be opened; Error when it is not a regular file. */
  constructor(path: string, readOnly = false) {
    // A pipe without a writer would otherwise be waited for.
    this.descriptor = openSync(
      path,
      (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK,
    );
    this.readOnly = readOnly;
    const facts = fstatSync(this.descriptor);
    if (!facts.isFile()) {
      closeSync(this.descriptor);
      throw new Error("not a file");
    }
    this.bytes = Math.ceil(facts.size / SECTOR_BYTES) * SECTOR_BYTES;
  }

  read(offset: number, into: Uint8Array): DiskResult {
    return attempt(() => {
      for (let done = 0; done < into.length; ) {
        const count = readSync(this.descriptor, into, done, into.length - done, offset + done);
        if (count === 0) {
          into.fill(0, done); // past the end of the file
          return;
        }
        done += count;
      }
    });
  }

  write(offset: number, from: Uint8Array): DiskResult {
    if (this.readOnly) return "read-only";
    return attempt(() => {
      for (let done = 0; done < from.length; )
        done += writeSync(this.descriptor, from, done, from.length - done, offset + done);
    });
  }

  flush(): DiskResult {
    return this.readOnly ? "ok" : attempt(() => fdatasyncSync(this.descriptor));
  }

  discard(): DiskResult {
    return this.readOnly ? "read-only" : "ok";
  }

  writeZeroes(offset: number, length: number): DiskResult {
    return writeZeroesPlainly(this, offset, length);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Converts host errors to results for the guest. */
function attempt(request: () => void): DiskResult {
  try {
    request();
    return "ok";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code; // all node:fs errors have one
    return code === "ENOSPC" || code === "EDQUOT" ? "no-space" : "io-error";
  }
}
