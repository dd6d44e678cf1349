/** What takes the bytes of an output. None ever blocks the program: a reader that stalls leaves them waiting. */
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { congestionOf } from "./congestion.ts";

export interface OutputSink {
  /** Takes bytes, which the caller may overwrite afterwards. @throws Error from node:fs when it cannot be written */
  write(bytes: Uint8Array): void;
  /** What to await before writing more; null if nothing. */
  congestion(): Promise<void> | null;
  /** Settles once everything written has been taken, or has failed. */
  flush(): Promise<void>;
  /** The same, after which nothing can be written. */
  close(): Promise<void>;
  /** Drops what has not been taken. */
  destroy(): void;
}

/** A file, or a device. */
export class FileSink implements OutputSink {
  private readonly descriptor: number;
  private isOpen: boolean;

  /** @param isOurs whether to close it; otherwise others write there, too, at the same position */
  constructor(descriptor: number, isOurs: boolean) {
    this.descriptor = descriptor;
    this.isOpen = isOurs;
  }

  write(bytes: Uint8Array): void {
    writeAll(this.descriptor, bytes);
  }

  congestion(): null {
    return null;
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    if (this.isOpen) closeSync(this.descriptor);
    this.isOpen = false;
  }
}

/** A pipe, whose reader takes what it likes when it likes. */
export class PipeSink implements OutputSink {
  private readonly stream: Writable;
  private readonly isOurs: boolean;

  /**
   * @param end a descriptor, which becomes the sink's own, or a stream that others write to, too
   * @param failed called with the first error
   */
  constructor(end: number | Writable, failed: (error: Error) => void) {
    this.isOurs = typeof end === "number";
    this.stream = typeof end === "number" ? new Socket({ fd: end, readable: false, writable: true }) : end;
    if (this.stream.errored) failed(this.stream.errored);
    this.stream.once("error", failed);
  }

  write(bytes: Uint8Array): void {
    this.stream.write(Buffer.from(bytes)); // a copy, since the caller may reuse its own before it is taken
  }

  congestion(): Promise<void> | null {
    return congestionOf(this.stream);
  }

  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.stream.write(new Uint8Array(), () => resolve());
    });
  }

  close(): Promise<void> {
    if (!this.isOurs) return this.flush();
    return new Promise((resolve) => {
      this.stream.once("error", () => resolve()).end(() => resolve());
    });
  }

  destroy(): void {
    if (this.isOurs) this.stream.destroy();
  }
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}
