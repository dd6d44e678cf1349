/** What an arm that boots a guest in lockstep does when it is its turn. */
import type { GuestCheck } from "../suites/measurement.ts";

/** One slice of a boot. */
export interface BootFigures {
  readonly nanoseconds: number;
  /** Number of the boot's part that it belongs to. */
  readonly phase: number;
  /** Whether the boot is complete with it. */
  readonly over: boolean;
}

export interface BootingWork {
  /** A fresh machine; not timed. */
  begin(): void;
  /** The next slice. @throws Error when the guest ends before its milestone */
  slice(): BootFigures;
  /** Takes the machine down, and tells what the guest did. */
  finish(): GuestCheck;
}

/** What the arm is to do in a turn, as its variant. */
export const BOOT_STEP = { begin: 0, slice: 1, finish: 2 } as const;
