import { CommandError, cleanText, inOneLine } from "#host";

/**
 * Walks parsed JSON and checks it on the way. Each reader knows its file and JSON path, so every error says where it
 * is, what was found, what was expected, and how to fix it.
 */
export class JsonReader {
  readonly file: string;
  readonly path: string;
  readonly value: unknown;
  private readonly writer: string;

  /** @param writer the command that wrote the file, for messages */
  constructor(file: string, value: unknown, path = "$", writer = "`regionlab bench -o`") {
    this.file = file;
    this.value = value;
    this.path = path;
    this.writer = writer;
  }

  /** The member `key` of an object. A missing member is an error when it is read, not here. */
  at(key: string): JsonReader {
    const value = this.record()[key];
    return this.inner(value, `.${key}`);
  }

  /** The item at an index of an array. */
  item(index: number): JsonReader {
    const value: unknown = Array.isArray(this.value) ? this.value[index] : this.fail("an array");
    return this.inner(value, `[${index}]`);
  }

  /** @param most length in characters; regionlab writes no longer texts, and folding one into lines takes minutes */
  string(most = 1000): string {
    if (typeof this.value !== "string") return this.fail("a string");
    return this.value.length <= most ? this.value : this.fail(`a text of at most ${most} characters`);
  }

  boolean(): boolean {
    return typeof this.value === "boolean" ? this.value : this.fail("true or false");
  }

  /** A finite number. */
  number(): number {
    const { value } = this;
    return typeof value === "number" && Number.isFinite(value) ? value : this.fail("a finite number");
  }

  /** A finite number greater than 0. */
  positive(): number {
    const value = this.number();
    return value > 0 ? value : this.fail("a number greater than 0");
  }

  /** A finite number of at least 0. */
  amount(): number {
    const value = this.number();
    return value >= 0 ? value : this.fail("a number from 0");
  }

  /** An integer of at least 0. */
  count(): number {
    const value = this.number();
    return Number.isSafeInteger(value) && value >= 0 ? value : this.fail("a whole number from 0");
  }

  oneOf<const T extends string>(words: readonly T[]): T {
    return words.find((word) => word === this.value) ?? this.fail(`one of: ${words.join(", ")}`);
  }

  /** A probability of chance, which is never 0. */
  probability(): number {
    const value = this.number();
    return value > 0 && value <= 1 ? value : this.fail("a probability above 0, up to 1");
  }

  /** The confidence level of an interval. */
  level(): number {
    const value = this.number();
    return value > 0.5 && value < 1 ? value : this.fail("a level between 0.5 and 1");
  }

  /** A date with its time, ISO 8601 in UTC. */
  date(): string {
    const text = this.string();
    const shaped = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/.test(text);
    return shaped && !Number.isNaN(Date.parse(text)) ? text : this.fail("a date in ISO 8601, in UTC");
  }

  sha256(): string {
    const text = this.string();
    return /^[0-9a-f]{64}$/.test(text) ? text : this.fail("a SHA-256 in 64 hexadecimal digits");
  }

  /** Names of the members of an object. */
  keys(): string[] {
    return Object.keys(this.record());
  }

  nullable<T>(read: (reader: JsonReader) => T): T | null {
    return this.value === null ? null : read(this);
  }

  array<T>(read: (reader: JsonReader) => T): T[] {
    if (!Array.isArray(this.value)) return this.fail("an array");
    return this.value.map((item, i) => read(this.inner(item, `[${i}]`)));
  }

  /** Throws an error that says what was found here and what was expected. */
  fail(expected: string): never {
    throw new CommandError(
      `${this.file}: ${this.path} is ${describe(this.value)}, expected ${inOneLine(expected)}; ` +
        `the file was edited or damaged: restore it, or run ${this.writer} again`,
    );
  }

  private inner(value: unknown, step: string): JsonReader {
    return new JsonReader(this.file, value, this.path + step, this.writer);
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
  const text = cleanText(JSON.stringify(value));
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
