import { CommandError } from "#host";

/** Properties of an option, in the order given; a name may occur more than once. */
export type KeyValues = readonly (readonly [name: string, value: string])[];

/**
 * Parses `name=value,name=value` as in QEMU: a comma in a value is doubled, and a name alone stands for `name=on`. A
 * JSON object is equivalent; its nested members become `name.member=value`.
 * @param option as the user gave it, for messages.
 * @param implied name of the first part if that has none.
 * @throws CommandError when a part has no name, or the JSON is invalid.
 */
export function parseKeyValues(option: string, text: string, implied?: string): KeyValues {
  if (text.startsWith("{")) return parseJson(option, text);
  const parts = splitAtCommas(text);
  return parts.map((part, index): readonly [string, string] => {
    const equals = part.indexOf("=");
    if (equals === 0 || part === "")
      throw new CommandError(
        `${option} ${text}: a property has no name; give name=value, separated by commas`,
      );
    if (equals > 0) return [part.slice(0, equals), part.slice(equals + 1)];
    return index === 0 && implied !== undefined ? [implied, part] : [part, "on"];
  });
}

function parseJson(option: string, text: string): KeyValues {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${option} ${text}: is not JSON; give {"name": "value"}, or name=value`);
  }
  const twice = repeatedMember(text);
  if (twice !== null) throw new CommandError(`${option} ${text}: ${twice} is given twice; give it once`);
  return flattened(value, "");
}

/** A name that one of the objects in valid JSON has twice, of which `JSON.parse` keeps only the last; null: none has. */
function repeatedMember(json: string): string | null {
  const objects: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === "{") objects.push(new Set());
    else if (token === "}") objects.pop();
    else if (name !== undefined) {
      const member: unknown = JSON.parse(name);
      const seen = objects.at(-1);
      if (typeof member !== "string" || seen === undefined) continue;
      if (seen.has(member)) return member;
      seen.add(member);
    }
  }
  return null;
}

function flattened(value: unknown, name: string): (readonly [string, string])[] {
  if (typeof value === "boolean") return [[name, value ? "on" : "off"]];
  if (typeof value !== "object" || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, part]) =>
    flattened(part, name === "" ? key : `${name}.${key}`),
  );
}

/** Splits at single commas; double ones become single within a part. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ",") part += text[at];
    else if (text[at + 1] === ",") {
      part += ",";
      at++;
    } else {
      parts.push(part);
      part = "";
    }
  }
  return [...parts, part];
}

/** The properties of an option, each of which may be given only once; they are taken out one by one. */
export class OptionReader {
  private readonly option: string;
  private readonly left: Map<string, string>;
  private readonly known: string[] = [];

  /**
   * @param option with the text that the user gave, for messages.
   * @throws CommandError when a name occurs twice.
   */
  constructor(option: string, entries: KeyValues) {
    this.option = option;
    this.left = new Map();
    for (const [name, value] of entries) {
      if (this.left.has(name)) throw this.error(`${name} is given twice; give it once`);
      this.left.set(name, value);
    }
  }

  error(message: string): CommandError {
    return new CommandError(`${this.option}: ${message}`);
  }

  take(name: string): string | undefined {
    this.known.push(name);
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  /** @throws CommandError when it is missing or empty. */
  require(name: string): string {
    const value = this.take(name);
    if (value === undefined || value === "") throw this.error(`${name} is missing; give ${name}=`);
    return value;
  }

  /** @throws CommandError unless it is one of `choices`. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]], otherwise: T): T {
    const value = this.take(name);
    if (value === undefined) return otherwise;
    const found = choices.find((choice) => choice === value);
    if (found === undefined)
      throw this.error(`${name}=${value} is unknown; give ${name}=${choices.join(`, ${name}=`)}`);
    return found;
  }

  /** @throws CommandError unless it is on or off. */
  switch(name: string, otherwise = false): boolean {
    return this.choice(name, ["on", "off"], otherwise ? "on" : "off") === "on";
  }

  /** The properties that were not taken. */
  rest(): ReadonlyMap<string, string> {
    return this.left;
  }

  /** @throws CommandError when a property was not taken. */
  end(): void {
    for (const [name] of this.left)
      throw this.error(
        `property ${name} is unknown; ${this.known.length === 0 ? "leave it out" : `there are ${this.known.sort().join(", ")}`}`,
      );
  }
}
