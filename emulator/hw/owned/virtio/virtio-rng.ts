/** Entropy device: fills the driver's buffers. Source: VIRTIO 1.2, section 5.4. */
import { uint64Property, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";
import { RngBuiltin } from "./rng-builtin.ts";
import { VirtioDevice } from "./virtio-device.ts";
import type { Virtqueue } from "./virtqueue.ts";

const QUEUE_SIZE = 8;
/** Maximum number of bytes per buffer; a driver that wants more asks again. */
const MOST_BYTES = 2 ** 20;
const LARGEST_QUOTA = 2n ** 63n - 1n;

/** The rate is limited to `max-bytes` per `period` (milliseconds of guest time); unlimited by default. */
export class VirtioRng extends VirtioDevice {
  static override readonly typeName = "virtio-rng-device";
  static override readonly instanceSize: number = 624;
  static override readonly properties = [
    uint64Property<VirtioRng>("max-bytes", "maxBytes"),
    uintProperty<VirtioRng>("period", "uint32", "period"),
  ];

  static override readonly vmState = {
    name: "virtio-rng",
    version: 2,
    fields: {
      ...VirtioDevice.vmFields,
      source: { position: "uint32" },
      quota: "int",
      timer: "timer",
      timing: "bool",
    },
  } as const satisfies VmState;

  readonly deviceId = 4;
  maxBytes = LARGEST_QUOTA;
  /** Milliseconds. */
  period = 1 << 16;
  private source: RngBuiltin | null = null;
  private requests: Virtqueue | null = null;
  /** Bytes left in this period. */
  private quota = 0;
  private readonly timer = this.clock.timer(() => this.startPeriod());
  private timing = false;

  protected override realizeDevice(): void {
    if (this.period === 0) throw new QomError("property period is 0; give a number of milliseconds");
    if (this.maxBytes > LARGEST_QUOTA)
      throw new QomError(`property max-bytes is ${this.maxBytes}; give at most ${LARGEST_QUOTA}`);
    const source = this.model.create(RngBuiltin);
    this.addChild("default-backend", source);
    source.unref(); // the tree holds it from now on
    this.source = source;
    this.requests = this.addQueue(QUEUE_SIZE, (queue) => this.serve(queue));
    this.quota = Number(this.maxBytes);
  }

  protected override unrealizeDevice(): void {
    this.timer.cancel();
    this.timing = false;
    this.source?.unparent();
    this.source = null;
  }

  protected override resetDevice(): void {
    this.source?.restart();
  }

  private serve(queue: Virtqueue): void {
    if (!this.timing && this.maxBytes !== LARGEST_QUOTA) {
      this.timing = true;
      this.timer.set(this.clock.now() + this.period * 1e6);
    }
    while (this.quota > 0) {
      const element = queue.pop();
      if (element === null) return;
      const wanted = Math.min(element.inBytes, this.quota, MOST_BYTES);
      element.forEachIn(0, wanted, (bytes) => this.source?.fill(bytes));
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
}
