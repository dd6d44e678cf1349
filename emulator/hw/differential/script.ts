/**
 * Scripts for both sides of a comparison: accesses to the board and steps of the virtual clock, as plain data, so that
 * the same script runs on QEMU and on every tree of devices, can be printed, and can be shrunk.
 */
import type { AccessSize } from "#memory";

/** Start of the real-time clock in seconds since 1970, the same on all sides. */
export const RTC_BASE_SECONDS = 1_600_000_000;

/** Nanoseconds per tick of mtime. */
export const MTIME_TICK = 100;

export type Step =
  | { readonly kind: "read"; readonly address: number; readonly size: AccessSize }
  | { readonly kind: "write"; readonly address: number; readonly size: AccessSize; readonly value: bigint }
  /** Writes a 32-bit half of a time relative to the present, which neither side knows before it runs. */
  | {
      readonly kind: "moment";
      readonly address: number;
      /** Nanoseconds since 1970 as counted by the RTC, or ticks of mtime; as if neither had been set. */
      readonly unit: "rtc" | "mtime";
      /** Offset from the present, in that unit. */
      readonly offset: number;
      readonly half: "low" | "high";
    }
  /** A transfer of any length, which may cross the bounds of windows. */
  | { readonly kind: "readBytes"; readonly address: number; readonly length: number }
  | { readonly kind: "writeBytes"; readonly address: number; readonly bytes: readonly number[] }
  /** The host resets the machine. */
  | { readonly kind: "reset" }
  /** Looks at all flat views, and at the regions that they are made from. */
  | { readonly kind: "map" }
  /** Input from the host. At most what the UART takes at once, or the timing of the rest depends on the host. */
  | { readonly kind: "input"; readonly bytes: readonly number[] }
  /** Lets about this much guest time pass: QEMU reports the exact time, and the other sides follow. Due timers fire. */
  | { readonly kind: "clock"; readonly nanoseconds: number };

/** The interrupt lines watched: those of hart 0, numbered as in `mip`, or those of the PLIC, by source. */
export type Watch = "hart" | "plic";

/** The observable effects of one step. */
export interface Observation {
  /** Value read, in a transfer with the first byte as the highest; zero for the other kinds. */
  readonly value: bigint;
  /** The memory map, if the step looks at it. */
  readonly map?: string;
  /** Guest time that the step took, in nanoseconds: zero except for `clock`. */
  readonly elapsed: number;
  /** Levels of the watched lines after the step, one bit each. */
  readonly interrupts: number;
}

export function read(address: number, size: AccessSize): Step {
  return { kind: "read", address, size };
}

/** `value` is truncated to `size` bytes. */
export function write(
  address: number,
  size: AccessSize,
  value: number | bigint,
): Step & { readonly kind: "write" } {
  return { kind: "write", address, size, value: BigInt.asUintN(8 * size, BigInt(value)) };
}

export function clock(nanoseconds: number): Step {
  return { kind: "clock", nanoseconds: Math.round(nanoseconds) };
}

/** Writes both halves of a moment, the high one at `address` + 4; `first` selects which is written first. */
export function moment(
  address: number,
  unit: "rtc" | "mtime",
  offset: number,
  first: "low" | "high",
): Step[] {
  const low: Step = { kind: "moment", address, unit, offset, half: "low" };
  const high: Step = { kind: "moment", address: address + 4, unit, offset, half: "high" };
  return first === "low" ? [low, high] : [high, low];
}

/**
 * Converts a moment to a write.
 * @param now nanoseconds of guest time.
 */
export function resolve(
  step: Step & { readonly kind: "moment" },
  now: number,
): Step & { readonly kind: "write" } {
  const start = step.unit === "rtc" ? BigInt(RTC_BASE_SECONDS) * 1_000_000_000n : 0n;
  const present = step.unit === "rtc" ? BigInt(now) : BigInt(Math.floor(now / MTIME_TICK));
  const value = BigInt.asUintN(64, start + present + BigInt(step.offset));
  return write(step.address, 4, step.half === "low" ? value : value >> 32n);
}

export function hexOf(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One human-readable line per step. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "read":
      return `read${8 * step.size} 0x${step.address.toString(16)}`;
    case "write":
      return `write${8 * step.size} 0x${step.address.toString(16)} 0x${step.value.toString(16)}`;
    case "moment":
      return `write32 0x${step.address.toString(16)} ${step.half} half of ${step.unit} now + ${step.offset}`;
    case "readBytes":
      return `read ${step.length} bytes at 0x${step.address.toString(16)}`;
    case "writeBytes":
      return `write ${hexOf(step.bytes)} at 0x${step.address.toString(16)}`;
    case "reset":
      return "reset";
    case "map":
      return "look at the memory map";
    case "input":
      return `input ${step.bytes.map((byte) => `0x${byte.toString(16)}`).join(" ")}`;
    case "clock":
      return `clock ${step.nanoseconds} ns`;
  }
}
