/** A device with everything that a conversion may get wrong, in both forms, written by hand. */

const HEAD = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { IrqLine, SysBusDevice, uintProperty } from "#qdev";

const ops: MemoryRegionOps<Rich> = {
  read: (dev, offset, size) => dev.load(offset, size),
  write: (dev, offset, value) => dev.store(offset, value),
  endianness: "little",
};

export class Rich extends SysBusDevice {
  static override readonly typeName: string = "rich";
  static override readonly properties = [uintProperty<Rich>("lanes", "uint8", "lanes")];
`;

const TAIL = `
  load(offset: number, size: number): number {
    return (this.value + offset * 3 + size) >>> 0;
  }

  store(offset: number, value: number): void {
    this.value = (this.value ^ value) >>> 0;
    if (offset === 4) this.irq.set(true);
  }
}
`;

export const RICH_EMBEDDED = `${HEAD}
  private readonly container = this.embed(MemoryRegion);
  private readonly registers = this.embed(MemoryRegion);
  private readonly ram = this.embed(MemoryRegion);
  private readonly part = this.embed(MemoryRegion);
  private readonly ports = this.embed(MemoryRegion);
  private readonly direct = this.embed(MemoryRegion);
  private readonly lane = this.embed(MemoryRegion);
  private readonly irq = new IrqLine();
  lanes = 2;
  quiet = false;
  private value = 1;

  protected override realize(): void {
    this.container.init(this, "container", 0x4000);
    this.registers.initIo(this, ops, this, "registers", 0x100);
    this.ram.initRam(this, "ram", 0x1000);
    this.part.initAlias(this, "part", this.ram, 0x800, 0x400);
    this.container.addSubregion(0, this.registers);
    this.container.addSubregion(0x1000, this.ram);
    this.container.addSubregion(0x1800, this.part, 1);
    this.ports.initIo(this, ops, this, "ports", 0x40);
    this.initMmio(this.container);
    this.initMmio(this.ports);
    this.initIrq(this.irq);
    this.direct.initIo(this, ops, this, "direct", 0x40);
    this.model.systemMemory.addSubregion(0x9000_0000, this.direct);
    if (!this.quiet) this.lane.initIo(this, ops, this, "lane", this.lanes * 0x10 + 0x10);
    if (!this.quiet) this.initMmio(this.lane);
  }

  protected override unrealize(): void {
    this.model.systemMemory.delSubregion(this.direct);
  }

  override reset(): void {
    this.value = 1;
    this.part.setEnabled(true);
  }

  hide(): void {
    this.part.setEnabled(false);
  }
${TAIL}`;

export const RICH_OWNED = `${HEAD}
  private part!: MemoryRegion;
  private direct!: MemoryRegion;
  private readonly irq = new IrqLine();
  lanes = 2;
  quiet = false;
  private value = 1;

  protected override realize(): void {
    const container = MemoryRegion.new(this, "container", 0x4000);
    const registers = MemoryRegion.newIo(this, ops, this, "registers", 0x100);
    const ram = MemoryRegion.newRam(this, "ram", 0x1000);
    this.part = MemoryRegion.newAlias(this, "part", ram, 0x800, 0x400);
    container.addSubregion(0, registers);
    container.addSubregion(0x1000, ram);
    container.addSubregion(0x1800, this.part, 1);
    const ports = MemoryRegion.newIo(this, ops, this, "ports", 0x40);
    this.initMmio(container);
    this.initMmio(ports);
    this.initIrq(this.irq);
    this.direct = MemoryRegion.newIo(this, ops, this, "direct", 0x40);
    this.model.systemMemory.addSubregion(0x9000_0000, this.direct);
    if (!this.quiet) {
      const lane = MemoryRegion.newIo(this, ops, this, "lane", this.lanes * 0x10 + 0x10);
      this.initMmio(lane);
    }
  }

  protected override unrealize(): void {
    this.model.systemMemory.delSubregion(this.direct);
  }

  override reset(): void {
    this.value = 1;
    this.part.setEnabled(true);
  }

  hide(): void {
    this.part.setEnabled(false);
  }
${TAIL}`;

/** One way to break the owned form: what is replaced, by what, and what the proof must then find different. */
export interface Mutation {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly finds: string;
}

const END_OF_REALIZE = `      this.initMmio(lane);
    }
`;

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a region is dropped",
    from: "    container.addSubregion(0, registers);\n",
    to: "",
    finds: "region tree",
  },
  {
    name: "two windows change places",
    from: "    this.initMmio(container);\n    this.initMmio(ports);\n",
    to: "    this.initMmio(ports);\n    this.initMmio(container);\n",
    finds: "windows",
  },
  { name: "another size", from: '"registers", 0x100', to: '"registers", 0x80', finds: "region tree" },
  { name: "another name", from: '"registers", 0x100', to: '"regs", 0x100', finds: "region tree" },
  { name: "another kind", from: "newRam(this", to: "newRom(this", finds: "region tree" },
  {
    name: "another offset",
    from: "addSubregion(0x1000, ram)",
    to: "addSubregion(0x1008, ram)",
    finds: "region tree",
  },
  { name: "another priority", from: "this.part, 1)", to: "this.part)", finds: "region tree" },
  {
    name: "another part of the target",
    from: "ram, 0x800, 0x400",
    to: "ram, 0x400, 0x400",
    finds: "region tree",
  },
  {
    name: "another owner",
    from: 'newIo(this, ops, this, "ports"',
    to: 'newIo(this.model.noOwner, ops, this, "ports"',
    finds: "region tree",
  },
  {
    name: "created late",
    from: "    this.part.setEnabled(true);\n",
    to: '    this.part.setEnabled(true);\n    MemoryRegion.newIo(this, ops, this, "late", 4);\n',
    finds: "region tree",
  },
  {
    name: "used before it is created",
    from: "    const container =",
    to: "    this.part.setEnabled(true);\n    const container =",
    finds: "outcome",
  },
  {
    name: "created twice",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    MemoryRegion.newIo(this, ops, this, "ports", 0x40);\n`,
    finds: "region tree",
  },
  {
    name: "unparented early",
    from: "    this.model.systemMemory.delSubregion(this.direct);\n",
    to: "    this.model.systemMemory.delSubregion(this.direct);\n    this.direct.unparent();\n",
    finds: "region tree",
  },
  {
    name: "unparented while it is mapped",
    from: "    this.part.setEnabled(false);\n",
    to: "    this.part.setEnabled(false);\n    this.part.unparent();\n",
    finds: "region tree",
  },
  {
    name: "not unmapped",
    from: "    this.model.systemMemory.delSubregion(this.direct);\n",
    to: "",
    finds: "region tree",
  },
  {
    name: "disabled",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    ports.setEnabled(false);\n`,
    finds: "region tree",
  },
  {
    name: "a reference that is never dropped",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    ports.takeRef();\n`,
    finds: "objects",
  },
  {
    name: "storage that leaks",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    this.model.allocate(MemoryRegion);\n`,
    finds: "leaks",
  },
  {
    name: "used after its release",
    from: "  hide(): void {",
    to: "  protected override instanceFinalize(): void {\n    this.part.setEnabled(false);\n  }\n\n  hide(): void {",
    finds: "uses after the end",
  },
  { name: "other values", from: "offset * 3", to: "offset * 5", finds: "events" },
  { name: "no interrupt", from: "this.irq.set(true)", to: "this.irq.set(false)", finds: "events" },
  { name: "wrong with a flag only", from: "if (!this.quiet) {", to: "{", finds: "region tree" },
  {
    name: "wrong with another property only",
    from: "this.lanes * 0x10 + 0x10",
    to: "this.lanes * 0x20 - 0x10",
    finds: "region tree",
  },
  { name: "wrong in a method only", from: "    this.part.setEnabled(false);", to: "", finds: "region tree" },
  {
    name: "an exception of realize",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    throw new Error("no");\n`,
    finds: "outcome",
  },
  {
    name: "an exception that nobody waits for",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    void Promise.reject(new Error("no"));\n`,
    finds: "events",
  },
  {
    name: "created after a promise",
    from: END_OF_REALIZE,
    to: `${END_OF_REALIZE}    void Promise.resolve().then(() => ports.setEnabled(false));\n`,
    finds: "region tree",
  },
  {
    name: "does not return",
    from: "    this.value = 1;\n    this.part",
    to: "    for (;;);\n    this.part",
    finds: "loading",
  },
  {
    name: "ends the process",
    from: "    this.value = 1;\n    this.part",
    to: "    process.exit(0);\n    this.part",
    finds: "loading",
  },
  {
    name: "takes all memory",
    from: "    this.value = 1;\n    this.part",
    to: '    for (const all: string[][] = []; ; ) all.push(Array(1e6).fill("x"));\n    this.part',
    finds: "loading",
  },
  {
    name: "does not parse",
    from: "    this.value = 1;\n    this.part",
    to: "    this.value = = 1;\n    this.part",
    finds: "loading",
  },
  { name: "has no such class", from: "export class Rich", to: "export class Poor", finds: "loading" },
];
