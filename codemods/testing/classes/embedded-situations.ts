/** Embedded regions in situations that people create, each with a safe owned form: helpers, failures, run time, tear-down. */
import { declare, embedded, type Feature, io, window } from "./feature.ts";

export const embeddedSituations: readonly Feature[] = [
  {
    name: "helper called once",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this.${n}Create();`],
      members: [`private ${n}Create(): void {`, `  this.${n}.${io(n)};`, `  ${declare(n)}`, "}"],
    }),
  },
  {
    name: "helper that is passed the region",
    build: (n) => ({
      fields: [embedded(n), embedded(`${n}Other`)],
      realize: [`this.${n}Window(this.${n}, "${n}");`, `this.${n}Window(this.${n}Other, "${n}.other");`],
      members: [
        `private ${n}Window(region: MemoryRegion, name: string): void {`,
        "  region.initIo(this, ops, this, name, 0x40);",
        "  this.initMmio(region);",
        "}",
      ],
    }),
  },
  {
    name: "function that is passed the region",
    build: (n) => ({
      top: [
        `function ${n}SetUp(owner: SysBusDevice, region: MemoryRegion): void {`,
        `  region.initIo(owner, ops, owner, "${n}", 0x80);`,
        "}",
      ],
      fields: [embedded(n)],
      realize: [`${n}SetUp(this, this.${n});`, declare(n)],
    }),
  },
  {
    name: "created in instanceInit",
    build: (n) => ({
      fields: [embedded(n)],
      instanceInit: [`this.${n}.${io(n)};`],
      realize: [declare(n)],
    }),
  },
  {
    name: "getter",
    build: (n) =>
      window(n, {
        members: [`get ${n}Region(): MemoryRegion {`, `  return this.${n};`, "}"],
        exercise: [`log.push(dev.${n}Region.name ?? "-");`],
      }),
  },
  {
    name: "local alias afterwards",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [
        `this.${n}.${io(n)};`,
        `const ${n}Here = this.${n};`,
        `${n}Here.setEnabled(true);`,
        `this.initMmio(${n}Here);`,
      ],
    }),
  },
  {
    name: "destructured afterwards",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this.${n}.${io(n)};`, `const { ${n} } = this;`, `this.initMmio(${n});`],
    }),
  },
  {
    name: "getter destructured and raised afterwards",
    build: (n) =>
      window(n, {
        fields: [`private ${n}Count = 0;`],
        late: [`const { ${n}Size } = this;`, `this.${n}Size += ${n}Size;`, `this.${n}Size++;`],
        members: [
          `get ${n}Size(): number {`,
          `  return this.${n}Count + Number(this.${n}.size);`,
          "}",
          `set ${n}Size(size: number) {`,
          `  this.${n}Count = size;`,
          "}",
        ],
        exercise: [`log.push(String(dev.${n}Size));`],
      }),
  },
  {
    name: "object that shows the region, kept early and looked at afterwards",
    build: (n) =>
      window(n, {
        fields: [`private readonly ${n}Views: unknown[] = [];`],
        early: [
          `const ${n}View = {`,
          `  owner: this,`,
          `  toString: () => \`s\${Number(this.${n}.size)}\`,`,
          `  toJSON: () => Number(this.${n}.size),`,
          "};",
          `this.${n}Views.push(${n}View);`,
          `if (!this.${n}Views.includes(${n}View)) throw new Error("lost");`,
        ],
        late: [
          `this.model.onGuestError?.(this, [${n}View].join(), "unimp");`,
          `this.model.onGuestError?.(this, JSON.stringify({ all: this.${n}Views }), "unimp");`,
        ],
      }),
  },
  {
    name: "memory, and the error wrapped",
    build: (n) => ({
      qom: ["QomError"],
      fields: [embedded(n)],
      realize: [
        "try {",
        `  this.${n}.initRam(this, "${n}", 0x1000);`,
        "} catch (error) {",
        '  throw new QomError("no memory", { cause: error });',
        "}",
        declare(n),
      ],
    }),
  },
  {
    name: "memory, or go without",
    build: (n) => ({
      fields: [embedded(n), `private ${n}Failed = false;`],
      late: [
        "try {",
        `  this.${n}.initRam(this, "${n}", 0x1000);`,
        "} catch {",
        `  this.${n}Failed = true;`,
        "  return;",
        "}",
        declare(n),
      ],
      members: [`get ${n}Missing(): boolean {`, `  return this.${n}Failed;`, "}"],
    }),
  },
  {
    name: "memory under a flag",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [
        `let ${n}Ok = false;`,
        "try {",
        `  this.${n}.initRam(this, "${n}", 0x1000);`,
        `  ${n}Ok = true;`,
        "} catch {",
        `  ${n}Ok = false;`,
        "}",
        `if (${n}Ok) ${declare(n)}`,
      ],
    }),
  },
  {
    name: "memory, smaller at the second try",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [
        "try {",
        `  this.${n}.initRam(this, "${n}", 0x2000);`,
        "} catch {",
        `  this.${n}.initRam(this, "${n}", 0x1000);`,
        "}",
        declare(n),
      ],
    }),
  },
  {
    name: "storage allocated by hand",
    build: (n) => ({
      fields: [`private ${n}!: MemoryRegion;`],
      realize: [`this.${n} = this.model.allocate(MemoryRegion);`, `this.${n}.${io(n)};`, declare(n)],
    }),
  },
  {
    name: "private name",
    build: (n) => ({
      fields: [`readonly #${n} = this.embed(MemoryRegion);`],
      realize: [`this.#${n}.${io(n)};`, `this.initMmio(this.#${n});`],
    }),
  },
  {
    name: "name in brackets",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this["${n}"].${io(n)};`, `this.initMmio(this["${n}"]);`],
    }),
  },
  {
    name: "assigned in the constructor",
    build: (n) => ({
      fields: [`private readonly ${n}: MemoryRegion;`],
      qom: ["type Storage"],
      realize: [`this.${n}.${io(n)};`, declare(n)],
      members: [
        "constructor(storage: Storage) {",
        "  super(storage);",
        `  this.${n} = this.embed(MemoryRegion);`,
        "}",
      ],
    }),
  },
  {
    name: "type annotation",
    build: (n) => ({
      fields: [`private readonly ${n}: MemoryRegion = this.embed(MemoryRegion);`],
      realize: [`this.${n}.${io(n)};`, declare(n)],
    }),
  },
  {
    name: "public",
    build: (n) => ({
      fields: [`readonly ${n} = this.embed(MemoryRegion);`],
      realize: [`this.${n}.${io(n)};`, declare(n)],
      exercise: [`log.push(String(dev.${n}.size));`],
    }),
  },
  {
    name: "container of the board",
    build: (n, random) => ({
      fields: [embedded(n)],
      realize: [
        `this.${n}.${io(n)};`,
        `this.model.systemMemory.addSubregion(${0x9000_0000 + random.below(0x1000) * 0x1000}, this.${n});`,
      ],
      unrealize: [`this.model.systemMemory.delSubregion(this.${n});`],
    }),
  },
  {
    name: "switched at run time",
    build: (n) =>
      window(n, {
        reset: [`this.${n}.setEnabled(true);`],
        members: [`${n}Hide(): void {`, `  this.${n}.setEnabled(false);`, "}"],
        exercise: [`dev.${n}Hide();`],
      }),
  },
  {
    name: "moved in its container at run time",
    build: (n) => ({
      fields: [embedded(n), embedded(`${n}Inner`)],
      realize: [
        `this.${n}.init(this, "${n}", 0x1000);`,
        `this.${n}Inner.${io(`${n}.inner`)};`,
        `this.${n}.addSubregion(0x100, this.${n}Inner);`,
        declare(n),
      ],
      members: [`${n}Move(offset: number): void {`, `  this.${n}Inner.setAddress(offset * 0x40);`, "}"],
      exercise: [`dev.${n}Move(3);`],
    }),
  },
  {
    name: "used by a timer",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [
        `this.${n}.${io(n)};`,
        declare(n),
        `this.clock.timer(() => this.${n}.setEnabled(false)).set(1000);`,
      ],
    }),
  },
  {
    name: "nested state",
    build: (n) => ({
      top: [`class ${n}State {`, "  region: MemoryRegion | null = null;", "}"],
      fields: [embedded(n), `private readonly ${n}Kept = new ${n}State();`],
      realize: [`this.${n}.${io(n)};`, `this.${n}Kept.region = this.${n};`, declare(n)],
      reset: [`this.${n}Kept.region?.setEnabled(true);`],
    }),
  },
  {
    name: "alias that ends in unrealize",
    build: (n) => ({
      fields: [embedded(n), embedded(`${n}Part`)],
      instanceInit: [`this.${n}.initRam(this, "${n}", 0x1000);`],
      realize: [
        `this.${n}Part.initAlias(this, "${n}.part", this.${n}, 0x100, 0x100);`,
        `this.model.systemMemory.addSubregion(0x9800_0000, this.${n}Part);`,
      ],
      unrealize: [`this.model.systemMemory.delSubregion(this.${n}Part);`, `this.${n}Part.unparent();`],
    }),
  },
  {
    name: "root of an address space",
    build: (n) => ({
      memory: ["AddressSpace"],
      fields: [embedded(n), embedded(`${n}Inner`), `private ${n}Space: AddressSpace | null = null;`],
      realize: [
        `this.${n}.init(this, "${n}", 0x1000);`,
        `this.${n}Inner.${io(`${n}.inner`)};`,
        `this.${n}.addSubregion(0x100, this.${n}Inner);`,
        `this.${n}Space = new AddressSpace(this.model, this.${n}, "${n}");`,
      ],
      unrealize: [`this.${n}Space?.destroy();`],
    }),
  },
  {
    name: "child device",
    build: (n) => ({
      top: [
        `export class ${n}Kid extends SysBusDevice {`,
        `  static override readonly typeName: string = "${n}-kid";`,
        "  override readonly busType: string | null = null;",
        "",
        `  ${embedded("inner")}`,
        "",
        "  protected override realize(): void {",
        `    this.inner.initIo(this, ops, this, "${n}", 0x40);`,
        "    this.initMmio(this.inner);",
        "  }",
        "}",
      ],
      fields: [embedded(n), `private readonly ${n}Kid = this.embed(${n}Kid);`],
      instanceInit: [`this.initializeChild("${n}-kid", this.${n}Kid);`],
      realize: [
        `this.${n}.init(this, "${n}", 0x1000);`,
        `this.${n}Kid.plug();`,
        `this.${n}.addSubregion(0x100, this.${n}Kid.mmioRegion(0));`,
        declare(n),
      ],
      unrealize: [`this.${n}.delSubregion(this.${n}Kid.mmioRegion(0));`, `this.${n}Kid.unplug();`],
    }),
  },
  {
    name: "created by a generator that a loop runs",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`for (const step of this.${n}Create()) void step;`, declare(n)],
      members: [`private *${n}Create(): Generator<number> {`, `  this.${n}.${io(n)};`, "  yield 1;", "}"],
    }),
  },
  {
    name: "container unparented out of system memory",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [
        `this.${n}.init(this, "${n}", 0x1000);`,
        `this.model.systemMemory.addSubregion(0x7000_0000, this.${n});`,
      ],
      unrealize: [
        `const ${n}Memory = this.model.systemMemory;`,
        `${n}Memory.delSubregion(this.${n});`,
        `this.${n}.unparent();`,
      ],
    }),
  },
];
