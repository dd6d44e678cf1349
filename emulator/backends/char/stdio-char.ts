import { CharChannel } from "./char-line.ts";

/** A line to the terminal; whatever runs the machine connects the two. */
export class StdioChar extends CharChannel {
  /** Called for each byte that the guest sends. */
  onByte: (byte: number) => void = () => {};

  write(byte: number): void {
    this.onByte(byte);
  }

  close(): void {}
}
