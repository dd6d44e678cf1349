/** Entropy device: fills the driver's buffers. Source: VIRTIO 1.2, section 5.4. */
import { uint64Property, uintProperty } from "#qdev";
import { QomError } from "#qom";
import { VirtioDevice } from "./virtio-device.ts";
import type { Virtqueue } from "./virtqueue.ts";

const QUEUE_SIZE = 8;
const LARGEST_QUOTA = 2n ** 63n - 1n;

/**
 * Bytes follow from `seed` alone, so that runs repeat: they are no source of secrets. `max-bytes` per `period`
 * (milliseconds of guest time) limit how fast they come; by default they do not.
 */
export class VirtioRng extends VirtioDevice {
  static override readonly typeName = "virtio-rng-device";
  static override readonly instanceSize: number = 624;
  static override readonly properties = [
    uint64Property<VirtioRng>("max-bytes", "maxBytes"),
    uintProperty<VirtioRng>("period", "uint32", "period"),
  ];

  readonly deviceId = 4;
  maxBytes = LARGEST_QUOTA;
  /** Milliseconds. */
  period = 1 << 16;
  /** Where the sequence of bytes starts; the host's choice. */
  seed = 0;
  private sequence = 0;
  private requests: Virtqueue | null = null;
  /** Bytes left of this period. */
  private quota = 0;
  private readonly timer = this.clock.timer(() => this.startPeriod());
  private timing = false;

  protected override realizeDevice(): void {
    if (this.period === 0) throw new QomError("property period is 0; give a number of milliseconds");
    if (this.maxBytes > LARGEST_QUOTA)
      throw new QomError(`property max-bytes is ${this.maxBytes}; give at most ${LARGEST_QUOTA}`);
    this.requests = this.addQueue(QUEUE_SIZE, (queue) => this.serve(queue));
    this.quota = Number(this.maxBytes);
  }

  protected override unrealizeDevice(): void {
    this.timer.cancel();
    this.timing = false;
  }

  protected override resetDevice(): void {
    this.sequence = this.seed;
  }

  private serve(queue: Virtqueue): void {
    if (!this.timing && this.maxBytes !== LARGEST_QUOTA) {
      this.timing = true;
      this.timer.set(this.clock.now() + this.period * 1e6);
    }
    while (this.quota > 0) {
      const element = queue.pop();
      if (element === null) return;
      const wanted = Math.min(element.inBytes, this.quota);
      element.forEachIn(0, wanted, (bytes) => this.fill(bytes));
      this.quota -= wanted;
      queue.push(element, wanted);
      this.notify(queue);
    }
  }

  private startPeriod(): void {
    this.quota = Number(this.maxBytes);
    this.timing = false;
    if (this.requests !== null) this.queueNotify(this.requests.index);
  }

  /** A Weyl sequence, mixed by the finalizer of MurmurHash3. */
  private fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) {
      this.sequence = (this.sequence + 0x9e37_79b9) >>> 0;
      let mixed = this.sequence;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
      bytes[index] = mixed >>> 24;
    }
  }
}
