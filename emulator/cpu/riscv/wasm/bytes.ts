/** Growable byte sequence with the integer encodings of WebAssembly (core specification, section 5.2). */
export class ByteWriter {
  private content = new Uint8Array(256);
  private used = 0;

  get length(): number {
    return this.used;
  }

  toUint8Array(): Uint8Array<ArrayBuffer> {
    return this.content.slice(0, this.used);
  }

  byte(value: number): void {
    if (this.used === this.content.length) this.reserve(1);
    this.content[this.used++] = value;
  }

  bytes(values: Iterable<number>): void {
    for (const value of values) this.byte(value);
  }

  /** Appends the content of another writer. */
  append(other: ByteWriter): void {
    this.reserve(other.used);
    this.content.set(other.content.subarray(0, other.used), this.used);
    this.used += other.used;
  }

  private reserve(count: number): void {
    if (this.used + count <= this.content.length) return;
    const larger = new Uint8Array(Math.max(2 * this.content.length, this.used + count));
    larger.set(this.content);
    this.content = larger;
  }

  /** Unsigned LEB128 of a value below 2^32. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit value. */
  signed32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const signBit = (low & 0x40) !== 0;
      if ((rest === 0 && !signBit) || (rest === -1 && signBit)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit value. */
  signed64(value: bigint | number): void {
    if (typeof value === "number") {
      // Most constants are small, and arithmetic on bigints is slow.
      if ((value | 0) === value) this.signed32(value);
      else this.signed64(BigInt(value));
      return;
    }
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const signBit = (low & 0x40) !== 0;
      if ((rest === 0n && !signBit) || (rest === -1n && signBit)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** A name: the number of its UTF-8 bytes, then the bytes. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }
}
