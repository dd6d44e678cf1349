/** Owned regions in shapes that people write, each with a safe embedded form. */
import { declare, type Feature, keptWindow, newIo, owned } from "./feature.ts";

export const ownedShapes: readonly Feature[] = [
  { name: "local", build: (n) => ({ realize: [`const ${n} = ${newIo(n)};`, `this.initMmio(${n});`] }) },
  {
    name: "local with a type",
    build: (n) => ({ realize: [`const ${n}: MemoryRegion = ${newIo(n)};`, `this.initMmio(${n});`] }),
  },
  { name: "argument", build: (n) => ({ realize: [`this.initMmio(${newIo(n)});`] }) },
  { name: "field", build: (n) => keptWindow(n, { reset: [`this.${n}.setEnabled(true);`] }) },
  {
    name: "public field",
    build: (n) => ({
      fields: [`${n}!: MemoryRegion;`],
      realize: [`this.${n} = ${newIo(n)};`, declare(n)],
      exercise: [`log.push(String(dev.${n}.size));`],
    }),
  },
  {
    name: "memory",
    build: (n) => ({
      realize: [`const ${n} = MemoryRegion.newRam(this, "${n}", 0x1000);`, `this.initMmio(${n});`],
    }),
  },
  {
    name: "ROM",
    build: (n) => ({
      realize: [`const ${n} = MemoryRegion.newRom(this, "${n}", 0x400);`, `this.initMmio(${n});`],
    }),
  },
  {
    name: "ROM device",
    build: (n) => ({
      realize: [
        `const ${n} = MemoryRegion.newRomDevice(this, ops, this, "${n}", 0x400);`,
        `this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "memory of given bytes",
    build: (n) => ({
      fields: [`private readonly ${n}Bytes = new Uint8Array(0x200);`],
      realize: [`const ${n} = MemoryRegion.newRamPtr(this, "${n}", this.${n}Bytes);`, `this.initMmio(${n});`],
    }),
  },
  {
    name: "container",
    build: (n) => ({
      realize: [
        `const ${n} = MemoryRegion.new(this, "${n}", 0x1000);`,
        `const ${n}Inner = ${newIo(`${n}.inner`)};`,
        `${n}.addSubregion(0x100, ${n}Inner, 2);`,
        `this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "alias",
    build: (n) => ({
      realize: [
        `const ${n} = MemoryRegion.newRam(this, "${n}", 0x1000);`,
        `const ${n}Part = MemoryRegion.newAlias(this, "${n}.part", ${n}, 0x100, 0x80);`,
        `this.initMmio(${n}Part);`,
        `this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "one variable for two",
    build: (n) => ({
      realize: [
        `let ${n} = ${newIo(n)};`,
        `this.initMmio(${n});`,
        `${n} = ${newIo(`${n}.next`)};`,
        `this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "one name in two blocks",
    build: (n) => ({
      realize: [
        "{",
        `  const ${n} = ${newIo(n)};`,
        `  this.initMmio(${n});`,
        "}",
        "{",
        `  const ${n} = ${newIo(`${n}.next`)};`,
        `  this.initMmio(${n});`,
        "}",
      ],
    }),
  },
  {
    name: "either kind",
    build: (n) => ({
      fields: [`${n}Big = false;`],
      realize: [
        `let ${n}: MemoryRegion;`,
        `if (this.${n}Big) ${n} = MemoryRegion.newRam(this, "${n}", 0x1000);`,
        `else ${n} = MemoryRegion.newRom(this, "${n}", 0x100);`,
        `this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "only with a flag",
    build: (n) => ({
      fields: [`${n}Present = true;`],
      realize: [`if (this.${n}Present) {`, `  const ${n} = ${newIo(n)};`, `  this.initMmio(${n});`, "}"],
    }),
  },
  {
    name: "after a guard clause",
    build: (n) => ({
      fields: [`${n}Absent = false;`],
      late: [`if (this.${n}Absent) return;`, `const ${n} = ${newIo(n)};`, `this.initMmio(${n});`],
    }),
  },
  {
    name: "loop",
    build: (n) => ({
      realize: [
        "for (let index = 0; index < 3; index++) {",
        `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.initMmio(${n});`,
        "}",
      ],
    }),
  },
  {
    name: "loop that ends early",
    build: (n) => ({
      realize: [
        "for (let index = 0; index < 4; index++) {",
        `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.initMmio(${n});`,
        "  if (index === 1) break;",
        "}",
      ],
    }),
  },
  {
    name: "array by index",
    build: (n) => ({
      fields: [`private readonly ${n}s: MemoryRegion[] = [];`],
      realize: [
        "for (let index = 0; index < 2; index++) {",
        `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.${n}s[index] = ${n};`,
        `  this.initMmio(${n});`,
        "}",
      ],
      reset: [`for (const ${n} of this.${n}s) ${n}.setEnabled(true);`],
    }),
  },
  {
    name: "array by push",
    build: (n) => ({
      fields: [`private readonly ${n}s: MemoryRegion[] = [];`],
      realize: [
        "for (let index = 0; index < 2; index++) {",
        `  const ${n} = MemoryRegion.newIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.${n}s.push(${n});`,
        `  this.initMmio(${n});`,
        "}",
      ],
      reset: [`for (const ${n} of this.${n}s) ${n}.setEnabled(true);`],
    }),
  },
  {
    name: "helper called once",
    build: (n) => ({
      realize: [`this.${n}Create();`],
      members: [`private ${n}Create(): void {`, `  const ${n} = ${newIo(n)};`, `  this.initMmio(${n});`, "}"],
    }),
  },
  {
    name: "created in instanceInit",
    build: (n) => ({ fields: [owned(n)], instanceInit: [`this.${n} = ${newIo(n)};`], realize: [declare(n)] }),
  },
  {
    name: "private name",
    build: (n) => ({
      fields: [`#${n}!: MemoryRegion;`],
      realize: [`this.#${n} = ${newIo(n)};`, `this.initMmio(this.#${n});`],
    }),
  },
  {
    name: "used by a closure",
    build: (n) => ({
      realize: [
        `const ${n} = ${newIo(n)};`,
        `this.initMmio(${n});`,
        `this.clock.timer(() => ${n}.setEnabled(false)).set(1000);`,
      ],
    }),
  },
  {
    name: "shorthand and typeof",
    build: (n) => ({
      realize: [
        `const ${n} = ${newIo(n)};`,
        `const ${n}Again: typeof ${n} = ${n};`,
        `const ${n}Object = { ${n} };`,
        `this.initMmio(${n}Object.${n} ?? ${n}Again);`,
      ],
    }),
  },
  {
    name: "container of the board",
    build: (n) => ({
      fields: [owned(n)],
      realize: [`this.${n} = ${newIo(n)};`, `this.model.systemMemory.addSubregion(0x9000_0000, this.${n});`],
      unrealize: [`this.model.systemMemory.delSubregion(this.${n});`],
    }),
  },
  {
    name: "memory, and the error wrapped",
    build: (n) => ({
      qom: ["QomError"],
      fields: [owned(n)],
      realize: [
        "try {",
        `  this.${n} = MemoryRegion.newRam(this, "${n}", 0x1000);`,
        "} catch (error) {",
        '  throw new QomError("no memory", { cause: error });',
        "}",
        declare(n),
      ],
    }),
  },
  {
    name: "alias that ends in unrealize",
    build: (n) => ({
      fields: [owned(n), owned(`${n}Part`)],
      instanceInit: [`this.${n} = MemoryRegion.newRam(this, "${n}", 0x1000);`],
      realize: [
        `this.${n}Part = MemoryRegion.newAlias(this, "${n}.part", this.${n}, 0x100, 0x100);`,
        `this.model.systemMemory.addSubregion(0x9800_0000, this.${n}Part);`,
      ],
      unrealize: [`this.model.systemMemory.delSubregion(this.${n}Part);`, `this.${n}Part.unparent();`],
    }),
  },
  {
    name: "destructured afterwards",
    build: (n) => ({
      fields: [owned(n)],
      realize: [`this.${n} = ${newIo(n)};`, `const { ${n} } = this;`, `this.initMmio(${n});`],
    }),
  },
];
