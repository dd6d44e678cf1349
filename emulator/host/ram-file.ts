import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { CommandError, systemErrorCode } from "./command-error.ts";

/** Compared and written at once. */
const PAGE_BYTES = 4096;
const CHUNK_BYTES = 1 << 20;

/** What {@link openRamFile} is asked for. */
interface Wanted {
  readonly share?: boolean;
  readonly readOnly?: boolean;
  readonly offset?: number;
}

/**
 * Opens a file for RAM of `size` bytes. Node cannot map files: the RAM is filled from the file and, if it is shared,
 * written back when asked to, only the pages that differ. What others write to the file meanwhile is not seen.
 * @throws CommandError that names the file
 */
export function openRamFile(path: string, size: number, { share, readOnly, offset = 0 }: Wanted): FileRam {
  const writable = share === true && readOnly !== true;
  const flags = writable ? constants.O_RDWR | constants.O_CREAT : constants.O_RDONLY;
  let descriptor: number;
  try {
    descriptor = openSync(path, flags | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    const code = systemErrorCode(error);
    const remedy =
      code === "ENOENT"
        ? "give the path of a file, or share one, which is then created"
        : "give a file that can be read and, if it is shared, written";
    throw new CommandError(`memory file ${path}: cannot be opened (${code}); ${remedy}`, { cause: error });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new CommandError(`memory file ${path}: not a regular file; give one`);
    if (status.size === 0 && writable) ftruncateSync(descriptor, offset + size);
    else if (status.size < offset + size)
      throw new CommandError(
        `memory file ${path}: has ${status.size} bytes, not the ${offset + size} that are needed; make it larger, or the memory smaller`,
      );
    return new FileRam(path, descriptor, offset);
  } catch (error) {
    closeSync(descriptor);
    throw error instanceof CommandError ? error : failed(path, "made larger", error);
  }
}

class FileRam {
  private readonly path: string;
  private readonly descriptor: number;
  private readonly offset: number;

  constructor(path: string, descriptor: number, offset: number) {
    this.path = path;
    this.descriptor = descriptor;
    this.offset = offset;
  }

  load(bytes: Uint8Array): void {
    this.read(bytes, 0);
  }

  store(bytes: Uint8Array, offset: number, length: number): void {
    const first = offset - (offset % PAGE_BYTES);
    const before = new Uint8Array(Math.min(CHUNK_BYTES, bytes.length));
    for (let at = first; at < offset + length; at += CHUNK_BYTES) {
      const now = bytes.subarray(at, Math.min(at + CHUNK_BYTES, bytes.length));
      this.read(before.subarray(0, now.length), at);
      for (let page = 0; page < now.length; page += PAGE_BYTES) {
        const mine = now.subarray(page, page + PAGE_BYTES);
        if (Buffer.compare(mine, before.subarray(page, page + mine.length)) !== 0)
          this.write(mine, at + page);
      }
    }
    this.attempt("written", () => fsyncSync(this.descriptor));
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private read(into: Uint8Array, at: number): void {
    this.attempt("read", () => {
      for (let done = 0; done < into.length; ) {
        const got = readSync(this.descriptor, into, done, into.length - done, this.offset + at + done);
        if (got === 0) throw new Error("it has become shorter");
        done += got;
      }
    });
  }

  private write(from: Uint8Array, at: number): void {
    this.attempt("written", () => {
      for (let done = 0; done < from.length; )
        done += writeSync(this.descriptor, from, done, from.length - done, this.offset + at + done);
    });
  }

  private attempt(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      throw failed(this.path, what, error);
    }
  }
}

function failed(path: string, what: string, error: unknown): CommandError {
  const reason = systemErrorCode(error) || (error instanceof Error ? error.message : String(error));
  return new CommandError(`memory file ${path}: cannot be ${what} (${reason}); check the file and its disk`, {
    cause: error,
  });
}
