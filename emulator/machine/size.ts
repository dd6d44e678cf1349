import { CommandError, tableOf } from "#host";

/** Powers of two of the units. */
const UNITS = tableOf<number>({ B: 0, K: 10, M: 20, G: 30, T: 40 });

/**
 * Bytes of `512M`, `1.5G`, `4096K`, `0x200`; a number without a unit is in MiB, as in QEMU's -m.
 * @throws CommandError unless it is a whole number of bytes above 0
 */
export function parseSize(option: string, text: string): number {
  const bytes = bytesOf(text, "M");
  if (bytes === null || bytes === 0)
    throw new CommandError(`${option} ${text}: not a size; give a number with K, M or G, as in 256M`);
  if (!Number.isSafeInteger(bytes))
    throw new CommandError(`${option} ${text}: not a whole number of bytes, or too large; give another size`);
  return bytes;
}

/** Bytes of a size in QEMU's form, not always whole; null: it is none. @param unit of a number without one */
export function bytesOf(text: string, unit: "B" | "M"): number | null {
  const [, number, own = ""] = /^\+?(0x[\da-f]+|\d+(?:\.\d+)?)([BKMGT]?)$/i.exec(text) ?? [];
  if (number === undefined) return null;
  return Number(number) * 2 ** (UNITS.get((own || unit).toUpperCase()) ?? Number.NaN);
}

/** A whole number from `least` up. @throws CommandError otherwise. */
export function parseCount(option: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value > Number.MAX_SAFE_INTEGER)
    throw new CommandError(`${option} ${text}: too large; give at most ${Number.MAX_SAFE_INTEGER}`);
  if (!Number.isInteger(value) || value < least)
    throw new CommandError(`${option} ${text}: not a whole number from ${least} up`);
  return value;
}
