/** Device sources in any number and of any length, to measure how long the codemods take. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const head = [
  'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
  'import { IrqLine, SysBusDevice } from "#qdev";',
  "",
];

/** A device source with regions of several kinds: dropped, kept, in an array, and a container with an alias. */
export function deviceSource(index: number): string {
  const name = `Device${index}`;
  return [
    ...head,
    `/** Device ${index} of many. */`,
    `export class ${name} extends SysBusDevice {`,
    `  static override readonly typeName: string = "device-${index}";`,
    "",
    "  /** Register window. */",
    "  private readonly iomem = this.embed(MemoryRegion);",
    "  private readonly container = this.embed(MemoryRegion);",
    "  private readonly mirror = this.embed(MemoryRegion);",
    "  /** Enabled by a register. */",
    `  private readonly doorbell${index % 7} = this.embed(MemoryRegion);`,
    "  private readonly banks = this.embedArray(MemoryRegion, 4);",
    `  readonly screen${index % 5} = this.embed(MemoryRegion);`,
    "  private readonly irq = new IrqLine();",
    "  private status = 0;",
    "",
    "  protected override realize(): void {",
    `    this.iomem.initIo(this, ops, this, "device-${index}", 0x100);`,
    "    this.initMmio(this.iomem);",
    '    this.container.init(this, "container", 0x1000);',
    '    this.mirror.initAlias(this, "mirror", this.iomem, 0, 0x80);',
    "    this.container.addSubregion(0, this.mirror);",
    "    this.initMmio(this.container);",
    `    this.doorbell${index % 7}.initIo(this, ops, this, "doorbell", 0x10);`,
    `    this.initMmio(this.doorbell${index % 7});`,
    "    for (const [index, bank] of this.banks.entries()) {",
    `      bank.initIo(this, ops, this, \`bank\${index}\`, 0x40);`,
    "      this.initMmio(bank);",
    "    }",
    `    this.screen${index % 5}.initRam(this, "screen", 0x1000);`,
    `    this.initMmio(this.screen${index % 5});`,
    "    this.initIrq(this.irq);",
    "  }",
    "",
    ...registers(3),
    "  override reset(): void {",
    "    this.status = 0;",
    `    this.doorbell${index % 7}.setEnabled(false);`,
    "  }",
    "}",
    "",
    `const ops: MemoryRegionOps<${name}> = {`,
    "  read: (device, offset) => device.readRegisters0(offset),",
    "  write: (device, offset, value) => device.writeRegisters0(offset, value),",
    '  endianness: "little",',
    "};",
    "",
  ].join("\n");
}

/** Pairs of methods as devices have them. */
function registers(pairs: number): string[] {
  return Array.from({ length: pairs }, (_, index) => [
    `  readRegisters${index}(offset: number): number {`,
    "    switch (offset) {",
    "      case 0:",
    "        return this.status;",
    "      case 4:",
    "        return this.status & 0xff;",
    "      default:",
    "        return 0;",
    "    }",
    "  }",
    "",
    `  writeRegisters${index}(offset: number, value: number): void {`,
    "    if (offset === 0) this.status = value;",
    `    else this.status = offset + ${index};`,
    "  }",
    "",
  ]).flat();
}

/** One class of about `lines` lines, `share` of which (0 to 1) are about its regions. */
export function longSource(lines: number, share: number): string {
  const regions = Math.max(1, Math.floor((lines * share) / 3));
  const names = Array.from({ length: regions }, (_, index) => `window${index}`);
  const pairs = Math.max(1, Math.floor((lines * (1 - share)) / 16));
  return [
    ...head,
    "export class Long extends SysBusDevice {",
    '  static override readonly typeName: string = "long";',
    "",
    ...names.map((name) => `  private readonly ${name} = this.embed(MemoryRegion);`),
    "  protected readonly irq = new IrqLine();",
    "  private status = 0;",
    "",
    "  protected override realize(): void {",
    ...names.flatMap((name, index) => [
      `    this.${name}.initIo(this, ops, this, "window-${index}", 0x100);`,
      `    this.initMmio(this.${name});`,
    ]),
    "  }",
    "",
    ...registers(pairs),
    "}",
    "",
    "const ops: MemoryRegionOps<Long> = {",
    "  read: (device, offset) => device.readRegisters0(offset),",
    "  write: (device, offset, value) => device.writeRegisters0(offset, value),",
    '  endianness: "little",',
    "};",
    "",
  ].join("\n");
}

/** A temporary package that uses the emulator in `root`, with sources by name. */
export function temporaryPackage(
  root: string,
  sources: ReadonlyMap<string, string>,
): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "devices-"));
  const rooms = ["qom", "memory", "qdev"].map((room) => [
    `#${room}`,
    { source: `./emulator/${room}/index.ts` },
  ]);
  const manifest = { name: "devices", private: true, type: "module", imports: Object.fromEntries(rooms) };
  writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
  symlinkSync(join(root, "emulator"), join(path, "emulator"));
  writeFileSync(
    join(path, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { types: [] },
      include: ["devices"],
    }),
  );
  for (const [name, text] of sources) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
