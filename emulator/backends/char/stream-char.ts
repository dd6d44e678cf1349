import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { congestionOf } from "#host";
import { CharChannel } from "./char-line.ts";

/** Number of input bytes waiting for the guest above which the stream is paused. */
const HIGH_WATER = 4096;
/** How long a reader may take nothing, once the line is closed, before what is left is dropped; in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * A line connected to a host stream, such as a pipe or a socket. The timing of its input is not deterministic, so runs
 * that use it do not repeat exactly.
 */
export class StreamChar extends CharChannel {
  private input: Readable | null = null;
  private output: Writable | null = null;
  private buffer: number[] = [];
  private scheduled = false;
  private ending: Promise<number> = Promise.resolve(0);

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

  /** Disconnects the line. The streams end once the reader has taken what is left, or takes nothing any more. */
  close(): void {
    this.flush();
    const { input, output } = this;
    this.open(null, null);
    if (output !== null) this.ending = ended(output);
    const end = () => {
      input?.destroy();
      output?.destroy();
    };
    if (input !== output) input?.destroy();
    this.ending.then(end, end);
  }

  /** After `close`: settles once the streams have ended, with the number of bytes that nobody took. */
  dropped(): Promise<number> {
    return this.ending;
  }

  private readonly receive = (bytes: Uint8Array): void => {
    this.type(bytes);
    if (this.waiting > HIGH_WATER) this.input?.pause();
  };

  protected override drained(): void {
    this.input?.resume();
  }
}

/** Ends a stream. @returns the number of bytes that its reader has left; 0 if there is no reader any more */
async function ended(stream: Writable): Promise<number> {
  if (stream.destroyed) return 0;
  let left = -1;
  const finished = new Promise<true>((resolve) => {
    stream.once("error", () => resolve(true)).once("close", () => resolve(true));
    stream.end(() => resolve(true));
  });
  while (stream.writableLength !== left) {
    left = stream.writableLength;
    const abort = new AbortController();
    const late = setTimeout(PATIENCE_MS, false, { signal: abort.signal }).catch(() => true);
    const isFinished = await Promise.race([finished, late]);
    abort.abort();
    if (isFinished) return 0;
  }
  return left;
}
