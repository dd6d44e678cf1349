/** Repeatable random choices: the same seed gives the same sequence everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** An unsigned 32-bit number: a Weyl sequence, mixed by the finalizer of MurmurHash3. */
  word(): number {
    this.state = (this.state + 0x9e37_79b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit);
  }

  /** An integer from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `n` times, on average. */
  onceIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** A 64-bit value of a kind that tends to break devices: all zeros, all ones, one bit, small, or anything. */
  value(): bigint {
    switch (this.below(6)) {
      case 0:
        return 0n;
      case 1:
        return 0xffff_ffff_ffff_ffffn;
      case 2:
        return 1n << BigInt(this.below(64));
      case 3:
        return BigInt(this.below(256));
      default:
        return (BigInt(this.word()) << 32n) | BigInt(this.word());
    }
  }
}
