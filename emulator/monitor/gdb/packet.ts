/** Packets of GDB's remote serial protocol (GDB manual, appendix E): `$data#checksum`, acknowledged by `+`. */

const DOLLAR = 0x24;
const HASH = 0x23;
const ESCAPE = 0x7d;
const REPEAT = 0x2a;
const INTERRUPT = 0x03;
const ACKNOWLEDGE = 0x2b;
const REFUSE = 0x2d;

/** An item in the byte stream: a packet, Ctrl-C, or the acknowledgement of a packet sent. */
export type Received =
  | { readonly kind: "packet"; readonly data: Buffer }
  | { readonly kind: "damaged" }
  | { readonly kind: "interrupt" }
  | { readonly kind: "acknowledged" }
  | { readonly kind: "refused" };

/** Parses a stream that arrives in arbitrary chunks. */
export class PacketReader {
  /** Bytes of the current packet after its `$`; null between packets. */
  private packet: number[] | null = null;
  /** Checksum digits still to come. */
  private checksumLeft = 0;

  *read(chunk: Uint8Array): IterableIterator<Received> {
    for (const byte of chunk) {
      if (this.packet === null) {
        if (byte === DOLLAR) this.packet = [];
        else if (byte === INTERRUPT) yield { kind: "interrupt" };
        else if (byte === ACKNOWLEDGE) yield { kind: "acknowledged" };
        else if (byte === REFUSE) yield { kind: "refused" };
        continue;
      }
      this.packet.push(byte);
      if (this.checksumLeft > 0) {
        if (--this.checksumLeft === 0) yield this.end(this.packet);
      } else if (byte === HASH) {
        this.checksumLeft = 2;
      } else if (byte === DOLLAR) {
        this.packet = []; // the previous packet was cut off
      }
    }
  }

  private end(packet: readonly number[]): Received {
    this.packet = null;
    const body = packet.slice(0, -3);
    const checksum = Number.parseInt(String.fromCharCode(...packet.slice(-2)), 16);
    return sum(body) === checksum ? { kind: "packet", data: unescaped(body) } : { kind: "damaged" };
  }
}

/** Frames `data` as a packet, escaping the protocol's special characters. */
export function frame(data: string | Uint8Array): Buffer {
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  const body: number[] = [];
  for (const byte of bytes) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === REPEAT)
      body.push(ESCAPE, byte ^ 0x20);
    else body.push(byte);
  }
  const checksum = sum(body).toString(16).padStart(2, "0");
  return Buffer.concat([Buffer.from("$"), Buffer.from(body), Buffer.from(`#${checksum}`)]);
}

function unescaped(body: readonly number[]): Buffer {
  const data: number[] = [];
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number; // in range
    if (byte === ESCAPE && at + 1 < body.length)
      data.push((body[++at] as number) ^ 0x20); // in range, too
    else data.push(byte);
  }
  return Buffer.from(data);
}

function sum(bytes: readonly number[]): number {
  return bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
}
