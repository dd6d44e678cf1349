/**
 * xoshiro128**: David Blackman and Sebastiano Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47
 * (2021). Seeded from a scrambled counter, as in SplitMix, so that neighbouring seeds give unrelated streams.
 */
export class Random {
  private s0: number;
  private s1: number;
  private s2: number;
  private s3: number;

  /** @param state four 32-bit words, not all zero */
  constructor(state: readonly [number, number, number, number]) {
    [this.s0, this.s1, this.s2, this.s3] = state;
  }

  /**
   * A separate stream for each label, so that what one measurement draws does not depend on other measurements.
   * @param seed only the low 32 bits are used
   */
  static seeded(seed: number, label = ""): Random {
    let counter = seed | 0;
    for (let i = 0; i < label.length; i++) counter = scramble(counter ^ label.charCodeAt(i));
    const word = () => {
      counter = (counter + 0x9e3779b9) | 0;
      return scramble(counter);
    };
    return new Random([word(), word(), word(), word() | 1]);
  }

  /** Uniform in 0 … 2^32 - 1. */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotateLeft(this.s3, 11);
    return result;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform in 0 … limit - 1. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** Standard normal deviate (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** A new array in random order, sorted by random keys. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = items.map((item) => ({ item, key: this.uint32() }));
    return order.sort((a, b) => a.key - b.key).map(({ item }) => item);
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * A bijection of 32-bit words in which every input bit moves about half of the output bits (odd multipliers, shifts).
 */
function scramble(word: number): number {
  let w = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  w = Math.imul(w ^ (w >>> 15), 0x735a2d97);
  return (w ^ (w >>> 15)) | 0;
}
