import { closeSync, openSync, writeSync } from "node:fs";

const BUFFER_BYTES = 4096;

/** Writes what the guest sends to a file: once the guest has finished its slice, so that readers can follow. */
export class FileChar {
  private readonly descriptor: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private filled = 0;
  private scheduled = false;
  private closed = false;

  /** @throws Error of node:fs when the file cannot be written. */
  constructor(path: string, append = false) {
    this.descriptor = openSync(path, append ? "a" : "w");
  }

  write(byte: number): void {
    if (this.closed) return;
    this.buffer[this.filled++] = byte;
    if (this.filled === BUFFER_BYTES) this.flush();
    else if (!this.scheduled) this.schedule();
  }

  attach(): void {}

  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (!this.closed) this.flush();
    });
  }

  flush(): void {
    for (let done = 0; done < this.filled; )
      done += writeSync(this.descriptor, this.buffer, done, this.filled - done);
    this.filled = 0;
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    closeSync(this.descriptor);
    this.closed = true;
  }
}
