/** A seeded random number generator (Marsaglia's xorshift). */
export class Random {
  private value: number;

  constructor(seed: number) {
    this.value = (seed ^ 0x5bd1_e995) >>> 0 || 1;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.value ^= this.value << 13;
    this.value ^= this.value >>> 17;
    this.value ^= this.value << 5;
    return (this.value >>> 0) % limit;
  }

  shuffle<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, key: this.below(2 ** 31) }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }
}
