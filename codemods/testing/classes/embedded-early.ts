/** Embedded regions in what may run before `realize`, or in a device that never is: hazards, and the same made safe. */
import { declare, embedded, type Feature, io, type Parts, window } from "./feature.ts";

function hazard(name: string, build: Feature["build"]): Feature {
  return { name, hazard: true, build };
}

const note = (n: string) => [
  `function ${n}Note(text: string): void {`,
  "  (globalThis as { LOG?: { push(line: string): void } }).LOG?.push(text);",
  "}",
];
/** A window whose size a member notes. */
const noting = (n: string, ...members: string[]): Parts => window(n, { top: note(n), members });
const size = (n: string) => `${n}Note(String(this.${n}.size));`;

/** Another device that has this one as a child. */
const parent = (n: string, ...members: string[]): readonly string[] => [
  `export class ${n}Parent extends SysBusDevice {`,
  `  static override readonly typeName: string = "${n}-parent";`,
  "  private readonly kid = this.embed(Dut);",
  ...members.map((line) => `  ${line}`),
  "}",
];
const announces = (n: string) => [`${n}Size(): number {`, `  return this.${n}.size;`, "}"];

export const earlyHazards: readonly Feature[] = [
  hazard("used by onUnparent", (n) =>
    noting(n, "protected override onUnparent(): void {", `  ${size(n)}`, "  super.onUnparent();", "}"),
  ),
  hazard("used by an override of unparent", (n) =>
    noting(
      n,
      "override unparent(): void {",
      `  this.${n}Quiesce();`,
      "  super.unparent();",
      "}",
      `private ${n}Quiesce(): void {`,
      `  ${size(n)}`,
      "}",
    ),
  ),
  hazard("used by an override of unplug", (n) =>
    noting(n, "override unplug(): void {", `  ${size(n)}`, "  super.unplug();", "}"),
  ),
  hazard("used by an override of ref", (n) =>
    noting(n, "override ref(): void {", `  ${size(n)}`, "  super.ref();", "}"),
  ),
  hazard("used by an override of addChild", (n) => ({
    ...noting(
      n,
      "override addChild(name: string, child: MemoryRegion): string {",
      "  const given = super.addChild(name, child);",
      `  ${size(n)}`,
      "  return given;",
      "}",
    ),
  })),
  hazard("used by an override of plugIntoSystemBus", (n) =>
    noting(n, "override plugIntoSystemBus(): void {", `  ${size(n)}`, "  super.plugIntoSystemBus();", "}"),
  ),
  hazard("used by an override of describe", (n) =>
    window(n, {
      members: ["override describe(): string {", `  return super.describe() + this.${n}.size;`, "}"],
    }),
  ),
  hazard("used by an override of getProperty", (n) =>
    window(n, {
      properties: [`{ name: "${n}", type: "uint64", get: () => 1 },`],
      members: [
        "override getProperty(name: string) {",
        `  return name === "${n}" ? this.${n}.size : super.getProperty(name);`,
        "}",
      ],
    }),
  ),
  hazard("used by hotpluggable", (n) =>
    window(n, {
      members: ["override get hotpluggable(): boolean {", `  return this.${n}.size < 0x1000;`, "}"],
    }),
  ),
  hazard("used by hotplugHandler", (n) =>
    noting(n, "override get hotplugHandler() {", `  ${size(n)}`, "  return super.hotplugHandler;", "}"),
  ),
  hazard("used by the getter of an option", (n) =>
    window(n, {
      properties: [`{ name: "${n}", type: "uint64", get: (dev: Dut) => dev.${n}.size },`],
    }),
  ),
  hazard("used by an accessor that an option names", (n) =>
    window(n, {
      qdev: ["uintProperty"],
      top: [`const ${n}Options = [uintProperty<Dut>("${n}", "size", "${n}Size")];`],
      properties: [`...${n}Options,`],
      members: [
        `get ${n}Size(): number {`,
        `  return this.${n}.size;`,
        "}",
        `set ${n}Size(size: number) {`,
        `  if (size < 0) throw new RangeError("negative");`,
        "}",
      ],
    }),
  ),
  hazard("used by an input that instanceInit adds", (n) => ({
    ...window(n, { top: note(n) }),
    instanceInit: [
      `this.initGpioIn(1, (_, level) => ${n}Note(\`gate \${String(level)} \${String(this.${n}.size)}\`));`,
    ],
  })),
  hazard("used by an input that realize sets too early", (n) => ({
    top: note(n),
    fields: [embedded(n)],
    early: [
      `this.initGpioIn(1, () => ${n}Note(String(this.${n}.size)));`,
      `const ${n}Input = this.gpioIn(this.gpioInputs - 1);`,
      `${n}Input.set(true);`,
    ],
    realize: [`this.${n}.${io(n)};`, declare(n)],
  })),
  hazard("used by a method that the parent's instanceInit calls", (n) =>
    window(n, {
      top: [
        ...note(n),
        ...parent(
          n,
          "protected override instanceInit(): void {",
          '  this.initializeChild("kid", this.kid);',
          `  ${n}Note(String(this.kid.${n}Size()));`,
          "}",
          "protected override realize(): void {",
          "  this.kid.plug();",
          "}",
        ),
      ],
      members: announces(n),
    }),
  ),
  hazard("used by another device's realize", (n) => ({
    ...window(n, {
      top: [
        ...note(n),
        `export class ${n}Primary extends SysBusDevice {`,
        `  static override readonly typeName: string = "${n}-primary";`,
        "  secondary: Dut | null = null;",
        "  protected override realize(): void {",
        `    ${n}Note(String(this.secondary?.${n}.size));`,
        "  }",
        "}",
      ],
    }),
    fields: [`readonly ${n} = this.embed(MemoryRegion);`],
  })),
];

export const earlyShapes: readonly Feature[] = [
  {
    name: "asked for only if the device is realized",
    build: (n) =>
      window(n, {
        top: note(n),
        members: [
          "override describe(): string {",
          `  return this.realized ? super.describe() + this.${n}.size : super.describe();`,
          "}",
          "protected override onUnparent(): void {",
          `  if (this.realized) ${size(n)}`,
          "  super.onUnparent();",
          "}",
        ],
      }),
  },
  {
    name: "used after super has plugged the device",
    build: (n) =>
      noting(n, "override plugIntoSystemBus(): void {", "  super.plugIntoSystemBus();", `  ${size(n)}`, "}"),
  },
  {
    name: "inputs that realize adds",
    build: (n) =>
      window(n, {
        early: [`this.initGpioIn(1, (_, level) => this.${n}.setEnabled(!level));`],
        late: [`this.gpioIn(this.gpioInputs - 1).set(false);`],
      }),
  },
  {
    name: "a child that its parent plugs first",
    build: (n) =>
      window(n, {
        top: [
          ...note(n),
          ...parent(
            n,
            "protected override realize(): void {",
            '  this.initializeChild("kid", this.kid);',
            "  this.kid.plug();",
            `  ${n}Note(String(this.kid.${n}Size()));`,
            "}",
            "protected override unrealize(): void {",
            "  this.kid.unplug();",
            "}",
          ),
        ],
        members: announces(n),
      }),
  },
];
