import type { Readable, Writable } from "node:stream";
import { congestionOf } from "#host";
import { CharChannel } from "./char-line.ts";

/** Number of input bytes waiting for the guest above which the stream is paused. */
const HIGH_WATER = 4096;

/**
 * A line connected to a host stream, such as a pipe or a socket. The timing of its input is not deterministic, so runs
 * that use it do not repeat exactly.
 */
export class StreamChar extends CharChannel {
  private input: Readable | null = null;
  private output: Writable | null = null;
  private buffer: number[] = [];
  private scheduled = false;

  /** Connects streams in place of the previous ones, which stay open. Without an output, the guest's bytes are lost. */
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

  /** Passes on buffered output now; otherwise this happens at the end of the guest's time slice. */
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
