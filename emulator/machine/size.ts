import { CommandError } from "#host";

/** Powers of two of the units; a number without one is in MiB. */
const UNITS: Readonly<Record<string, number>> = { "": 20, B: 0, K: 10, M: 20, G: 30, T: 40 };

/**
 * Bytes of `512M`, `1.5G`, `4096K`, `0x200`; a number without a unit is in MiB, as in QEMU's -m.
 * @throws CommandError unless it is a whole number of bytes above 0
 */
export function parseSize(option: string, text: string): number {
  const [, number = "", unit = ""] = /^(0x[\da-f]+|\d+(?:\.\d+)?)([BKMGT]?)$/i.exec(text) ?? [];
  const bytes = Number(number) * 2 ** (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (number === "" || bytes === 0)
    throw new CommandError(`${option} ${text}: not a size; give a number with K, M or G, as in 256M`);
  if (!Number.isSafeInteger(bytes))
    throw new CommandError(`${option} ${text}: not a whole number of bytes, or too large; give another size`);
  return bytes;
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
