import { CharChannel } from "./char-line.ts";

/** A line to the terminal; whatever runs the machine connects the two. */
export class StdioChar extends CharChannel {
  /** Whether Ctrl-C in the terminal ends the emulator; otherwise the guest gets it. */
  readonly signals: boolean;
  /** Called for each byte that the guest sends. */
  onByte: (byte: number) => void = () => {};

  constructor(signals: boolean) {
    super();
    this.signals = signals;
  }

  write(byte: number): void {
    this.onByte(byte);
  }

  close(): void {}
}
