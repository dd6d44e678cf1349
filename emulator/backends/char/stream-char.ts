import type { Readable, Writable } from "node:stream";
import { congestionOf } from "#host";
import { CharChannel } from "./char-line.ts";

/** Bytes typed that wait for the guest until the stream is told to wait, too. */
const HIGH_WATER = 4096;

/**
 * A line whose other end is a stream of the host's: a pipe, a socket. What comes from there comes when it comes: a run that
 * uses it does not repeat exactly.
 */
export class StreamChar extends CharChannel {
  private input: Readable | null = null;
  private output: Writable | null = null;
  private buffer: number[] = [];
  private scheduled = false;

  /** Connects it; what was connected before is left. Null: nobody is there, and what the guest sends is lost. */
  open(input: Readable | null, output: Writable | null): void {
    this.input?.off("data", this.receive);
    this.input = input;
    this.output = output;
    input?.on("data", this.receive);
  }

  write(byte: number): void {
    if (this.output === null) return;
    this.buffer.push(byte);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Hands on what has been written; otherwise it goes out once the guest has finished its slice. */
  flush(): void {
    this.scheduled = false;
    if (this.buffer.length > 0) this.output?.write(Uint8Array.from(this.buffer));
    this.buffer = [];
  }

  override congestion(): Promise<void> | null {
    return this.output === null ? null : congestionOf(this.output);
  }

  close(): void {
    this.flush();
    this.input?.off("data", this.receive);
    this.input?.destroy();
    this.output?.end();
    this.input = null;
    this.output = null;
  }

  private readonly receive = (bytes: Uint8Array): void => {
    this.type(bytes);
    if (this.waiting > HIGH_WATER) this.input?.pause();
  };

  protected override drained(): void {
    this.input?.resume();
  }
}
