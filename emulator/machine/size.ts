import { CommandError } from "#host";

const UNITS: Readonly<Record<string, number>> = { "": 2 ** 20, B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes of `512M`, `1G`, `4096K`; a bare number is in MiB, as in QEMU's -m. @throws CommandError otherwise. */
export function parseSize(option: string, text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([BKMG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (digits === "" || !Number.isSafeInteger(bytes) || bytes === 0) {
    throw new CommandError(`${option} ${text}: not a size; give a number with K, M or G, as in 256M`);
  }
  return bytes;
}

/** A whole number from `least` up. @throws CommandError otherwise. */
export function parseCount(option: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new CommandError(`${option} ${text}: not a whole number from ${least} up`);
  }
  return value;
}
