/** Repeatable shuffles: the same seed gives the same orders on every host. */
export class RandomOrder {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Shuffles in place (Fisher and Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = Math.floor((this.word() / 2 ** 32) * (last + 1));
      const item = items[last] as T;
      items[last] = items[other] as T;
      items[other] = item;
    }
    return items;
  }

  /** An unsigned 32-bit number: a Weyl sequence, mixed by the finalizer of MurmurHash3. */
  private word(): number {
    this.state = (this.state + 0x9e37_79b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }
}
