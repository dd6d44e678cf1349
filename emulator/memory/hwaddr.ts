import { QomAbort } from "#qom";

declare const physical: unique symbol;

/**
 * A guest physical address or an offset into a region, in bytes. Exact up to 2^53 - 1; larger values are an error and
 * are never rounded. The brand is weak, so that sums of addresses and offsets are addresses without casts.
 */
export type hwaddr = number & { readonly [physical]?: true };

/** The size of a region that covers all 64-bit addresses. */
export const WHOLE_ADDRESS_SPACE = 2 ** 64;

/** @throws QomAbort unless `value` is a whole number from 0 to 2^53 - 1. */
export function checkAddress(value: number, what: string): hwaddr {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new QomAbort(`${what} is ${value}: addresses are whole numbers from 0 to 2^53 - 1`);
}

/** @throws QomAbort unless `value` is a whole number from 0 to 2^53, or 2^64. */
export function checkSize(value: number, what: string): number {
  if ((Number.isInteger(value) && value >= 0 && value <= 2 ** 53) || value === WHOLE_ADDRESS_SPACE)
    return value;
  throw new QomAbort(`${what} is ${value}: sizes are whole numbers from 0 to 2^53, or 2^64`);
}

/** Sixteen hexadecimal digits, as listings show addresses. */
export function formatAddress(value: number | bigint): string {
  return BigInt(value).toString(16).padStart(16, "0");
}
