import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";

/** Guest time per instruction, in nanoseconds: 100 million instructions per second. */
export const NANOSECONDS_PER_INSTRUCTION = 10;

/** Counts instructions across resets, and derives guest time from them. */
export class GuestTime {
  private static readonly vmFields = { earlier: "int", idle: "int" } as const satisfies VmStateFields;

  /** The processor, once there is one: devices read the time before that. */
  private processor: { readonly retired: number } = { retired: 0 };
  /** Instructions before the latest reset. */
  private earlier = 0;
  /** Guest time that passed while the processor waited, in nanoseconds. */
  private idle = 0;

  follow(processor: { readonly retired: number }): void {
    this.processor = processor;
  }

  /** Instructions executed. */
  get instructions(): number {
    return this.earlier + this.processor.retired;
  }

  /** Nanoseconds since the machine was made. */
  now(): number {
    return this.instructions * NANOSECONDS_PER_INSTRUCTION + this.idle;
  }

  /** Advances time without executing instructions, rounded up to whole nanoseconds, which devices count in. */
  pass(nanoseconds: number): void {
    this.idle += Math.max(Math.ceil(nanoseconds), 0);
  }

  /** To be called before the processor restarts its count from 0. */
  beforeReset(): void {
    this.earlier += this.processor.retired;
  }

  /** State for a snapshot, in addition to the processor's own count. */
  save(): SavedValue {
    return saveFields(this, GuestTime.vmFields);
  }

  /** @throws QomError when `saved` did not come from `save`. */
  load(saved: SavedValue): Restore[] {
    return loadFields(this, GuestTime.vmFields, saved, "time");
  }
}
