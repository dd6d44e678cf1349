import { type Disk, type DiskResult, writeZeroesPlainly } from "./disk.ts";

/** Granularity of copy on write. */
export const CLUSTER_BYTES = 64 * 1024;

/** Keeps writes in memory, on top of another disk that is only read; they are lost when it is closed. */
export class OverlayDisk implements Disk {
  readonly bytes: number;
  readonly readOnly = false;
  private readonly below: Disk;
  private clusters = new Map<number, Uint8Array>();

  /** @param below the disk underneath, closed together with the overlay. */
  constructor(below: Disk) {
    this.below = below;
    this.bytes = below.bytes;
  }

  read(offset: number, into: Uint8Array): DiskResult {
    return this.visit(offset, into.length, (number, at, done, length) => {
      const cluster = this.clusters.get(number);
      const piece = into.subarray(done, done + length);
      if (cluster === undefined) return this.below.read(offset + done, piece);
      piece.set(cluster.subarray(at, at + length));
      return "ok";
    });
  }

  write(offset: number, from: Uint8Array): DiskResult {
    return this.visit(offset, from.length, (number, at, done, length) => {
      let cluster = this.clusters.get(number);
      if (cluster === undefined) {
        const start = number * CLUSTER_BYTES;
        cluster = new Uint8Array(Math.min(CLUSTER_BYTES, this.bytes - start));
        const result = length === cluster.length ? "ok" : this.below.read(start, cluster);
        if (result !== "ok") return result;
        this.clusters.set(number, cluster);
      }
      cluster.set(from.subarray(done, done + length), at);
      return "ok";
    });
  }

  flush(): DiskResult {
    return "ok";
  }

  /** The written clusters, by number; the last cluster of the disk may be shorter. */
  get written(): ReadonlyMap<number, Uint8Array> {
    return this.clusters;
  }

  /** Replaces all written clusters. */
  set written(clusters: ReadonlyMap<number, Uint8Array>) {
    this.clusters = new Map(clusters);
  }

  discard(): DiskResult {
    return "ok";
  }

  writeZeroes(offset: number, length: number): DiskResult {
    return writeZeroesPlainly(this, offset, length);
  }

  close(): void {
    this.clusters.clear();
    this.below.close();
  }

  /** Calls `use` for the part of each cluster in the range, until one fails. */
  private visit(
    offset: number,
    length: number,
    use: (cluster: number, at: number, done: number, length: number) => DiskResult,
  ): DiskResult {
    for (let done = 0; done < length; ) {
      const at = (offset + done) % CLUSTER_BYTES;
      const here = Math.min(CLUSTER_BYTES - at, length - done);
      const result = use((offset + done - at) / CLUSTER_BYTES, at, done, here);
      if (result !== "ok") return result;
      done += here;
    }
    return "ok";
  }
}
