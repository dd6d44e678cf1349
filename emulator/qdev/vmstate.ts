/** The state of an object in a snapshot: declared field by field, saved by name, validated before it is restored. */
import { QomAbort, QomError } from "#qom";
import { Timer } from "./clock.ts";
import { IrqLine } from "./irq.ts";

/**
 * How a field is saved. Numbers are checked against their range, arrays against their length. `int` is any integer,
 * even beyond 2^53: guests may write addresses that large, and a double is restored exactly. A timer is saved as its
 * deadline and its turn among timers with the same deadline. An interrupt line is saved as its level; restoring it does
 * not notify the other end, which has saved state of its own.
 */
export type VmStateKind = keyof typeof KINDS | VmStateFields;

/** Fields by name; a nested object has fields of its own. They may be private: names are checked at run time. */
export interface VmStateFields {
  readonly [field: string]: VmStateKind;
}

/**
 * The state of a type. Bump `version` whenever `fields` change; a snapshot with another version is refused. A type without
 * its own has that of its base; its own replaces it, and must repeat the base's fields.
 */
export interface VmState {
  readonly name: string;
  readonly version: number;
  readonly fields: VmStateFields;
  /** Recomputes derived state once all fields of the machine are restored: at once, and without failing. */
  postLoad?(object: object): void;
}

/** A class that declares the state of its objects. */
interface StatefulClass {
  readonly name: string;
  readonly vmState?: VmState | null;
}

/**
 * Fields that a base class saves and this class does not, as in `Beeper.pitch`: the state of a class replaces that of its
 * base, whose fields it must repeat.
 */
export function fieldsNotRepeated(type: StatefulClass): string[] {
  const own = type.vmState ?? null;
  if (own === null) return [];
  const lost: string[] = [];
  for (
    let base: StatefulClass | null = Object.getPrototypeOf(type);
    base?.vmState !== undefined;
    base = Object.getPrototypeOf(base)
  ) {
    const { name, vmState } = base;
    if (vmState === null || !Object.hasOwn(base, "vmState")) continue;
    for (const field of Object.keys(vmState.fields))
      if (!Object.hasOwn(own.fields, field) && !lost.includes(`${name}.${field}`))
        lost.push(`${name}.${field}`);
  }
  return lost;
}

/** A field's value in a snapshot. */
export type SavedValue = boolean | number | string | null | readonly SavedValue[] | SavedFields;
export interface SavedFields {
  readonly [field: string]: SavedValue;
}

/** Restores one validated value; cannot fail. */
export type Restore = () => void;

interface Kind {
  /** The saved form of `value`; undefined if it is not of this kind. */
  save(value: unknown): SavedValue | undefined;
  /** The step that restores `saved` to a field that holds `current`; undefined if `saved` is invalid. */
  load(saved: SavedValue, current: unknown, set: (value: unknown) => void): Restore | undefined;
}

const KINDS = {
  bool: scalar((value) => typeof value === "boolean"),
  uint8: wholeNumber(0, 2 ** 8 - 1),
  uint16: wholeNumber(0, 2 ** 16 - 1),
  uint32: wholeNumber(0, 2 ** 32 - 1),
  int: scalar((value) => Number.isInteger(value)),
  /** A bigint, saved in hexadecimal. */
  uint64: {
    save: (value) =>
      typeof value === "bigint" && value === BigInt.asUintN(64, value)
        ? `0x${value.toString(16)}`
        : undefined,
    load: (saved, _, set) => {
      if (typeof saved !== "string" || !/^0x[0-9a-f]{1,16}$/.test(saved)) return undefined;
      return () => set(BigInt(saved));
    },
  },
  /** A Uint8Array of fixed length. */
  bytes: {
    save: saveBytes,
    load: (saved, current) => {
      if (typeof saved !== "string" || !(current instanceof Uint8Array)) return undefined;
      const bytes = decode(saved);
      return bytes.length === current.length ? () => current.set(bytes) : undefined;
    },
  },
  /** A Uint8Array of variable length. */
  blob: {
    save: saveBytes,
    load: (saved, _, set) => {
      if (typeof saved !== "string") return undefined;
      return () => set(decode(saved));
    },
  },
  /** An array of blobs. */
  blobs: {
    save: (value) => {
      if (!Array.isArray(value) || !value.every((each) => each instanceof Uint8Array)) return undefined;
      return value.map(encode);
    },
    load: (saved, _, set) => {
      if (!isList(saved) || !saved.every((each) => typeof each === "string")) return undefined;
      return () => set(saved.map(decode));
    },
  },
  /** A Uint32Array of fixed length. */
  uint32s: {
    save: (value) => (value instanceof Uint32Array ? [...value] : undefined),
    load: (saved, current) => {
      if (!isList(saved) || !(current instanceof Uint32Array) || saved.length !== current.length)
        return undefined;
      if (!saved.every((each) => isWhole(each, 0, 2 ** 32 - 1))) return undefined;
      return () => current.set(saved as readonly number[]); // as just checked
    },
  },
  /** An array of integers, of fixed length. */
  ints: {
    save: (value) => (isInts(value) ? value : undefined),
    load: (saved, current, set) => {
      if (!isInts(saved) || !isInts(current) || saved.length !== current.length) return undefined;
      return () => set(saved);
    },
  },
  /** An array of integers, of variable length. */
  list: {
    save: (value) => (isInts(value) ? value : undefined),
    load: (saved, _, set) => (isInts(saved) ? () => set(saved) : undefined),
  },
  irq: {
    save: (value) => (value instanceof IrqLine ? value.level : undefined),
    load: (saved, current) => {
      if (typeof saved !== "boolean" || !(current instanceof IrqLine)) return undefined;
      return () => {
        current.level = saved;
      };
    },
  },
  timer: {
    save: (value) => (value instanceof Timer ? value.save() : undefined),
    load: (saved, current) => (current instanceof Timer ? restoreTimer(current, saved) : undefined),
  },
  irqs: eachOf("irq"),
  timers: eachOf("timer"),
} as const satisfies Readonly<Record<string, Kind>>;

/** Saves the fields. @throws QomAbort when a field does not exist or is not of its declared kind. */
export function saveFields(object: object, fields: VmStateFields): SavedFields {
  const saved: Record<string, SavedValue> = {};
  for (const name of Object.keys(fields).sort()) {
    const kind = fields[name] as VmStateKind; // name is one of its keys
    const value: unknown = Reflect.get(object, name);
    if (typeof kind === "object") {
      if (!isObject(value)) throw misdeclared(object, name, "an object");
      saved[name] = saveFields(value, kind);
      continue;
    }
    if (!Object.hasOwn(KINDS, kind))
      throw new QomAbort(
        `${object.constructor.name}.${name} is declared as ${kind}; kinds are ${Object.keys(KINDS).join(", ")}`,
      );
    const written = KINDS[kind].save(value);
    if (written === undefined) throw misdeclared(object, name, kind);
    saved[name] = written;
  }
  return saved;
}

/**
 * Validates the fields of an object in a snapshot, and returns the steps that restore them; nothing changes until the
 * first step runs.
 * @throws QomError when a field is missing, unknown or invalid; `where` names the object.
 */
export function loadFields(
  object: object,
  fields: VmStateFields,
  saved: SavedValue,
  where: string,
): Restore[] {
  if (!isFields(saved)) throw new QomError(`${where} has no fields`);
  const unknown = Object.keys(saved).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) throw new QomError(`${where} has an unknown field "${unknown}"`);
  return Object.entries(fields).flatMap(([name, kind]) => {
    const value = saved[name];
    if (value === undefined) throw new QomError(`${where} lacks the field "${name}"`);
    const current: unknown = Reflect.get(object, name);
    if (typeof kind === "object") {
      if (!isObject(current)) throw misdeclared(object, name, "an object");
      return loadFields(current, kind, value, `${where}.${name}`);
    }
    const step = KINDS[kind].load(value, current, (restored) => Reflect.set(object, name, restored));
    if (step === undefined) throw new QomError(`${where}.${name} has an invalid value: expected ${kind}`);
    return [step];
  });
}

function scalar(holds: (value: unknown) => boolean): Kind {
  return {
    save: (value) => (holds(value) ? (value as SavedValue) : undefined), // `holds` accepts booleans or numbers
    load: (saved, _, set) => (holds(saved) ? () => set(saved) : undefined),
  };
}

function wholeNumber(least: number, most: number): Kind {
  return scalar((value) => isWhole(value, least, most));
}

function eachOf(kind: "irq" | "timer"): Kind {
  return {
    save: (value) => {
      if (!Array.isArray(value)) return undefined;
      const saved = value.map((each) => KINDS[kind].save(each));
      return saved.every((each) => each !== undefined) ? saved : undefined;
    },
    load: (saved, current) => {
      if (!isList(saved) || !Array.isArray(current) || saved.length !== current.length) return undefined;
      const steps = saved.map((each, index) => KINDS[kind].load(each, current[index]));
      if (!steps.every((each) => each !== undefined)) return undefined;
      return () => {
        for (const step of steps) step();
      };
    },
  };
}

function restoreTimer(timer: Timer, saved: SavedValue): Restore | undefined {
  if (saved === null) return () => timer.cancel();
  if (!isFields(saved)) return undefined;
  const { deadline, turn } = saved;
  // Guests may set a comparator beyond what numbers can hold exactly.
  if (typeof deadline !== "number" || deadline < 0 || !isWhole(turn, 0, 2 ** 32)) return undefined;
  return () => timer.restore(deadline, turn);
}

function misdeclared(object: object, name: string, kind: string): QomAbort {
  return new QomAbort(
    `${object.constructor.name}.${name} is declared as ${kind}, but its value is of another kind, out of range, or missing`,
  );
}

function saveBytes(value: unknown): string | undefined {
  return value instanceof Uint8Array ? encode(value) : undefined;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function decode(saved: string): Uint8Array {
  return Uint8Array.from(Buffer.from(saved, "base64"));
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isInts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => Number.isInteger(each));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isList(value: SavedValue): value is readonly SavedValue[] {
  return Array.isArray(value);
}

export function isFields(value: SavedValue | undefined): value is SavedFields {
  return typeof value === "object" && value !== null && !isList(value);
}
