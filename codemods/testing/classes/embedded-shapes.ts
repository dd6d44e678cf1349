/** Embedded regions in shapes that people write, each with a safe owned form. */
import { declare, embedded, type Feature, io, window } from "./feature.ts";

export const embeddedShapes: readonly Feature[] = [
  { name: "io", build: (n) => window(n) },
  {
    name: "ram",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this.${n}.initRam(this, "${n}", 0x1000);`, declare(n)],
    }),
  },
  {
    name: "rom",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this.${n}.initRom(this, "${n}", 0x800);`, declare(n)],
    }),
  },
  {
    name: "rom device",
    build: (n) => ({
      fields: [embedded(n)],
      realize: [`this.${n}.initRomDevice(this, ops, this, "${n}", 0x800);`, declare(n)],
      reset: [`this.${n}.setRomdMode(true);`],
    }),
  },
  {
    name: "ram of given bytes",
    build: (n) => ({
      fields: [embedded(n), `private readonly ${n}Bytes = new Uint8Array(0x200);`],
      realize: [`this.${n}.initRamPtr(this, "${n}", this.${n}Bytes);`, declare(n)],
    }),
  },
  {
    name: "container",
    build: (n) => ({
      fields: [embedded(n), embedded(`${n}Low`), embedded(`${n}High`)],
      realize: [
        `this.${n}.init(this, "${n}", 0x1000);`,
        `this.${n}Low.${io(`${n}.low`)};`,
        `this.${n}High.initRam(this, "${n}.high", 0x100);`,
        `this.${n}.addSubregion(0, this.${n}Low);`,
        `this.${n}.addSubregion(0x800, this.${n}High, 1);`,
        declare(n),
      ],
    }),
  },
  {
    name: "alias",
    build: (n) => ({
      fields: [embedded(n), embedded(`${n}Part`)],
      realize: [
        `this.${n}.initRam(this, "${n}", 0x1000);`,
        `this.${n}Part.initAlias(this, "${n}.part", this.${n}, 0x400, 0x200);`,
        declare(n),
        declare(`${n}Part`),
      ],
    }),
  },
  {
    name: "array by entries",
    build: (n, random) => ({
      fields: [`private readonly ${n}s = this.embedArray(MemoryRegion, ${1 + random.below(3)});`],
      realize: [
        `for (const [index, ${n}] of this.${n}s.entries()) {`,
        `  ${n}.initIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.initMmio(${n});`,
        "}",
      ],
    }),
  },
  {
    name: "array by elements",
    build: (n) => ({
      fields: [`private readonly ${n}s = this.embedArray(MemoryRegion, 2);`],
      realize: [`for (const ${n} of this.${n}s) {`, `  ${n}.${io(n)};`, `  this.initMmio(${n});`, "}"],
    }),
  },
  {
    name: "array by index",
    build: (n) => ({
      top: [`const ${n.toUpperCase()}_COUNT = 3;`],
      fields: [`private readonly ${n} = this.embedArray(MemoryRegion, ${n.toUpperCase()}_COUNT);`],
      realize: [
        `for (let i = 0; i < ${n.toUpperCase()}_COUNT; i++) {`,
        `  const each = this.${n}[i]!;`,
        `  each.initIo(this, ops, this, \`${n}\${i}\`, 0x40);`,
        "  this.initMmio(each);",
        "}",
      ],
    }),
  },
  {
    name: "array, then a second loop",
    build: (n) => ({
      fields: [`private readonly ${n}s = this.embedArray(MemoryRegion, 2);`],
      realize: [
        `for (const [index, ${n}] of this.${n}s.entries()) {`,
        `  ${n}.initIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        "}",
        `for (const ${n} of this.${n}s) this.initMmio(${n});`,
      ],
    }),
  },
  {
    name: "array with its length at run time",
    build: (n) => ({
      fields: [`private readonly ${n}s = this.embedArray(MemoryRegion, 2);`],
      realize: [
        `for (const [index, ${n}] of this.${n}s.entries()) {`,
        `  ${n}.initIo(this, ops, this, \`${n}\${index}\`, 0x40);`,
        `  this.initMmio(${n});`,
        "}",
      ],
      exercise: [`log.push(String(dev.${n}Count));`],
      members: [`get ${n}Count(): number {`, `  return this.${n}s.length;`, "}"],
    }),
  },
  {
    name: "either kind",
    build: (n) => ({
      fields: [embedded(n), `${n}Big = false;`],
      realize: [
        `if (this.${n}Big) {`,
        `  this.${n}.initRam(this, "${n}", 0x1000);`,
        "} else {",
        `  this.${n}.initRom(this, "${n}", 0x100);`,
        "}",
        declare(n),
      ],
    }),
  },
  {
    name: "kind by switch",
    build: (n) => ({
      fields: [embedded(n), `${n}Kind = 0;`],
      realize: [
        `switch (this.${n}Kind) {`,
        "  case 0:",
        "  case 1:",
        `    this.${n}.initRam(this, "${n}", 0x100);`,
        "    break;",
        "  default:",
        `    this.${n}.initRom(this, "${n}", 0x200);`,
        "}",
        declare(n),
      ],
    }),
  },
  {
    name: "kind by conditional expression",
    build: (n) => ({
      fields: [embedded(n), `${n}Big = true;`],
      realize: [
        `this.${n}Big ? this.${n}.initRam(this, "${n}", 0x100) : this.${n}.initRom(this, "${n}", 0x100);`,
        declare(n),
      ],
    }),
  },
  {
    name: "only with a flag",
    build: (n) => ({
      fields: [embedded(n), `${n}Present = true;`],
      realize: [`if (this.${n}Present) {`, `  this.${n}.${io(n)};`, `  ${declare(n)}`, "}"],
    }),
  },
  {
    name: "after a guard clause",
    build: (n) => ({
      fields: [embedded(n), `${n}Absent = false;`],
      late: [`if (this.${n}Absent) return;`, `this.${n}.${io(n)};`, declare(n)],
    }),
  },
  {
    name: "after a guard that throws",
    build: (n) => ({
      fields: [embedded(n), `${n}Size = 0x40;`],
      realize: [
        `if (this.${n}Size === 0) throw new Error("no size");`,
        `this.${n}.${io(n, `this.${n}Size`)};`,
        declare(n),
      ],
      reset: [`this.${n}.setEnabled(true);`],
    }),
  },
];
