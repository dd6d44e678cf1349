/**
 * What both sides of a comparison do: accesses to the board and steps of the virtual clock, as plain data, so that the same
 * script runs on QEMU and on every device tree, can be printed, and can be made smaller.
 */

/** Start of the real-time clock in seconds since 1970: the same on all sides. */
export const RTC_BASE_SECONDS = 1_600_000_000;

export type AccessSize = 1 | 2 | 4 | 8;

export type Step =
  | { readonly kind: "read"; readonly address: number; readonly size: AccessSize }
  | { readonly kind: "write"; readonly address: number; readonly size: AccessSize; readonly value: bigint }
  /** Lets about so much guest time pass: QEMU says how much it was, the other sides follow exactly. Due timers run. */
  | { readonly kind: "clock"; readonly nanoseconds: number };

/** What one step could be seen to do. */
export interface Observation {
  /** Value read; zero for the other kinds. */
  readonly value: bigint;
  /** Guest time that the step took, in nanoseconds: zero but for `clock`. */
  readonly elapsed: number;
  /** Levels of hart 0's interrupt inputs after the step, bit numbers as in `mip`. */
  readonly interrupts: number;
}

export function read(address: number, size: AccessSize): Step {
  return { kind: "read", address, size };
}

/** `value` is cut to `size` bytes. */
export function write(address: number, size: AccessSize, value: number | bigint): Step {
  return { kind: "write", address, size, value: BigInt.asUintN(8 * size, BigInt(value)) };
}

export function clock(nanoseconds: number): Step {
  return { kind: "clock", nanoseconds };
}

/** One line per step, to be read by a human. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "read":
      return `read${8 * step.size} 0x${step.address.toString(16)}`;
    case "write":
      return `write${8 * step.size} 0x${step.address.toString(16)} 0x${step.value.toString(16)}`;
    case "clock":
      return `clock ${step.nanoseconds} ns`;
  }
}
