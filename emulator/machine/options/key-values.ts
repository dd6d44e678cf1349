import { CommandError, HelpRequest, tableOf } from "#host";

/** Properties of an option, in the order given; a name may occur more than once. */
export type KeyValues = readonly (readonly [name: string, value: string])[];

const SWITCH_WORDS = tableOf<string>({ yes: "on", true: "on", y: "on", no: "off", false: "off", n: "off" });

/** Whether a value asks for a list of what may be given. */
export function asksForHelp(value: string): boolean {
  return value === "help" || value === "?";
}

/**
 * Parses `name=value,name=value` as in QEMU: a comma in a value is doubled, and a name alone stands for `name=on`. A
 * JSON object is equivalent; its nested members become `name.member=value`.
 * @param option as the user gave it, for messages.
 * @param implied name of the first part if that has none; `help` alone stands for `help=on` in any case.
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
    return index === 0 && implied !== undefined && !asksForHelp(text) ? [implied, part] : [part, "on"];
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
  // QEMU's schema wraps the texts of a list: "hostfwd": [{"str": "tcp::2222-:22"}].
  if (Array.isArray(value))
    return value.flatMap((part) => flattened(isWrapped(part) ? part.str : part, name));
  return Object.entries(value).flatMap(([key, part]) =>
    flattened(part, name === "" ? key : `${name}.${key}`),
  );
}

function isWrapped(value: unknown): value is { readonly str: string } {
  return typeof value === "object" && value !== null && "str" in value && typeof value.str === "string";
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

/**
 * The properties of an option, each of which may be given only once; they are taken out one by one. With `help` among
 * them, none is missing, and `end` asks for their list.
 */
export class OptionReader {
  private readonly option: string;
  private readonly left: Map<string, string>;
  /** Values of the properties that exist, as far as they can be listed. */
  private readonly known = new Map<string, readonly string[]>();
  private readonly asksForHelp: boolean;

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
    const help = [...this.left].find(([name, value]) => asksForHelp(name) && value === "on");
    this.asksForHelp = help !== undefined;
    if (help !== undefined) this.left.delete(help[0]);
  }

  error(message: string): CommandError {
    return new CommandError(`${this.option}: ${message}`);
  }

  /** Whether a property was given, and is not taken yet. */
  has(name: string): boolean {
    return this.left.has(name);
  }

  take(name: string): string | undefined {
    if (!this.known.has(name)) this.known.set(name, ["<value>"]);
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  /** @throws CommandError when it is missing or empty. */
  require(name: string): string {
    const value = this.take(name);
    if (value === undefined && this.asksForHelp) return "";
    if (value === undefined || value === "") throw this.error(`${name} is missing; give ${name}=`);
    return value;
  }

  /**
   * @param advice what to do in place of a value that is none of them
   * @throws CommandError unless it is one of `choices`; HelpRequest if it asks for them.
   */
  choice<T extends string>(
    name: string,
    choices: readonly [T, ...T[]],
    otherwise: T,
    advice = `is unknown; give ${name}=${choices.join(`, ${name}=`)}`,
  ): T {
    const value = this.take(name);
    this.known.set(name, choices);
    if (value === undefined) return otherwise;
    if (asksForHelp(value)) throw new HelpRequest(`Supported values of ${name}: ${choices.join(" ")}\n`);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.error(`${name}=${value} ${advice}`);
    return found;
  }

  /** As in QEMU, `yes`, `true` and `y` are `on`, and `no` before the name turns it off. @throws CommandError unless it is on or off. */
  switch(name: string, otherwise = false): boolean {
    const [value, negated] = [this.left.get(name), this.left.get(`no${name}`)];
    if (negated === "on" && value === undefined) {
      this.left.delete(`no${name}`);
      this.left.set(name, "off");
    } else if (value !== undefined) this.left.set(name, SWITCH_WORDS.get(value) ?? value);
    return this.choice(name, ["on", "off"], otherwise ? "on" : "off") === "on";
  }

  /** The properties that were not taken. */
  rest(): ReadonlyMap<string, string> {
    return this.left;
  }

  /** @throws CommandError when a property was not taken; HelpRequest if help is asked for. */
  end(): void {
    for (const [name] of this.left)
      throw this.error(
        `property ${name} is unknown; ${this.known.size === 0 ? "leave it out" : `there are ${[...this.known.keys()].sort().join(", ")}`}`,
      );
    if (this.asksForHelp) throw helpOn(/^-*(\S*)/.exec(this.option)?.[1] ?? "", this.known);
  }
}

/** The properties of something, with their possible values, in QEMU's form. */
export function helpOn(
  what: string,
  properties: Iterable<readonly [string, readonly string[]]>,
): HelpRequest {
  const lines = [...properties].map(([name, values]) => `  ${name}=${values.join("|")}\n`);
  return new HelpRequest(
    lines.length === 0 ? `There are no options for ${what}.\n` : `${what} options:\n${lines.sort().join("")}`,
  );
}
