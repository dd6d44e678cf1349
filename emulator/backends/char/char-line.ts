/** A guest's line, as a backend sees it. */
export interface CharLine {
  /** Bytes that it would take now. */
  canReceive(): number;
  /** Puts one byte on the line towards the guest. */
  receive(byte: number): void;
}

/**
 * The host's end of a line that bytes come in from, too: they wait until the guest takes them. `attach` tells it whose line
 * it is.
 */
export abstract class CharChannel {
  /** What a snapshot keeps: bytes that the guest has not taken. */
  readonly vmState = { name: "chardev", version: 1, fields: { waitingInput: "blob" } } as const;
  private line: CharLine | null = null;
  /** Bytes typed, and how many of the first chunk the guest has taken. */
  private typed: Uint8Array[] = [];
  private taken = 0;
  private waitingBytes = 0;

  /** Takes a byte from the guest. */
  abstract write(byte: number): void;

  /** What to wait for before the guest writes more; null: nothing. @throws CommandError when the host takes nothing more */
  congestion(): Promise<void> | null {
    return null;
  }

  /** Called when the guest has taken all that was typed. */
  protected drained(): void {}

  /** Bytes that the guest has not taken yet. */
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

  /** Types bytes; what the guest cannot take yet waits. */
  type(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.typed.push(bytes.slice());
    this.waitingBytes += bytes.length;
    this.acceptInput();
  }

  /** The guest has room. */
  acceptInput(): void {
    const { line } = this;
    if (line === null) return;
    for (;;) {
      const [chunk] = this.typed;
      const byte = chunk?.[this.taken];
      if (chunk === undefined || byte === undefined || line.canReceive() <= 0) return;
      // Before the guest sees it: it may ask for more at once.
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
