/** The lives that a class is to lead: those of every device, and those that its own text suggests. */
import { Random } from "./worker/random.ts";
import type { ClassFacts, Life, Plain } from "./worker/trace.ts";

const PLAIN: Life = {
  name: "plain life",
  kind: "plain",
  fields: {},
  variesProperties: false,
  failingRam: 0,
  hotplugged: false,
  reader: false,
};

const OF_EVERY_DEVICE: readonly Life[] = [
  PLAIN,
  { ...PLAIN, name: "other properties, hot-plugged", variesProperties: true, hotplugged: true },
  { ...PLAIN, name: "created, never plugged", kind: "never plugged" },
  { ...PLAIN, name: "removed while mapped", kind: "removed while mapped", reader: true },
  { ...PLAIN, name: "two devices", kind: "pair" },
  { ...PLAIN, name: "realized again", kind: "realized again" },
];

/** Most lives with other values of fields. */
const FIELD_LIVES = 4;
/** Allocations of guest memory that fail in turn. */
const FAILING = [1, 2, 3];

/** How thoroughly a class is driven: `brief` leaves out the lives that rarely find what others do not. */
export type Thoroughness = "full" | "brief";

const IN_BRIEF: ReadonlySet<Life["kind"]> = new Set([
  "plain",
  "removed while mapped",
  "realized again",
  "methods",
]);

/** The same for both forms: it depends on the text before the conversion only. */
export function livesOf(
  facts: ClassFacts,
  fields: Readonly<Record<string, Plain>>,
  text: string,
  seed: number,
  thoroughness: Thoroughness = "full",
): readonly Life[] {
  const lives = allLivesOf(facts, fields, text, seed);
  if (thoroughness === "full") return lives;
  return lives.filter(
    ({ kind, variesProperties, failingRam, name }, index) =>
      IN_BRIEF.has(kind) &&
      !variesProperties &&
      failingRam <= 1 &&
      (!name.startsWith("with ") || !lives[index - 1]?.name.startsWith("with ")),
  );
}

function allLivesOf(
  facts: ClassFacts,
  fields: Readonly<Record<string, Plain>>,
  text: string,
  seed: number,
): readonly Life[] {
  const lives = [...OF_EVERY_DEVICE];
  if (facts.methods.length > 0) lives.push({ ...PLAIN, name: "public methods called", kind: "methods" });
  if (/(?:init|new)\w*(?:Ram|Rom)/.test(text))
    for (const failing of FAILING)
      lives.push({ ...PLAIN, name: `allocation ${failing} of memory fails`, failingRam: failing });
  return [...lives, ...fieldLives(fields, seed)];
}

function fieldLives(fields: Readonly<Record<string, Plain>>, seed: number): Life[] {
  const names = Object.keys(fields);
  if (names.length === 0) return [];
  const random = new Random(seed);
  const count = names.length === 1 && typeof fields[names[0] ?? ""] === "boolean" ? 1 : FIELD_LIVES;
  return Array.from({ length: count }, (_, index) => {
    const changed = names.map((name): [string, Plain] => [name, otherValue(fields[name], index, random)]);
    const text = changed.map(([name, value]) => `${name} = ${value}`).join(", ");
    return { ...PLAIN, name: `with ${text}`, fields: Object.fromEntries(changed) };
  });
}

/** The first life changes every field; later ones choose. */
function otherValue(value: Plain | undefined, index: number, random: Random): Plain {
  if (typeof value === "boolean") return index === 0 || random.below(2) === 1 ? !value : value;
  if (typeof value === "number") {
    return index === 0 ? value + 1 : random.pick([value, 0, 1, 2, 3, value * 2]);
  }
  return `${value ?? ""}${index === 0 || random.below(2) === 1 ? "2" : ""}`;
}
