import { CharChannel } from "./char-line.ts";

/** A line that leads to the terminal, which whoever runs the machine connects. */
export class StdioChar extends CharChannel {
  /** Called for each byte the guest sends. */
  onByte: (byte: number) => void = () => {};

  write(byte: number): void {
    this.onByte(byte);
  }

  close(): void {}
}
