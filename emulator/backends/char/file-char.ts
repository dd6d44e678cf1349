import { closeSync, openSync, writeSync } from "node:fs";
import { type CommandError, writeError } from "#host";

const BUFFER_BYTES = 4096;

/** Writes what the guest sends to a file, at the end of each time slice of the guest, so that readers can follow. */
export class FileChar {
  private readonly descriptor: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private filled = 0;
  private scheduled = false;
  private closed = false;
  private readonly label: string;
  private failure: CommandError | null = null;

  /**
   * @param label the option that requested it, for messages
   * @throws Error from node:fs when the file cannot be opened.
   */
  constructor(path: string, append = false, label = path) {
    this.descriptor = openSync(path, append ? "a" : "w");
    this.label = label;
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

  /** Flushes; there is never anything to wait for. @throws CommandError when the file cannot be written */
  congestion(): null {
    if (!this.closed) this.flush();
    if (this.failure !== null) throw this.failure;
    return null;
  }

  /** Writes the buffer. Bytes that cannot be written are lost, which {@link congestion} reports. */
  flush(): void {
    if (this.filled === 0) return;
    try {
      for (let done = 0; done < this.filled; )
        done += writeSync(this.descriptor, this.buffer, done, this.filled - done);
    } catch (error) {
      this.failure ??= writeError(this.label, error);
    }
    this.filled = 0;
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    closeSync(this.descriptor);
    this.closed = true;
  }
}
