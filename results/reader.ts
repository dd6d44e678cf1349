import { CommandError } from "./command-error.ts";

/**
 * Walks parsed JSON and checks it on the way. Each reader knows the file and the JSON path where it stands, so every
 * complaint says where, what was found, what was expected, and how to mend it.
 */
export class JsonReader {
  readonly file: string;
  readonly path: string;
  readonly value: unknown;

  constructor(file: string, value: unknown, path = "$") {
    this.file = file;
    this.value = value;
    this.path = path;
  }

  /** The member `key` of an object. A missing member is an error when it is read, not here. */
  at(key: string): JsonReader {
    const value = this.record()[key];
    return new JsonReader(this.file, value, `${this.path}.${key}`);
  }

  string(): string {
    return typeof this.value === "string" ? this.value : this.fail("a string");
  }

  boolean(): boolean {
    return typeof this.value === "boolean" ? this.value : this.fail("true or false");
  }

  /** A finite number. */
  number(): number {
    const { value } = this;
    return typeof value === "number" && Number.isFinite(value) ? value : this.fail("a finite number");
  }

  /** A whole number from 0. */
  count(): number {
    const value = this.number();
    return Number.isSafeInteger(value) && value >= 0 ? value : this.fail("a whole number from 0");
  }

  oneOf<const T extends string>(words: readonly T[]): T {
    return words.find((word) => word === this.value) ?? this.fail(`one of: ${words.join(", ")}`);
  }

  sha256(): string {
    const text = this.string();
    return /^[0-9a-f]{64}$/.test(text) ? text : this.fail("a SHA-256 in 64 hexadecimal digits");
  }

  nullable<T>(read: (reader: JsonReader) => T): T | null {
    return this.value === null ? null : read(this);
  }

  array<T>(read: (reader: JsonReader) => T): T[] {
    if (!Array.isArray(this.value)) return this.fail("an array");
    return this.value.map((item, i) => read(new JsonReader(this.file, item, `${this.path}[${i}]`)));
  }

  /** Ends with an error that says what stands here and what was expected. */
  fail(expected: string): never {
    throw new CommandError(
      2,
      `${this.file}: ${this.path} is ${describe(this.value)}, expected ${expected}; ` +
        "the file was edited or damaged: restore it, or run `regionlab bench -o` again",
    );
  }

  private record(): Readonly<Record<string, unknown>> {
    return isRecord(this.value) ? this.value : this.fail("an object");
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
