/** Shapes that reach across classes and files. */
import { describe, expect, test } from "vitest";
import { runCodemodOn } from "./harness.ts";
import { newProject } from "./source/workspace.ts";
import { fixtures } from "./testing/golden-project.ts";
import { DeviceConverter } from "./testing/one-device.ts";

const project = newProject();
const base = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };

export abstract class Windowed extends SysBusDevice {
  protected addWindow(region: MemoryRegion, name: string): void {
    region.initIo(this, ops, this, name, 0x40);
    this.initMmio(region);
  }
}
`;
const device = (...calls: string[]) => `import { MemoryRegion } from "#memory";
import { Windowed } from "./windowed.ts";

export class Dut extends Windowed {
  private readonly low = this.embed(MemoryRegion);
  private readonly high = this.embed(MemoryRegion);

  protected override realize(): void {
${calls.map((call) => `    ${call}\n`).join("")}  }
}
`;

function convert(files: Record<string, string>) {
  return runCodemodOn(files, "to-owned", { directory: fixtures, project });
}

describe("a helper that initialises what it is given", () => {
  test("creates and returns it in the owned form, in another file, and the callers follow", () => {
    const { texts, refusals } = convert({
      "windowed.ts": base,
      "device.ts": device('this.addWindow(this.low, "low");', 'this.addWindow(this.high, "high");'),
    });
    expect(refusals).toEqual([]);
    expect(texts.get("windowed.ts")).toContain(`  protected addWindow(name: string): MemoryRegion {
    const region = MemoryRegion.newIo(this, ops, this, name, 0x40);
    this.initMmio(region);
    return region;
  }`);
    expect(texts.get("device.ts")).toBe(`import { Windowed } from "./windowed.ts";

export class Dut extends Windowed {
  protected override realize(): void {
    this.addWindow("low");
    this.addWindow("high");
  }
}
`);
  });

  test("stays as it is if one caller passes something else", () => {
    const { texts, refusals } = convert({
      "windowed.ts": base,
      "device.ts": device('this.addWindow(this.low, "low");', 'this.addWindow(this.mmioRegion(0), "other");'),
    });
    expect(refusals).toEqual(["6 Dut.high never-created", "9 Dut.low created-by-helper"]);
    expect(texts.get("windowed.ts")).toBe(base);
  });

  test("stays as it is if the class of one caller is refused", () => {
    const other = device(
      'this.addWindow(this.low, "low");',
      'this.high.initIo(this.low, { read: () => 0, write: () => {} }, 0, "high", 1);',
    ).replace("Dut", "Other");
    const { texts, refusals } = convert({
      "windowed.ts": base,
      "device.ts": device('this.addWindow(this.low, "low");', 'this.addWindow(this.high, "high");'),
      "other.ts": other,
    });
    expect(refusals.map((each) => each.split(" ").at(-1))).toEqual([
      "class-refused",
      "class-refused",
      "class-refused",
      "owner-is-region",
    ]);
    expect(texts.get("windowed.ts")).toBe(base);
  });

  test("stays as it is if its file is not among those to convert", () => {
    const files = {
      "device.ts": device('this.addWindow(this.low, "low");', 'this.addWindow(this.high, "high");'),
    };
    project.createSourceFile(`${fixtures}/windowed.ts`, base, { overwrite: true });
    const { texts, refusals } = convert(files);
    expect(refusals.map((each) => each.split(" ").at(-1))).toEqual([
      "created-by-helper",
      "created-by-helper",
    ]);
    expect(texts.get("device.ts")).toBe(files["device.ts"]);
  });
});

describe("alternatives", () => {
  const converter = new DeviceConverter();

  test("a conditional expression becomes an if, which converts back", () => {
    const body = `  private readonly block = this.embed(MemoryRegion);
  large = false;

  protected override realize(): void {
    this.large ? this.block.initRam(this, "block", 0x1000) : this.block.initRom(this, "block", 0x100);
    this.initMmio(this.block);
  }`;
    const { text, refusals } = converter.convert("to-owned", body);
    expect(refusals).toEqual([]);
    expect(text).toContain(`    if (this.large) this.block = MemoryRegion.newRam(this, "block", 0x1000);
    else this.block = MemoryRegion.newRom(this, "block", 0x100);
`);
  });

  test("a flag that is set only after the creation guards the uses", () => {
    const body = (set: string) => `  private readonly ram = this.embed(MemoryRegion);

  protected override realize(): void {
    let ok = false;
    ${set}
    try {
      this.ram.initRam(this, "ram", 0x1000);
      ok = true;
    } catch {
      ok = false;
    }
    if (!ok) return;
    this.initMmio(this.ram);
  }`;
    expect(converter.convert("to-owned", body("")).refusals).toEqual([]);
    expect(converter.convert("to-owned", body("ok = true;")).refusals).toEqual([
      "ram: created-conditionally",
    ]);
  });

  test("a class on one line gets its field there", () => {
    const body =
      'protected override realize(): void { const window = MemoryRegion.newRam(this, "w", 8); this.initMmio(window); }';
    const { text } = converter.convert("to-embedded", body);
    expect(text).toContain("private readonly window = this.embed(MemoryRegion);");
    expect(text).toContain('{ this.window.initRam(this, "w", 8); this.initMmio(this.window); }');
  });
});
