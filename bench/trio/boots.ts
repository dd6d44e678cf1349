/** Boots of a guest in lockstep, as an arm does them in its turns. */
import type { GuestCheck } from "../suites/measurement.ts";

/** One slice of a boot. */
export interface BootFigures {
  readonly nanoseconds: number;
  /** Index of the phase of the boot that it belongs to. */
  readonly phase: number;
  /** Whether it completes the boot. */
  readonly over: boolean;
}

export interface BootingWork {
  /** Makes a new machine; not timed. */
  begin(): void;
  /** Does the next slice. @throws Error when the guest ends before its milestone */
  slice(): BootFigures;
  /** Destroys the machine and returns what the guest did. */
  finish(): GuestCheck;
}

/** What an arm does in a turn. */
export const BOOT_STEP = { begin: 0, slice: 1, finish: 2 } as const;
