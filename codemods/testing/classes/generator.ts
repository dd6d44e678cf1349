/** Random device classes: shapes, hazards and styles, combined. Equal seeds, equal classes. */
import { Random } from "../../prove/worker/random.ts";
import type { Direction } from "../../regions/facts.ts";
import { earlyHazards, earlyShapes } from "./embedded-early.ts";
import { embeddedHazards } from "./embedded-hazards.ts";
import { embeddedShapes } from "./embedded-shapes.ts";
import { embeddedSituations } from "./embedded-situations.ts";
import type { Feature, Parts } from "./feature.ts";
import { ownedHazards } from "./owned-hazards.ts";
import { ownedShapes } from "./owned-shapes.ts";
import { type Style, styles } from "./styles.ts";

export interface GeneratedClass {
  readonly seed: number;
  /** What it is made of, for reports. */
  readonly features: readonly string[];
  readonly styles: readonly string[];
  readonly hasHazard: boolean;
  readonly text: string;
}

/** Kinds that are combined for a direction. */
export function kindsOf(direction: Direction): {
  shapes: readonly Feature[];
  hazards: readonly Feature[];
  styles: readonly Style[];
} {
  return direction === "to-owned"
    ? {
        shapes: [...embeddedShapes, ...embeddedSituations, ...earlyShapes],
        hazards: [...embeddedHazards, ...earlyHazards],
        styles,
      }
    : { shapes: ownedShapes, hazards: ownedHazards, styles };
}

/** A class to convert in `direction`. */
export function generateClass(direction: Direction, seed: number): GeneratedClass {
  const random = new Random(seed * 2 + (direction === "to-owned" ? 0 : 1));
  const { shapes, hazards } = kindsOf(direction);
  const features = choose(shapes, 1 + random.below(3), random);
  // Most classes have none: one refused region refuses its class, and hides what the others do.
  if (random.below(5) === 0) features.push(...choose(hazards, 1, random));
  const chosen = random.below(3) === 0 ? [] : choose(styles, 1 + random.below(2), random);
  const parts = features.map((feature, index) => feature.build(`part${seed}x${index}`, random));
  const plain = classText(merge(parts), random);
  return {
    seed,
    features: features.map(({ name }) => name),
    styles: chosen.map(({ name }) => name),
    hasHazard: features.some(({ hazard }) => hazard === true),
    text: chosen.reduce((text, style) => style.apply(text, random), plain),
  };
}

/** A class with one feature and one style, to try each of them. */
export function classWith(feature: Feature, style: Style | null): string {
  const random = new Random(1);
  const text = classText(feature.build("part0", random), random);
  return style === null ? text : style.apply(text, random);
}

function choose<T>(from: readonly T[], count: number, random: Random): T[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, from.length) }, () =>
    left.splice(random.below(left.length), 1),
  ).flat();
}

function merge(parts: readonly Parts[]): Required<Parts> {
  const all = (key: keyof Parts) => [...parts.flatMap((each) => each[key] ?? [])];
  return {
    memory: [...new Set(all("memory"))],
    qom: [...new Set(all("qom"))],
    qdev: [...new Set(all("qdev"))],
    top: all("top"),
    fields: all("fields"),
    instanceInit: all("instanceInit"),
    early: all("early"),
    realize: all("realize"),
    late: all("late"),
    unrealize: all("unrealize"),
    reset: all("reset"),
    finalize: all("finalize"),
    members: all("members"),
    properties: all("properties"),
    exercise: all("exercise"),
  };
}

function classText(given: Parts, random: Random): string {
  const parts = merge([given]);
  const { memory, qom, qdev } = parts;
  const realize = [...parts.early, ...parts.realize, ...parts.late];
  const hooks = [
    hook("protected override instanceInit", parts.instanceInit),
    hook("protected override realize", realize),
    hook("override reset", parts.reset),
    hook("protected override unrealize", parts.unrealize),
    hook("protected override instanceFinalize", parts.finalize),
  ];
  const properties =
    parts.properties.length === 0
      ? []
      : ["  static override readonly properties = [", ...indented(parts.properties, 2), "  ];", ""];
  const fields = random.below(4) === 0 ? ["level = 0;", ...parts.fields] : parts.fields;
  return [
    `import { MemoryRegion, type MemoryRegionOps${memory.map((name) => `, ${name}`).join("")} } from "#memory";`,
    `import { SysBusDevice${qdev.map((name) => `, ${name}`).join("")} } from "#qdev";`,
    ...(qom.length === 0 ? [] : [`import { ${qom.join(", ")} } from "#qom";`]),
    "",
    "export const ops: MemoryRegionOps<unknown> = {",
    "  read: (_, offset, size) => (offset * 7 + size) >>> 0,",
    "  write: (_, offset, value) => {",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the generated class
    "    (globalThis as { LOG?: { push(line: string): void } }).LOG?.push(`w ${offset} ${value}`);",
    "  },",
    '  endianness: "little",',
    "};",
    "",
    ...parts.top,
    "",
    "export class Dut extends SysBusDevice {",
    '  static override readonly typeName: string = "dut";',
    "",
    ...properties,
    ...indented(fields, 1),
    "",
    ...hooks.flat(),
    ...indented(parts.members, 1),
    "}",
    "",
    ...(parts.exercise.length === 0
      ? []
      : [
          "export function exercise(dev: Dut, log: { push(line: string): void }): void {",
          ...indented(parts.exercise, 1),
          "}",
          "",
        ]),
  ].join("\n");
}

function hook(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`  ${name}(): void {`, ...indented(lines, 2), "  }", ""];
}

function indented(lines: readonly string[], depth: number): string[] {
  return lines.map((line) => (line === "" ? line : "  ".repeat(depth) + line));
}
