/** Embedded regions whose owned form may behave differently: most of them must be refused. */
import { declare, embedded, type Feature, io, type Parts, window } from "./feature.ts";

function hazard(name: string, build: Feature["build"]): Feature {
  return { name, hazard: true, build };
}

const array = (n: string) => `private readonly ${n}s = this.embedArray(MemoryRegion, 2);`;
const filled = (n: string) => [
  `for (const [index, ${n}] of this.${n}s.entries()) {`,
  `  ${n}.initIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
  `  this.initMmio(${n});`,
  "}",
];
/** A window that is created in realize, after `early`. */
const createdAfter = (n: string, early: Parts): Parts => ({
  ...early,
  fields: [embedded(n), ...(early.fields ?? [])],
  realize: [`this.${n}.${io(n)};`],
});

/** Tells the test what a value is. */
const tell = (value: string) => `this.model.onGuestError?.(this, String(${value}), "unimp");`;
/** A window that is created after `early`, which looks at it by way of an object with the members `inside`. */
const seenBy = (n: string, inside: string, early: readonly string[], ends = ""): Parts =>
  createdAfter(n, {
    early,
    members: [
      `private ${n}View() {`,
      "  const dev = this;",
      "  void dev;",
      `  return { ${inside} }${ends};`,
      "}",
    ],
  });
const sizeOf = (n: string) => `Number(this.${n}.size)`;

/** Members that run without being called by name. */
const impliedCalls: readonly Feature[] = [
  hazard("getter destructured too early", (n) =>
    createdAfter(n, {
      early: [`const { ${n}Size } = this;`, tell(`${n}Size`)],
      members: [`private get ${n}Size(): number {`, `  return ${sizeOf(n)};`, "}"],
    }),
  ),
  hazard("getter destructured by another type, with a value by default", (n) =>
    createdAfter(n, {
      early: [`const { ${n}Size: first = 3 } = this as unknown as { ${n}Size?: number };`, tell("first")],
      members: [`get ${n}Size(): number {`, `  return ${sizeOf(n)};`, "}"],
    }),
  ),
  hazard("getter destructured from a parameter", (n) =>
    createdAfter(n, {
      top: [`function ${n}Told({ ${n}Size }: Dut): string {`, `  return String(${n}Size);`, "}"],
      early: [tell(`${n}Told(this)`)],
      members: [`get ${n}Size(): number {`, `  return ${sizeOf(n)};`, "}"],
    }),
  ),
  ...["+= 3", "++", "||= 4"].map((operator) =>
    hazard(`getter and setter run by ${operator}`, (n) =>
      createdAfter(n, {
        fields: [`private ${n}Count = 0;`],
        early: [`this.${n}Level ${operator};`, tell(`this.${n}Count`)],
        members: [
          `get ${n}Level(): number {`,
          `  return this.${n}Count + ${sizeOf(n)};`,
          "}",
          `set ${n}Level(level: number) {`,
          `  this.${n}Count = level;`,
          "}",
        ],
      }),
    ),
  ),
  ...[
    ["read", "view.size"],
    ["copied", "{ ...view }.size"],
    ["copied by the library", "Object.assign({}, view).size"],
    ["made a text of", "JSON.stringify([view])"],
  ].map(([what, use]) =>
    hazard(`getter of an object ${what} too early`, (n) =>
      seenBy(n, `get size() { return Number(dev.${n}.size); }`, [
        `const view = this.${n}View();`,
        tell(use ?? ""),
      ]),
    ),
  ),
  ...[
    "[view].join()",
    "[[view]].toString()",
    `\`\${[view]}\``,
    "[view, view].sort().length",
    "({ s0: 1 } as Record<string, number>)[view as unknown as string]",
    "[view as unknown as number] > [3 as number]",
  ].map((use) =>
    hazard(`text of an object too early: ${use}`, (n) =>
      seenBy(n, `toString: () => \`s\${${sizeOf(n)}}\``, [`const view = this.${n}View();`, tell(use)]),
    ),
  ),
  hazard("toJSON of an object inside another", (n) =>
    seenBy(n, `toJSON: () => ${sizeOf(n)}`, [tell(`JSON.stringify({ all: [this.${n}View()] })`)]),
  ),
  ...[
    ["Array.from(view).join()", ""],
    ["new Set(view).size", ""],
    ["Math.max(...view)", ""],
    ["first", "const [first] = view;"],
  ].map(([use, line]) =>
    hazard(`iterator of an object run too early: ${use}`, (n) =>
      seenBy(n, `*[Symbol.iterator](): Generator<number> { yield Number(dev.${n}.size); }`, [
        `const view = this.${n}View();`,
        ...(line === "" ? [] : [line ?? ""]),
        tell(use ?? ""),
      ]),
    ),
  ),
  hazard("object asked by instanceof", (n) =>
    seenBy(n, `[Symbol.hasInstance]: () => ${sizeOf(n)} > 0`, [
      tell(`({} as object) instanceof (this.${n}View() as never)`),
    ]),
  ),
  hazard("tag of a template too early", (n) =>
    createdAfter(n, {
      early: [tell(`this.${n}Tag\`text\``)],
      members: [
        `private ${n}Tag(text: TemplateStringsArray): string {`,
        `  return \`\${text.raw}\${${sizeOf(n)}}\`;`,
        "}",
      ],
    }),
  ),
  hazard("listener of an event raised too early", (n) =>
    createdAfter(n, {
      early: [
        "const target = new EventTarget();",
        `target.addEventListener("x", () => {`,
        `  ${tell(sizeOf(n))}`,
        "});",
        'target.dispatchEvent(new Event("x"));',
      ],
    }),
  ),
];

export const embeddedHazards: readonly Feature[] = [
  ...impliedCalls,
  hazard("declared before it is created", (n) => createdAfter(n, { early: [declare(n)] })),
  hazard("declared by an earlier helper", (n) =>
    createdAfter(n, {
      early: [`this.${n}Declare();`],
      members: [`private ${n}Declare(): void {`, `  ${declare(n)}`, "}"],
    }),
  ),
  hazard("declared in instanceInit, by a callback", (n) =>
    createdAfter(n, { instanceInit: ["[0].forEach(() => {", `  ${declare(n)}`, "});"] }),
  ),
  hazard("declared by way of a getter", (n) =>
    createdAfter(n, {
      early: [`this.initMmio(this.${n}Region);`],
      members: [`get ${n}Region(): MemoryRegion {`, `  return this.${n};`, "}"],
    }),
  ),
  hazard("destructured too early", (n) =>
    createdAfter(n, { early: [`const { ${n} } = this;`], late: [`this.initMmio(${n});`] }),
  ),
  hazard("local alias too early", (n) =>
    createdAfter(n, { early: [`const ${n}Here = this.${n};`], late: [`this.initMmio(${n}Here);`] }),
  ),
  hazard("collected in a list too early", (n) =>
    createdAfter(n, {
      early: [`const ${n}List = [this.${n}];`],
      late: [`for (const each of ${n}List) this.initMmio(each);`],
    }),
  ),
  hazard("stored in another object too early", (n) => ({
    top: [
      `class ${n}State {`,
      "  readonly region: MemoryRegion;",
      "  constructor(region: MemoryRegion) {",
      "    this.region = region;",
      "  }",
      "}",
    ],
    fields: [embedded(n), `private readonly ${n}Kept = new ${n}State(this.${n});`],
    realize: [`this.${n}.${io(n)};`, `this.initMmio(this.${n}Kept.region);`],
  })),
  hazard("created by a generator", (n) => ({
    fields: [embedded(n)],
    realize: [`const ${n}Steps = this.${n}Create();`, declare(n), `for (const step of ${n}Steps) void step;`],
    members: [`private *${n}Create(): Generator<number> {`, `  this.${n}.${io(n)};`, "  yield 1;", "}"],
  })),
  hazard("created by an async function", (n) => ({
    fields: [embedded(n)],
    realize: [`void this.${n}Create();`, declare(n)],
    members: [`private async ${n}Create(): Promise<void> {`, "  await null;", `  this.${n}.${io(n)};`, "}"],
  })),
  hazard("created by a closure that runs later", (n) => ({
    fields: [embedded(n)],
    realize: [`const ${n}Create = () => this.${n}.${io(n)};`, declare(n), `${n}Create();`],
  })),
  hazard("used by a property's setter", (n) => ({
    fields: [embedded(n), `private ${n}On = true;`],
    properties: [
      `{ name: "${n}", type: "bool", get: (dev: Dut) => dev.${n}On, set: (dev: Dut, value: unknown) => { dev.${n}On = value === true; dev.${n}.setEnabled(dev.${n}On); } },`,
    ],
    realize: [`this.${n}.${io(n)};`, declare(n), `this.${n}.setEnabled(this.${n}On);`],
  })),
  hazard("used by a setter too early", (n) => ({
    fields: [embedded(n)],
    early: [`this.${n}On = true;`],
    realize: [`this.${n}.${io(n)};`, declare(n)],
    members: [`set ${n}On(on: boolean) {`, `  this.${n}.setEnabled(on);`, "}"],
  })),
  hazard("tested before it exists", (n) =>
    window(n, { fields: [`${n}Was = false;`], early: [`this.${n}Was = this.${n}.mapped;`] }),
  ),
  hazard("looked for by in", (n) =>
    window(n, { early: [`if (!("${n}" in this)) throw new Error("no region");`] }),
  ),
  hazard("counted by its own keys", (n) =>
    window(n, {
      fields: [`${n}Keys = 0;`],
      early: [`this.${n}Keys = Object.keys(this).filter((key) => key === "${n}").length;`],
      exercise: [`log.push(String(dev.${n}Keys));`],
    }),
  ),
  hazard("length of the array too early", (n) => ({
    fields: [array(n), `readonly ${n}Lanes = this.${n}s.length * 4;`],
    realize: filled(n),
    exercise: [`log.push(String(dev.${n}Lanes));`],
  })),
  hazard("length of the array in an earlier helper", (n) => ({
    fields: [array(n), `${n}Mask = 0;`],
    early: [`this.${n}Measure();`],
    realize: filled(n),
    members: [`private ${n}Measure(): void {`, `  this.${n}Mask = (1 << this.${n}s.length) - 1;`, "}"],
    exercise: [`log.push(String(dev.${n}Mask));`],
  })),
  hazard("array walked by an earlier helper", (n) => ({
    fields: [array(n)],
    early: [`this.${n}Declare();`],
    realize: [
      `for (const [index, ${n}] of this.${n}s.entries()) {`,
      `  ${n}.initIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
      "}",
    ],
    members: [`private ${n}Declare(): void {`, `  for (const ${n} of this.${n}s) this.initMmio(${n});`, "}"],
  })),
  hazard("array in another order", (n) => ({
    fields: [array(n)],
    realize: [
      `for (let i = this.${n}s.length - 1; i >= 0; i--) {`,
      `  this.${n}s[i]?.initIo(this, ops, this, \`${n}\${i}\`, 0x40);`,
      "}",
      `for (const ${n} of this.${n}s) this.initMmio(${n});`,
    ],
  })),
  hazard("leaf unparented in unrealize", (n) => window(n, { unrealize: [`this.${n}.unparent();`] })),
  hazard("all children unparented in unrealize", (n) =>
    window(n, { unrealize: ["for (const [, child] of [...this.children()]) child.unparent();"] }),
  ),
  hazard("unparented by way of a list", (n) =>
    window(n, { unrealize: [`for (const region of [this.${n}]) region.unparent();`] }),
  ),
  hazard("unparented by way of its window", (n) =>
    window(n, { unrealize: ["this.mmioRegion(0).unparent();"] }),
  ),
  hazard("unparented by name", (n) => window(n, { unrealize: [`this.child("${n}[0]")?.unparent();`] })),
  hazard("leaf unparented at run time", (n) =>
    window(n, {
      members: [`${n}Drop(): void {`, `  this.unmapAll();`, `  this.${n}.unparent();`, "}"],
      exercise: [`dev.${n}Drop();`],
    }),
  ),
  hazard("used in instanceFinalize", (n) => window(n, { finalize: [`this.${n}.setEnabled(false);`] })),
  hazard("left in a container by instanceFinalize", (n) => ({
    fields: [embedded(n), embedded(`${n}Inner`)],
    realize: [
      `this.${n}.init(this, "${n}", 0x1000);`,
      `this.${n}Inner.${io(`${n}.inner`)};`,
      `this.${n}.addSubregion(0, this.${n}Inner);`,
      declare(n),
    ],
    finalize: [`this.${n}.delSubregion(this.${n}Inner);`],
  })),
  hazard("created again by reset", (n) => window(n, { reset: [`this.${n}.${io(n)};`] })),
  hazard("created at each call", (n) => ({
    fields: [embedded(n), embedded(`${n}Inner`)],
    realize: [`this.${n}.init(this, "${n}", 0x1000);`, declare(n)],
    members: [
      `${n}Remap(offset: number): void {`,
      `  this.${n}Inner.${io(`${n}.inner`)};`,
      `  this.${n}.addSubregion(offset * 0x40, this.${n}Inner);`,
      "}",
    ],
    exercise: [`dev.${n}Remap(1);`],
  })),
  hazard("without a name", (n) => ({
    fields: [embedded(n), embedded(`${n}Page`)],
    realize: [
      `this.${n}.init(this, "${n}", 0x1000);`,
      `this.${n}Page.initIo(this, ops, this, null, 0x40);`,
      declare(n),
    ],
  })),
  hazard("owned by the bus", (n) => ({
    fields: [embedded(n)],
    realize: [`this.${n}.initIo(this.model.systemBus, ops, this, "${n}", 0x40);`, declare(n)],
  })),
  hazard("owned by no object", (n) => ({
    fields: [embedded(n)],
    realize: [`this.${n}.initIo(this.model.noOwner, ops, this, "${n}", 0x40);`, declare(n)],
  })),
  hazard("owned by itself", (n) => ({
    fields: [embedded(n), embedded(`${n}Inner`)],
    realize: [
      `this.${n}.init(this, "${n}", 0x1000);`,
      `this.${n}Inner.initIo(this.${n}, ops, this, "${n}.inner", 0x40);`,
      declare(n),
    ],
  })),
  hazard("root of an address space unparented", (n) => ({
    memory: ["AddressSpace"],
    fields: [embedded(n), embedded(`${n}Inner`), `private ${n}Space: AddressSpace | null = null;`],
    realize: [
      `this.${n}.init(this, "${n}", 0x1000);`,
      `this.${n}Inner.${io(`${n}.inner`)};`,
      `this.${n}.addSubregion(0x100, this.${n}Inner);`,
      `this.${n}Space = new AddressSpace(this.model, this.${n}, "${n}");`,
    ],
    unrealize: [`this.${n}Space?.destroy();`, `this.${n}.unparent();`],
  })),
  hazard("reached by any", (n) =>
    window(n, {
      early: ["const self: any = this;", `self.${n}.setEnabled(true);`],
    }),
  ),
  hazard("reached by a computed name", (n) =>
    window(n, {
      early: [`const ${n}Key = "${n}" as const;`, `this[${n}Key].setEnabled(true);`],
    }),
  ),
  hazard("reached by a function of the file", (n) => ({
    top: [`export function ${n}Touch(dev: Dut): void {`, `  dev.${n}.setEnabled(true);`, "}"],
    fields: [`readonly ${n} = this.embed(MemoryRegion);`],
    instanceInit: [`${n}Touch(this);`],
    realize: [`this.${n}.${io(n)};`, declare(n)],
  })),
  hazard("used only if a flag that changes says so", (n) => ({
    fields: [embedded(n), `${n}Present = false;`],
    realize: [
      `if (this.${n}Present) {`,
      `  this.${n}.${io(n)};`,
      `  ${declare(n)}`,
      "}",
      `this.${n}Present = true;`,
    ],
    reset: [`if (this.${n}Present) this.${n}.setEnabled(true);`],
  })),
  hazard("used in the handler of its failure", (n) => ({
    fields: [embedded(n)],
    realize: [
      "try {",
      `  this.${n}.initRam(this, "${n}", 0x1000);`,
      `  ${declare(n)}`,
      "} catch {",
      `  this.${n}.setEnabled(false);`,
      "}",
    ],
  })),
  hazard("compared early", (n) =>
    window(n, {
      fields: [`private ${n}Seen: MemoryRegion[] = [];`],
      instanceInit: [`this.${n}Seen.push(this.${n});`],
      late: [`if (this.${n}Seen[0] !== this.${n}) throw new Error("another region");`],
    }),
  ),
  hazard("declared container unparented", (n) => ({
    fields: [embedded(n)],
    realize: [`this.${n}.init(this, "${n}", 0x1000);`, declare(n)],
    unrealize: [`this.${n}.unparent();`],
  })),
  hazard("container unparented in system memory", (n) => ({
    fields: [embedded(n), `private ${n}Mapped = false;`],
    realize: [`this.${n}.init(this, "${n}", 0x1000);`],
    unrealize: [
      `if (this.${n}Mapped) this.model.systemMemory.delSubregion(this.${n});`,
      `this.${n}.unparent();`,
    ],
    members: [
      `${n}Map(): void {`,
      `  this.model.systemMemory.addSubregion(0x7000_0000, this.${n});`,
      `  this.${n}Mapped = true;`,
      "}",
    ],
  })),
  hazard("container unparented under its alias", (n) => ({
    fields: [embedded(n), embedded(`${n}Alias`)],
    realize: [
      `this.${n}.init(this, "${n}", 0x1000);`,
      `this.${n}Alias.initAlias(this, "${n}.alias", this.${n}, 0, 0x1000);`,
      declare(`${n}Alias`),
    ],
    unrealize: [`this.${n}.unparent();`],
  })),
  hazard("named in text that runs", (n) => window(n, { late: [`eval("this.${n}.setEnabled(true)");`] })),
  hazard("size of the block", (n) =>
    window(n, {
      fields: [`${n}Bytes = 0;`],
      late: [`this.${n}Bytes = this.block.bytes;`],
      exercise: [`log.push(String(dev.${n}Bytes));`],
    }),
  ),
  hazard("usage of the heap", (n) =>
    window(n, {
      fields: [`${n}Bytes = 0;`],
      late: [`const { heap } = this.model;`, `this.${n}Bytes = heap.usage().liveBytes;`],
      exercise: [`log.push(String(dev.${n}Bytes));`],
    }),
  ),
  hazard("asked for as a record", (n) => ({
    fields: [embedded(n), `${n}Missing = false;`],
    early: [
      `const ${n}Key = "${n}";`,
      `this.${n}Missing = (this as unknown as Record<string, unknown>)[${n}Key + ""] === undefined;`,
    ],
    realize: [`this.${n}.${io(n)};`, declare(n)],
    exercise: [`log.push(String(dev.${n}Missing));`],
  })),
  hazard("given as a record", (n) => ({
    fields: [embedded(n), `${n}Missing = false;`],
    early: [
      `const ${n}Fields: Record<string, any> = this;`,
      `this.${n}Missing = ${n}Fields["${n}" + ""] === undefined;`,
    ],
    realize: [`this.${n}.${io(n)};`, declare(n)],
    exercise: [`log.push(String(dev.${n}Missing));`],
  })),
  hazard("initialised by bracket", (n) => ({
    fields: [embedded(n)],
    realize: [`this.${n}["initIo"](this, ops, this, "${n}", 0x40);`, declare(n)],
  })),
  hazard("initialised by call", (n) => ({
    fields: [embedded(n)],
    realize: [`this.${n}.initIo.call(this.${n}, this, ops, this, "${n}", 0x40);`, declare(n)],
  })),
];
