import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { measureCodeSize, sourceSize } from "./code-size.ts";

const embedded = `import { MemoryRegion } from "#memory";

export class Rtc extends SysBusDevice {
  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  protected readonly banks = this.embedArray(MemoryRegion, 4);
  private readonly serial = this.embed(Serial);
  private readonly irq = new IrqLine();

  override realize(): void {
    const iomem: MemoryRegion = this.iomem;
    this.initMmio(iomem);
  }
}
`;

const owned = `import { MemoryRegion } from "#memory";

export class Rtc extends SysBusDevice {
  private iomem!: MemoryRegion;
  readonly banks: MemoryRegion[] = [];
  private regions = 0;

  override realize(): void {
    this.iomem = MemoryRegion.newIo(this, ops, this, "rtc", 4);
  }
}
`;

describe("sourceSize", () => {
  it("counts fields that are regions or arrays of regions, and nothing else", () => {
    expect(sourceSize(embedded)).toEqual({ regionFields: 2, lines: 14 });
    expect(sourceSize(owned)).toEqual({ regionFields: 2, lines: 11 });
  });
});

describe("measureCodeSize", () => {
  it("compares the two trees file by file and leaves out files without regions", () => {
    const folder = mkdtempSync(join(tmpdir(), "regionlab-code-"));
    for (const [tree, text] of Object.entries({ embedded, owned })) {
      mkdirSync(join(folder, tree, "rtc"), { recursive: true });
      writeFileSync(join(folder, tree, "rtc", "goldfish.ts"), text);
      writeFileSync(join(folder, tree, "index.ts"), "export {};\n");
      writeFileSync(join(folder, tree, "rtc", "goldfish.test.ts"), text);
    }
    expect(measureCodeSize(folder)).toEqual([
      {
        device: "rtc/goldfish",
        file: "rtc/goldfish.ts",
        embedded: { regionFields: 2, lines: 14 },
        owned: { regionFields: 2, lines: 11 },
      },
    ]);
  });
});
