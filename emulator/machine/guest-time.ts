import { loadFields, type Restore, type SavedValue, saveFields, type VmStateFields } from "#qdev";

/** Guest time that one instruction takes, in nanoseconds: a processor of 100 million instructions per second. */
export const NANOSECONDS_PER_INSTRUCTION = 10;

/** Counts instructions over resets, and from them guest time. */
export class GuestTime {
  private static readonly vmFields = { earlier: "int", idle: "int" } as const satisfies VmStateFields;

  /** The processor, once there is one: devices ask for the time before. */
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

  /** Lets time pass in which no instruction is executed, in whole nanoseconds as devices count them. */
  pass(nanoseconds: number): void {
    this.idle += Math.max(Math.ceil(nanoseconds), 0);
  }

  /** The processor is about to count from 0 again. */
  beforeReset(): void {
    this.earlier += this.processor.retired;
  }

  /** What a snapshot keeps, beside the processor's own count. */
  save(): SavedValue {
    return saveFields(this, GuestTime.vmFields);
  }

  /** @throws QomError when `saved` is not what `save` answered. */
  load(saved: SavedValue): Restore[] {
    return loadFields(this, GuestTime.vmFields, saved, "time");
  }
}
