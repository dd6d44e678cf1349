import { CommandError, type OutputFile } from "#host";

const BUFFER_BYTES = 4096;

/** Writes what the guest sends to a file, at the end of each time slice of the guest, so that readers can follow. */
export class FileChar {
  private readonly output: OutputFile;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private filled = 0;
  private scheduled = false;
  private closed = false;
  private isUsed = false;
  private failure: CommandError | null = null;

  /** @param output a growing one, which the first write opens unless it is open already */
  constructor(output: OutputFile) {
    this.output = output;
  }

  write(byte: number): void {
    if (this.closed) return;
    this.buffer[this.filled++] = byte;
    if (this.filled === BUFFER_BYTES) this.flush();
    else if (!this.scheduled) this.schedule();
  }

  attach(): void {
    this.isUsed = true;
  }

  /** Waits for a reader if the file is a FIFO; a file that no device uses is left alone, here and in `start`. */
  async ready(): Promise<void> {
    if (this.isUsed) await this.output.ready();
  }

  /** Empties the file. */
  start(): void {
    if (this.isUsed) this.output.start();
  }

  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (!this.closed) this.flush();
    });
  }

  /** Flushes. What to await before the guest writes more; null: nothing. @throws CommandError when it cannot be written */
  congestion(): Promise<void> | null {
    if (this.closed) return null;
    this.flush();
    if (this.failure !== null) throw this.failure;
    return this.output.congestion();
  }

  /** Writes the buffer. Bytes that cannot be written are lost, which {@link congestion} and {@link ended} report. */
  flush(): void {
    if (this.filled === 0) return;
    try {
      this.output.write(this.buffer.subarray(0, this.filled));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.failure ??= error;
    }
    this.filled = 0;
  }

  /** Settles once everything has been written. @throws CommandError when something was not */
  async ended(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    await this.output.commit();
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    this.output.commit().catch(() => {}); // reported by `ended`
  }
}
