/** Source of an entropy device's bytes. */
import { QomObject } from "#qom";

/** The bytes depend only on `seed`, so that runs repeat; QEMU asks its host. They are unsuitable for secrets. */
export class RngBuiltin extends QomObject {
  static override readonly typeName = "rng-builtin";
  static override readonly instanceSize: number = 72;

  /** Start of the sequence, chosen by the host. */
  seed = 0;
  private position = 0;

  restart(): void {
    this.position = this.seed;
  }

  /** A Weyl sequence, mixed by the finalizer of MurmurHash3. */
  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) {
      this.position = (this.position + 0x9e37_79b9) >>> 0;
      let mixed = this.position;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
      bytes[index] = mixed >>> 24;
    }
  }
}
