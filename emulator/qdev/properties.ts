import { type ClassProperty, type PropertyValue, QomError } from "#qom";
import type { Device } from "./device.ts";

/** Names of those fields of `T` that hold a `V`. */
type FieldsOf<T, V> = { [Field in keyof T]: T[Field] extends V ? Field : never }[keyof T];

const LARGEST = { uint8: 2 ** 8 - 1, uint16: 2 ** 16 - 1, uint32: 2 ** 32 - 1 } as const;

/** A device's option that is a whole number, kept in `field`; fixed once the device is realized. */
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
      device[field] = checkUint(name, value, LARGEST[type]) as T[typeof field]; // likewise
    },
  };
}

/** A device's option that is a text, kept in `field`; fixed once the device is realized. */
export function stringProperty<T extends Device>(name: string, field: FieldsOf<T, string>): ClassProperty<T> {
  return {
    name,
    type: "str",
    get: (device) => device[field] as string, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      device[field] = String(value) as T[typeof field]; // likewise
    },
  };
}

/** A device's option that is true or false, kept in `field`; fixed once the device is realized. */
export function boolProperty<T extends Device>(name: string, field: FieldsOf<T, boolean>): ClassProperty<T> {
  return {
    name,
    type: "bool",
    get: (device) => device[field] as boolean, // the type of `field` says so
    set: (device, value) => {
      checkUnrealized(device, name);
      if (typeof value !== "boolean") throw new QomError(`property ${name} is ${value}; give true or false`);
      device[field] = value as T[typeof field]; // likewise
    },
  };
}

function checkUnrealized(device: Device, name: string): void {
  if (!device.realized) return;
  throw new QomError(
    `property ${name} of ${device.describe()} cannot change after the device was realized; set it before`,
  );
}

function checkUint(name: string, value: PropertyValue, largest: number): number {
  const isNumber = typeof value === "string" ? value.trim() !== "" : typeof value !== "boolean";
  const number = isNumber ? Number(value) : Number.NaN;
  if (Number.isInteger(number) && number >= 0 && number <= largest) return number;
  throw new QomError(`property ${name} is ${value}; give a whole number from 0 to ${largest}`);
}
