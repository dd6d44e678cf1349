import { QomError, UseAfterFree, type UseDetector } from "#qom";
import type { RamAllocator } from "./ram.ts";

/** Fills RAM that was given back, so that a later write to it shows. */
const POISON = 0xa5;
/** Bytes of RAM that are kept back at most. */
const MOST_KEPT_BYTES = 256 * 2 ** 20;

interface Kept {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * RAM between its release and its next use. In checked mode it is poisoned and kept back, so that a write by someone who
 * still has the bytes is found when they are finally given back: there is no trap for bytes. Reads stay unseen.
 */
export class ReclaimedRam {
  private readonly ram: RamAllocator;
  private readonly detector: UseDetector | null;
  /** The oldest first. */
  private readonly kept: Kept[] = [];
  private keptBytes = 0;

  constructor(ram: RamAllocator, detector: UseDetector | null) {
    this.ram = ram;
    this.detector = detector;
  }

  /** As `RamAllocator.allocate`, which gets what is kept back if it has not enough. */
  allocate(bytes: number): Uint8Array {
    try {
      return this.ram.allocate(bytes);
    } catch (reason) {
      if (!(reason instanceof QomError) || this.kept.length === 0) throw reason;
      this.check();
      return this.ram.allocate(bytes);
    }
  }

  /** @param name of the region that the bytes were allocated for */
  release(bytes: Uint8Array, name: string): void {
    if (this.detector === null) {
      this.ram.release(bytes);
      return;
    }
    bytes.fill(POISON);
    this.kept.push({ bytes, name });
    this.keptBytes += bytes.length;
    while (this.keptBytes > MOST_KEPT_BYTES) this.giveBackOldest();
  }

  /** Gives everything back, and reports what was written to meanwhile. @throws UseAfterFree in `throw` mode */
  check(): void {
    while (this.kept.length > 0) this.giveBackOldest();
  }

  private giveBackOldest(): void {
    const oldest = this.kept.shift();
    if (oldest === undefined) return;
    const { bytes, name } = oldest;
    this.keptBytes -= bytes.length;
    const at = bytes.findIndex((byte) => byte !== POISON);
    this.ram.release(bytes);
    if (at < 0) return;
    const message = `byte ${at} of the RAM of region ${name} was written after the RAM was freed`;
    this.detector?.record(new UseAfterFree(message, "ram", `byte ${at}`, bytes, ""));
  }
}
