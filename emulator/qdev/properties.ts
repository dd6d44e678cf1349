import { type ClassProperty, type PropertyValue, QomError } from "#qom";
import type { Device } from "./device.ts";

/** Names of the fields of `T` that hold a `V`. */
type FieldsOf<T, V> = { [Field in keyof T]: T[Field] extends V ? Field : never }[keyof T];

const LARGEST = { uint8: 2 ** 8 - 1, uint16: 2 ** 16 - 1, uint32: 2 ** 32 - 1, size: 2 ** 53 - 1 } as const;

/** An integer option (`size`: bytes, up to 2^53 - 1), stored in `field`; fixed once the device is realized. */
export function uintProperty<T extends Device>(
  name: string,
  type: keyof typeof LARGEST,
  field: FieldsOf<T, number>,
): ClassProperty<T> {
  return {
    name,
    type,
    get: (device) => device[field] as number, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      device[field] = checkUint(
        name,
        type === "size" ? inBytes(value) : value,
        LARGEST[type],
      ) as T[typeof field]; // as above
    },
  };
}

/** A string option, stored in `field`; fixed once the device is realized. */
export function stringProperty<T extends Device>(name: string, field: FieldsOf<T, string>): ClassProperty<T> {
  return {
    name,
    type: "str",
    get: (device) => device[field] as string, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      device[field] = String(value) as T[typeof field]; // as above
    },
  };
}

/** A Boolean option, stored in `field`; fixed once the device is realized. */
export function boolProperty<T extends Device>(name: string, field: FieldsOf<T, boolean>): ClassProperty<T> {
  return {
    name,
    type: "bool",
    get: (device) => device[field] as boolean, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      device[field] = checkBool(name, value) as T[typeof field]; // as above
    },
  };
}

/** A 64-bit integer option, stored in `field`; fixed once the device is realized. */
export function uint64Property<T extends Device>(name: string, field: FieldsOf<T, bigint>): ClassProperty<T> {
  return {
    name,
    type: "uint64",
    get: (device) => device[field] as bigint, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      const number = wholeNumber(value);
      if (number === undefined || number < 0n || number >= 2n ** 64n)
        throw new QomError(`property ${name} is ${value}; give a whole number from 0 to 2^64 - 1`);
      device[field] = number as T[typeof field]; // as above
    },
  };
}

/** Parses a Boolean as command lines spell it. @throws QomError that names the property. */
export function checkBool(name: string, value: PropertyValue): boolean {
  if (typeof value === "boolean") return value;
  if (value === "on" || value === "true" || value === "yes" || value === "y") return true;
  if (value === "off" || value === "false" || value === "no" || value === "n") return false;
  throw new QomError(`property ${name} is ${value}; give true or false, or on or off`);
}

/** @throws QomError when the device is realized. */
export function checkUnrealized(device: Device, name: string): void {
  if (!device.realized) return;
  throw new QomError(
    `property ${name} of ${device.describe()} cannot change once the device is realized; set it before`,
  );
}

/** @throws QomError that names the property, unless `value` is a whole number from 0 to `largest`. */
export function checkUint(name: string, value: PropertyValue, largest: number): number {
  const number = wholeNumber(value);
  if (number !== undefined && number >= 0n && number <= BigInt(largest)) return Number(number);
  throw new QomError(`property ${name} is ${value}; give a whole number from 0 to ${largest}`);
}

/**
 * Converts texts such as `4K`, `1M` or `512` to bytes; returns anything else unchanged. In QEMU, too, digits of a size are
 * decimal, even after a zero.
 */
function inBytes(value: PropertyValue): PropertyValue {
  if (typeof value !== "string") return value;
  const [, digits, unit = ""] = /^(\d+)([BKMGT]?)$/i.exec(value) ?? [];
  return digits === undefined ? value : Number(digits) * 2 ** (10 * "BKMGT".indexOf(unit.toUpperCase()));
}

/** The whole number that a text is to QEMU: decimal, octal after a zero, hexadecimal after 0x. Undefined: it is none. */
export function parseInteger(text: string): bigint | undefined {
  const [, sign = "", digits = ""] = /^(-?|\+)(0x[\da-f]+|0[0-7]*|[1-9]\d*)$/i.exec(text.trim()) ?? [];
  if (digits === "") return undefined;
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits}` : digits);
  return sign === "-" ? -value : value;
}

function wholeNumber(value: PropertyValue): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" ? parseInteger(value) : undefined;
}
