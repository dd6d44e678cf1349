/** A guest's line, as a backend sees it. */
export interface CharLine {
  /** Number of bytes that it can take now. */
  canReceive(): number;
  /** Sends one byte to the guest. */
  receive(byte: number): void;
}

/**
 * The host end of a line with input, which waits until the guest takes it. `attach` sets the line that it belongs to.
 */
export abstract class CharChannel {
  /** State for snapshots: input that the guest has not taken. */
  readonly vmState = { name: "chardev", version: 1, fields: { waitingInput: "blob" } } as const;
  private line: CharLine | null = null;
  /** Chunks of input, and how many bytes of the first chunk the guest has taken. */
  private typed: Uint8Array[] = [];
  private taken = 0;
  private waitingBytes = 0;

  /** Takes a byte from the guest. */
  abstract write(byte: number): void;

  /** What to wait for before the guest writes more; null if nothing. @throws CommandError when output has failed. */
  congestion(): Promise<void> | null {
    return null;
  }

  /** Called when the guest has taken all input. */
  protected drained(): void {}

  /** Number of input bytes that the guest has not taken yet. */
  get waiting(): number {
    return this.waitingBytes;
  }

  /** The bytes themselves. */
  get waitingInput(): Uint8Array {
    return Buffer.concat(this.typed).subarray(this.taken);
  }

  set waitingInput(bytes: Uint8Array) {
    this.typed = bytes.length === 0 ? [] : [bytes];
    this.taken = 0;
    this.waitingBytes = bytes.length;
  }

  attach(line: CharLine | null): void {
    this.line = line;
    this.acceptInput();
  }

  /** Adds input; what the guest cannot take yet waits. */
  type(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.typed.push(bytes.slice());
    this.waitingBytes += bytes.length;
    this.acceptInput();
  }

  /** Passes on input, now that the guest may have room. */
  acceptInput(): void {
    const { line } = this;
    if (line === null) return;
    for (;;) {
      const [chunk] = this.typed;
      const byte = chunk?.[this.taken];
      if (chunk === undefined || byte === undefined || line.canReceive() <= 0) return;
      // Updated before the guest sees the byte, because it may ask for more at once.
      this.taken++;
      this.waitingBytes--;
      if (this.taken === chunk.length) {
        this.typed.shift();
        this.taken = 0;
      }
      line.receive(byte);
      if (this.waitingBytes === 0) this.drained();
    }
  }
}
