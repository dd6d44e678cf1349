/** SHA-256 (FIPS 180-4, section 6.2) whose state can be saved in a snapshot, unlike that of Node's implementation. */
import type { VmStateFields } from "#qdev";

const BLOCK_BYTES = 64;
const LENGTH_AT = BLOCK_BYTES - 8;

/** First 32 bits of the fractional part of the `root`th root r of `prime`: the low 32 bits of floor(r * 2^32). */
function fraction(prime: number, root: 2n | 3n): number {
  const wanted = BigInt(prime) << (32n * root);
  let least = 0n;
  let most = 1n << 37n;
  while (most - least > 1n) {
    const middle = (least + most) >> 1n;
    if (middle ** root <= wanted) least = middle;
    else most = middle;
  }
  return Number(least & 0xffff_ffffn);
}

const PRIMES: readonly number[] = firstPrimes(64);
/** Section 5.3.3. */
const INITIAL = Uint32Array.from(PRIMES.slice(0, 8), (prime) => fraction(prime, 2n));
/** Section 4.2.2. */
const ROUND = Int32Array.from(PRIMES, (prime) => fraction(prime, 3n));

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

export class Sha256 {
  static readonly vmFields = {
    state: "uint32s",
    block: "bytes",
    filled: "uint8",
    length: "int",
  } as const satisfies VmStateFields;

  private readonly state = Uint32Array.from(INITIAL);
  private readonly block = new Uint8Array(BLOCK_BYTES);
  /** Bytes in `block`. */
  private filled = 0;
  /** Bytes hashed, those in `block` included. */
  private length = 0;
  private readonly schedule = new Int32Array(64);

  update(bytes: Uint8Array): this {
    this.length += bytes.length;
    let at = 0;
    if (this.filled > 0) {
      at = Math.min(BLOCK_BYTES - this.filled, bytes.length);
      this.block.set(bytes.subarray(0, at), this.filled);
      this.filled += at;
      if (this.filled < BLOCK_BYTES) return this;
      this.compress(this.block, 0);
      this.filled = 0;
    }
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) this.compress(bytes, at);
    this.block.set(bytes.subarray(at), 0);
    this.filled = bytes.length - at;
    this.block.fill(0, this.filled); // equal inputs give equal states
    return this;
  }

  /** Hexadecimal digest of all bytes so far; more may follow. */
  hex(): string {
    const end = new Sha256();
    end.state.set(this.state);
    end.block.set(this.block.subarray(0, this.filled));
    end.block[this.filled] = 0x80;
    if (this.filled >= LENGTH_AT) {
      end.compress(end.block, 0);
      end.block.fill(0);
    }
    const view = new DataView(end.block.buffer);
    view.setUint32(LENGTH_AT, Math.floor(this.length / 2 ** 29));
    view.setUint32(LENGTH_AT + 4, (this.length * 8) % 2 ** 32);
    end.compress(end.block, 0);
    return Array.from(end.state, (word) => word.toString(16).padStart(8, "0")).join("");
  }

  /** Indices are in range throughout: `?? 0` is for the type checker and costs nothing. */
  private compress(bytes: Uint8Array, at: number): void {
    const { state, schedule } = this;
    for (let index = 0; index < 16; index++) {
      const byte = at + 4 * index;
      schedule[index] =
        ((bytes[byte] ?? 0) << 24) |
        ((bytes[byte + 1] ?? 0) << 16) |
        ((bytes[byte + 2] ?? 0) << 8) |
        (bytes[byte + 3] ?? 0);
    }
    for (let index = 16; index < 64; index++) {
      const before = schedule[index - 15] ?? 0;
      const latest = schedule[index - 2] ?? 0;
      const small0 = rotate(before, 7) ^ rotate(before, 18) ^ (before >>> 3);
      const small1 = rotate(latest, 17) ^ rotate(latest, 19) ^ (latest >>> 10);
      schedule[index] = ((schedule[index - 16] ?? 0) + small0 + (schedule[index - 7] ?? 0) + small1) | 0;
    }
    let a = (state[0] ?? 0) | 0;
    let b = (state[1] ?? 0) | 0;
    let c = (state[2] ?? 0) | 0;
    let d = (state[3] ?? 0) | 0;
    let e = (state[4] ?? 0) | 0;
    let f = (state[5] ?? 0) | 0;
    let g = (state[6] ?? 0) | 0;
    let h = (state[7] ?? 0) | 0;
    for (let round = 0; round < 64; round++) {
      const large1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const choice = (e & f) ^ (~e & g);
      const first = (h + large1 + choice + (ROUND[round] ?? 0) + (schedule[round] ?? 0)) | 0;
      const large0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + large0 + majority) | 0;
    }
    state[0] = (state[0] ?? 0) + a;
    state[1] = (state[1] ?? 0) + b;
    state[2] = (state[2] ?? 0) + c;
    state[3] = (state[3] ?? 0) + d;
    state[4] = (state[4] ?? 0) + e;
    state[5] = (state[5] ?? 0) + f;
    state[6] = (state[6] ?? 0) + g;
    state[7] = (state[7] ?? 0) + h;
  }
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
