/** Owned regions whose embedded form may behave differently: most of them must be refused. */
import { declare, type Feature, keptWindow, newIo, owned, type Parts } from "./feature.ts";

function hazard(name: string, build: Feature["build"]): Feature {
  return { name, hazard: true, build };
}

const local = (n: string, more: Parts = {}): Parts => ({
  ...more,
  realize: [`const ${n} = ${newIo(n)};`, `this.initMmio(${n});`, ...(more.realize ?? [])],
});

/** A window that `use` creates, perhaps several times, by way of an object with the member `inside`. */
const madeBy = (n: string, inside: string, use: readonly string[]): Parts => ({
  realize: [`const view = this.${n}View();`, ...use],
  members: [
    `private ${n}View() {`,
    "  const dev = this;",
    `  return { ${inside} };`,
    "}",
    `private ${n}Make(): number {`,
    `  const ${n} = ${newIo(n)};`,
    `  this.initMmio(${n});`,
    `  return Number(${n}.size);`,
    "}",
  ],
});
/** A getter that makes a window each time. */
const making = (n: string): readonly string[] => [
  `get ${n}Fresh(): number {`,
  `  const ${n} = ${newIo(n)};`,
  `  this.initMmio(${n});`,
  `  return Number(${n}.size);`,
  "}",
];
/** Two windows in a list that `early` looks at before. */
const listed = (n: string, early: readonly string[], members: readonly string[]): Parts => ({
  fields: [`private readonly ${n}s: MemoryRegion[] = [];`],
  early,
  realize: [
    "for (let index = 0; index < 2; index++) {",
    `  this.${n}s[index] = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
    `  this.initMmio(this.${n}s[index]!);`,
    "}",
  ],
  members,
});
const tell = (value: string) => `this.model.onGuestError?.(this, String(${value}), "unimp");`;

/** Members that run without being called by name. */
const impliedCalls: readonly Feature[] = [
  hazard("creating getter destructured twice", (n) => ({
    realize: [`const { ${n}Fresh: one } = this;`, `const { ${n}Fresh: two } = this;`, tell("one + two")],
    members: making(n),
  })),
  hazard("creating getter run by increments", (n) => ({
    realize: [`this.${n}Fresh++;`, `this.${n}Fresh += 2;`],
    members: [...making(n), `set ${n}Fresh(value: number) {`, `  ${tell("value")}`, "}"],
  })),
  hazard("object with a creating getter, read twice", (n) =>
    madeBy(n, `get size() { return dev.${n}Make(); }`, [tell("view.size + view.size")]),
  ),
  hazard("object with a creating getter, copied twice", (n) =>
    madeBy(n, `get size() { return dev.${n}Make(); }`, [
      tell("{ ...view }.size + Object.assign({}, view).size"),
    ]),
  ),
  hazard("creating toJSON, twice in a list", (n) =>
    madeBy(n, `toJSON: () => dev.${n}Make()`, [tell("JSON.stringify([view, view])")]),
  ),
  hazard("creating toString, twice in a list", (n) =>
    madeBy(n, `toString: () => String(dev.${n}Make())`, [tell("[view, view]")]),
  ),
  hazard("creating iterator, run twice", (n) =>
    madeBy(n, `*[Symbol.iterator](): Generator<number> { yield dev.${n}Make(); }`, [
      "const [first] = view;",
      tell("first"),
      tell("Array.from(view)"),
    ]),
  ),
  hazard("length of a list by a getter that is destructured too early", (n) =>
    listed(
      n,
      [`const { ${n}Count } = this;`, tell(`${n}Count`)],
      [`private get ${n}Count(): number {`, `  return this.${n}s.length;`, "}"],
    ),
  ),
  hazard("length of a list in a text that is made too early", (n) =>
    listed(
      n,
      [tell(`[this.${n}View()]`)],
      [`private ${n}View() {`, `  return { toString: () => \`n\${this.${n}s.length}\` };`, "}"],
    ),
  ),
];

export const ownedHazards: readonly Feature[] = [
  ...impliedCalls,
  hazard("asked for by onUnparent", (n) =>
    keptWindow(n, {
      members: [
        "protected override onUnparent(): void {",
        `  (globalThis as { LOG?: { push(line: string): void } }).LOG?.push(String(this.${n} === undefined));`,
        "  super.onUnparent();",
        "}",
      ],
    }),
  ),
  hazard("length of the array in onUnparent", (n) => ({
    fields: [`private readonly ${n}s: MemoryRegion[] = [];`],
    realize: [
      "for (let i = 0; i < 2; i++) {",
      `  this.${n}s[i] = MemoryRegion.newIo(this, ops, this, \`${n}\${i}\`, 0x40);`,
      `  this.initMmio(this.${n}s[i]!);`,
      "}",
    ],
    members: [
      "protected override onUnparent(): void {",
      `  (globalThis as { LOG?: { push(line: string): void } }).LOG?.push(String(this.${n}s.length));`,
      "  super.onUnparent();",
      "}",
    ],
  })),
  hazard("helper called twice", (n) => ({
    realize: [`this.${n}Create("${n}");`, `this.${n}Create("${n}.next");`],
    members: [
      `private ${n}Create(name: string): void {`,
      `  const ${n} = MemoryRegion.newIo(this, ops, this, name, 0x40);`,
      `  this.initMmio(${n});`,
      "}",
    ],
  })),
  hazard("helper called in a loop", (n) => ({
    realize: [`for (const name of ["a", "b"]) this.${n}Create(name);`],
    members: [
      `private ${n}Create(name: string): void {`,
      `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${name}\`, 0x40);`,
      `  this.initMmio(${n});`,
      "}",
    ],
  })),
  hazard("helper that calls itself", (n) => ({
    realize: [`this.${n}Create(2);`],
    members: [
      `private ${n}Create(left: number): void {`,
      "  if (left === 0) return;",
      `  const ${n} = ${newIo(n)};`,
      `  this.initMmio(${n});`,
      `  this.${n}Create(left - 1);`,
      "}",
    ],
  })),
  hazard("callback that runs for each", (n) => ({
    realize: [
      `["a", "b"].forEach((name) => {`,
      `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${name}\`, 0x40);`,
      `  this.initMmio(${n});`,
      "});",
    ],
  })),
  hazard("map of regions", (n) => ({
    realize: [
      `for (const region of ["a", "b"].map((name) => MemoryRegion.newRam(this, name, 0x40))) this.initMmio(region);`,
    ],
    fields: [`readonly ${n}Mapped = true;`],
  })),
  hazard("public method called per bank", (n) => ({
    fields: [owned(n)],
    realize: [`this.${n} = MemoryRegion.new(this, "${n}", 0x1000);`, declare(n)],
    members: [
      `${n}Bank(index: number): void {`,
      `  const bank = MemoryRegion.newRam(this, \`${n}\${index}\`, 0x80);`,
      `  this.${n}.addSubregion(index * 0x80, bank);`,
      "}",
    ],
    exercise: [`dev.${n}Bank(4);`, `dev.${n}Bank(5);`],
  })),
  hazard("made anew at each remap", (n) => ({
    fields: [owned(n), owned(`${n}Inner`)],
    realize: [`this.${n} = MemoryRegion.new(this, "${n}", 0x1000);`, declare(n)],
    members: [
      `${n}Remap(offset: number): void {`,
      `  this.${n}Inner = ${newIo(`${n}.inner`)};`,
      `  this.${n}.addSubregion(offset * 0x40, this.${n}Inner);`,
      "}",
    ],
    exercise: [`dev.${n}Remap(1);`, `dev.${n}Remap(2);`],
  })),
  hazard("created by reset", (n) => ({
    fields: [`${n}: MemoryRegion | undefined;`, `${n}Resets = 0;`],
    reset: [
      `this.${n}Resets++;`,
      `this.${n} = MemoryRegion.newRam(this, \`${n}\${this.${n}Resets}\`, 0x40);`,
    ],
  })),
  hazard("created by a setter", (n) => ({
    fields: [owned(n)],
    early: [`this.${n}Size = 0x40;`, `this.${n}Size = 0x80;`],
    members: [
      `set ${n}Size(size: number) {`,
      `  this.${n} = MemoryRegion.newRam(this, "${n}", size);`,
      `  this.initMmio(this.${n});`,
      "}",
    ],
  })),
  hazard("getter that creates", (n) => ({
    realize: [`this.initMmio(this.${n}New);`, `this.initMmio(this.${n}New);`],
    members: [
      `private get ${n}New(): MemoryRegion {`,
      `  const ${n} = MemoryRegion.newRam(this, "${n}", 0x100);`,
      `  return ${n};`,
      "}",
    ],
  })),
  hazard("method that returns a new one", (n) => ({
    realize: [`this.initMmio(this.${n}Make("a"));`, `this.initMmio(this.${n}Make("b"));`],
    members: [
      `private ${n}Make(name: string): MemoryRegion {`,
      `  const ${n} = MemoryRegion.newRam(this, \`${n}\${name}\`, 0x100);`,
      `  ${n}.setReadOnly(true);`,
      `  return ${n};`,
      "}",
    ],
  })),
  hazard("memoised", (n) => ({
    fields: [`private ${n}Cached: MemoryRegion | undefined;`],
    realize: [`this.initMmio(this.${n}Window);`],
    members: [`get ${n}Window(): MemoryRegion {`, `  return (this.${n}Cached ??= ${newIo(n)});`, "}"],
  })),
  hazard("nullable", (n) => ({
    fields: [`private ${n}: MemoryRegion | null = null;`, `${n}Present = false;`],
    realize: [`if (this.${n}Present) {`, `  this.${n} = ${newIo(n)};`, `  this.initMmio(this.${n});`, "}"],
    reset: [`this.model.onGuestError?.(this, this.${n} === null ? "none" : "some", "unimp");`],
  })),
  hazard("tested for undefined", (n) =>
    keptWindow(n, {
      early: [`if (this.${n} !== undefined) throw new Error("already there");`],
    }),
  ),
  hazard("tested for truth", (n) => ({
    fields: [owned(n), `${n}Skipped = true;`],
    realize: [`if (!this.${n}Skipped) this.${n} = ${newIo(n)};`, `if (this.${n}) this.initMmio(this.${n});`],
  })),
  hazard("looked for by in", (n) =>
    local(n, { early: [`if ("${n}" in this) throw new Error("unexpected");`] }),
  ),
  hazard("keys of the device counted", (n) =>
    local(n, {
      fields: [`${n}Keys = 0;`],
      early: [`this.${n}Keys = Object.keys(this).length;`],
      exercise: [`log.push(String(dev.${n}Keys));`],
    }),
  ),
  hazard("length as a flag", (n) => ({
    fields: [`private readonly ${n}s: MemoryRegion[] = [];`],
    realize: [
      `if (this.${n}s.length === 0) {`,
      "  for (let index = 0; index < 2; index++) {",
      `    const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
      `    this.${n}s[index] = ${n};`,
      `    this.initMmio(${n});`,
      "  }",
      "}",
    ],
  })),
  hazard("index changed in the loop", (n) => ({
    realize: [
      "for (let index = 0; index < 4; index++) {",
      `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
      `  this.initMmio(${n});`,
      "  index++;",
      "}",
    ],
  })),
  hazard("index set back once", (n) => ({
    realize: [
      `let ${n}Again = true;`,
      "for (let index = 0; index < 2; index++) {",
      `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
      `  this.initMmio(${n});`,
      `  if (${n}Again) index--;`,
      `  ${n}Again = false;`,
      "}",
    ],
  })),
  hazard("loop with a field as its bound", (n) => ({
    fields: [`${n}Count = 2;`],
    realize: [
      `for (let index = 0; index < this.${n}Count; index++) {`,
      `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
      `  this.initMmio(${n});`,
      "}",
    ],
  })),
  hazard("leaf unparented in unrealize", (n) => keptWindow(n, { unrealize: [`this.${n}.unparent();`] })),
  hazard("leaf unparented by a closure", (n) => ({
    fields: [`private ${n}Undo: () => void = () => {};`],
    realize: [
      `const ${n} = ${newIo(n)};`,
      `this.initMmio(${n});`,
      `this.${n}Undo = () => {`,
      `  const region = ${n};`,
      "  region.unparent();",
      "};",
    ],
    unrealize: [`this.${n}Undo();`],
  })),
  hazard("unparented at run time", (n) =>
    keptWindow(n, {
      members: [`${n}Drop(): void {`, "  this.unmapAll();", `  this.${n}.unparent();`, "}"],
      exercise: [`dev.${n}Drop();`],
    }),
  ),
  hazard("owned by the bus", (n) => ({
    realize: [
      `const ${n} = MemoryRegion.newIo(this.model.systemBus, ops, this, "${n}", 0x40);`,
      `this.initMmio(${n});`,
    ],
  })),
  hazard("owned by no object", (n) => ({
    realize: [
      `const ${n} = MemoryRegion.newIo(this.model.noOwner, ops, this, "${n}", 0x40);`,
      `this.initMmio(${n});`,
    ],
  })),
  hazard("local with the name of a method", (n) =>
    local(n, { members: [`${n}(): number {`, "  return 1;", "}"] }),
  ),
  hazard("local with the name of a field of the base", () => ({
    realize: ['const inputs = MemoryRegion.newRam(this, "inputs", 0x40);', "this.initMmio(inputs);"],
  })),
  hazard("used in a function with its own this", (n) => ({
    realize: [
      `const ${n} = ${newIo(n)};`,
      `this.initMmio(${n});`,
      "const helper = {",
      "  on() {",
      `    ${n}.setEnabled(true);`,
      "  },",
      "};",
      "helper.on();",
    ],
  })),
  hazard("assigned another region", (n) =>
    keptWindow(n, {
      fields: [`private ${n}Next!: MemoryRegion;`],
      late: [`this.${n}Next = ${newIo(`${n}.next`)};`, `this.${n} = this.${n}Next;`, declare(n)],
    }),
  ),
  hazard("created by an async function", (n) => ({
    fields: [owned(n)],
    realize: [`void this.${n}Create();`],
    members: [
      `private async ${n}Create(): Promise<void> {`,
      "  await null;",
      `  this.${n} = ${newIo(n)};`,
      `  ${declare(n)}`,
      "}",
    ],
  })),
  hazard("created by a generator, run twice", (n) => ({
    realize: [
      `for (const step of this.${n}Create()) void step;`,
      `for (const step of this.${n}Create()) void step;`,
    ],
    members: [
      `private *${n}Create(): Generator<number> {`,
      `  const ${n} = ${newIo(n)};`,
      `  this.initMmio(${n});`,
      "  yield 1;",
      "}",
    ],
  })),
  hazard("created in a field", (n) => ({
    fields: [`private readonly ${n} = ${newIo(n)};`],
    realize: [declare(n)],
  })),
  hazard("kept in a map", (n) => ({
    fields: [`private readonly ${n}s = new Map<string, MemoryRegion>();`],
    realize: [
      `for (const name of ["a", "b"]) this.${n}s.set(name, MemoryRegion.newRam(this, \`${n}\${name}\`, 0x40));`,
      `for (const region of this.${n}s.values()) this.initMmio(region);`,
    ],
  })),
  hazard("declared container unparented", (n) => ({
    fields: [owned(n)],
    realize: [`this.${n} = MemoryRegion.new(this, "${n}", 0x1000);`, declare(n)],
    unrealize: [`this.${n}.unparent();`],
  })),
  hazard("named in text that runs", (n) => ({
    realize: [`const ${n} = ${newIo(n)};`, `this.initMmio(${n});`, `eval("${n}.setEnabled(true)");`],
  })),
  hazard("size of the block", (n) =>
    keptWindow(n, {
      fields: [`${n}Bytes = 0;`],
      late: [`this.${n}Bytes = this.block.bytes;`],
      exercise: [`log.push(String(dev.${n}Bytes));`],
    }),
  ),
  hazard("usage of the heap", (n) => ({
    fields: [`${n}Bytes = 0;`],
    realize: [`const ${n} = ${newIo(n)};`, `this.initMmio(${n});`],
    late: [`this.${n}Bytes = this.model.heap.usage().liveBytes;`],
    exercise: [`log.push(String(dev.${n}Bytes));`],
  })),
  hazard("constructor taken out of its class", (n) => ({
    realize: [
      "const { newIo } = MemoryRegion;",
      `const ${n} = newIo.call(MemoryRegion, this, ops as MemoryRegionOps<unknown>, this, "${n}", 0x40);`,
      `this.initMmio(${n} as MemoryRegion);`,
    ],
  })),
];
