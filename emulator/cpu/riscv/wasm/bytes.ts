/** Growable byte sequence with the integer encodings of WebAssembly (core specification, section 5.2). */
export class ByteWriter {
  private readonly content: number[] = [];

  get length(): number {
    return this.content.length;
  }

  toUint8Array(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.content);
  }

  byte(value: number): void {
    this.content.push(value & 0xff);
  }

  bytes(values: Iterable<number>): void {
    for (const value of values) this.content.push(value & 0xff);
  }

  /** Appends what another writer holds. */
  append(other: ByteWriter): void {
    for (const value of other.content) this.content.push(value);
  }

  /** Unsigned LEB128 of a value below 2^32. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.content.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.content.push(rest);
  }

  /** Signed LEB128 of a 32-bit value. */
  signed32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const signBit = (low & 0x40) !== 0;
      if ((rest === 0 && !signBit) || (rest === -1 && signBit)) {
        this.content.push(low);
        return;
      }
      this.content.push(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit value. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const signBit = (low & 0x40) !== 0;
      if ((rest === 0n && !signBit) || (rest === -1n && signBit)) {
        this.content.push(low);
        return;
      }
      this.content.push(low | 0x80);
    }
  }

  /** A name: UTF-8 bytes behind their count. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }
}
