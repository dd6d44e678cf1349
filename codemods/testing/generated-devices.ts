import fc from "fast-check";

/**
 * Random devices in canonical embedded form. They vary kinds of regions, uses, comments, and the lengths of names, so
 * that calls end up on either side of the line width.
 */
interface Region {
  readonly name: string;
  readonly kind: "container" | "io" | "ram" | "rom" | "romdevice" | "alias";
  readonly label: string;
  readonly access: "private readonly" | "protected readonly" | "readonly";
  readonly doc: 0 | 1 | 2;
  readonly note: boolean;
  /** Other code that uses it: none, a callback, or a method that runs later. */
  readonly user: "nobody" | "closure" | "method";
  readonly guarded: boolean;
}

const word = fc.constantFrom(
  "low",
  "high",
  "control",
  "statusAndControlRegisters",
  "window",
  "b",
  "memory",
  "doorbell",
);

const regionOf: fc.Arbitrary<Omit<Region, "name">> = fc.record({
  kind: fc.constantFrom("container", "io", "ram", "rom", "romdevice", "alias"),
  label: fc
    .integer({ min: 1, max: 60 })
    .map((length) => "device.region-name-that-goes-on-and-on-and-on-and-on-and-so".slice(0, length)),
  access: fc.constantFrom(
    "private readonly",
    "private readonly",
    "private readonly",
    "protected readonly",
    "readonly",
  ),
  doc: fc.constantFrom(0, 1, 2),
  note: fc.boolean(),
  user: fc.constantFrom("nobody", "nobody", "closure", "method"),
  guarded: fc.boolean(),
});

const deviceOf = fc.record({
  regions: fc
    .array(fc.tuple(word, regionOf), { minLength: 1, maxLength: 6 })
    .map((pairs) => pairs.map(([name, region], index): Region => ({ ...region, name: `${name}${index}` }))),
  statics: fc.boolean(),
  fields: fc.boolean(),
  doc: fc.boolean(),
});

function source(
  devices: readonly (typeof deviceOf extends fc.Arbitrary<infer Device> ? Device : never)[],
): string {
  const classes = devices.map((device, index) => classText(`Device${index}`, device));
  return [
    'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
    'import { SysBusDevice } from "#qdev";',
    "",
    ...classes,
    "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
    "",
  ].join("\n");
}

function classText(
  name: string,
  device: { regions: Region[]; statics: boolean; fields: boolean; doc: boolean },
): string {
  const { regions, statics, fields, doc } = device;
  const methodUsers = regions.filter(({ user }) => user === "method");
  return [
    ...(doc ? [`/** ${name}. */`] : []),
    `export class ${name} extends SysBusDevice {`,
    ...(statics ? ['  static override readonly typeName = "device";', ""] : []),
    ...regions.flatMap(({ name, access, doc }) => [
      ...docText(doc),
      `  ${access} ${name} = this.embed(MemoryRegion);`,
    ]),
    ...(regions.some(({ guarded }) => guarded)
      ? ["  /** Whether the optional regions are. */", "  readonly present: boolean = true;"]
      : []),
    ...(fields ? ["  /** Of no concern here. */", "  protected count = 0;", "", "  limit = 1;"] : []),
    "",
    "  protected override realize(): void {",
    ...regions.flatMap(statements),
    "  }",
    ...(methodUsers.length > 0
      ? ["", "  override reset(): void {", ...methodUsers.map(resetStatement), "  }"]
      : []),
    "}",
    "",
  ].join("\n");
}

function resetStatement({ name, guarded }: Region): string {
  return `    ${guarded ? "if (this.present) " : ""}this.${name}.setEnabled(true);`;
}

function docText(doc: Region["doc"]): string[] {
  if (doc === 0) return [];
  return doc === 1
    ? ["  /** A region. */"]
    : ["  /**", "   * A region that needs", "   * more to be said.", "   */"];
}

function statements(region: Region, index: number, regions: readonly Region[]): string[] {
  const { name, note, user, guarded } = region;
  const indent = guarded ? "      " : "    ";
  const lines = [
    ...(note ? [`${indent}// Number ${index}.`] : []),
    call(indent, `this.${name}.${initName(region)}`, argumentsOf(region, index, regions)),
    `${indent}this.initMmio(this.${name});`,
    ...(user === "closure" ? [`${indent}this.clock.at(1n, () => this.${name}.setEnabled(false));`] : []),
  ];
  return guarded ? ["    if (this.present) {", ...lines, "    }"] : lines;
}

function initName({ kind }: Region): string {
  const names = {
    container: "init",
    io: "initIo",
    ram: "initRam",
    rom: "initRom",
    romdevice: "initRomDevice",
    alias: "initAlias",
  };
  return names[kind];
}

function argumentsOf({ kind, label }: Region, index: number, regions: readonly Region[]): string[] {
  const name = JSON.stringify(label);
  if (kind === "io" || kind === "romdevice") return ["this", "ops", "this", name, "0x1000"];
  if (kind !== "alias") return ["this", name, "0x1000"];
  const target = regions.slice(0, index).findLast(({ guarded }) => !guarded);
  return ["this", name, target === undefined ? "this.mmioRegion(0)" : `this.${target.name}`, "0x40", "0x80"];
}

/** Lays a call out as Biome does at 110 columns. */
function call(indent: string, callee: string, args: readonly string[]): string {
  const flat = `${indent}${callee}(${args.join(", ")});`;
  if (flat.length <= 110) return flat;
  return [`${indent}${callee}(`, ...args.map((arg) => `${indent}  ${arg},`), `${indent});`].join("\n");
}

/** Texts of whole files, in the project's format. */
export const generatedSources: fc.Arbitrary<string> = fc
  .array(deviceOf, { minLength: 1, maxLength: 3 })
  .map(source);
