import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { measureCodeSize, measureMixture, measureSources, sourceSize } from "./code-size.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-code-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

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

describe("measureSources", () => {
  it("compares the two trees file by file and leaves out files without regions", () => {
    for (const [tree, text] of Object.entries({ embedded, owned })) {
      mkdirSync(join(folder, tree, "rtc"), { recursive: true });
      writeFileSync(join(folder, tree, "rtc", "goldfish.ts"), text);
      writeFileSync(join(folder, tree, "index.ts"), "export {};\n");
      writeFileSync(join(folder, tree, "rtc", "goldfish.test.ts"), text);
    }
    expect(measureSources(folder)).toEqual([
      {
        device: "rtc/goldfish",
        file: "rtc/goldfish.ts",
        embedded: { regionFields: 2, lines: 14 },
        owned: { regionFields: 2, lines: 11 },
      },
    ]);
  });
});

describe("measureCodeSize", () => {
  const nowhere = join(tmpdir(), "regionlab-no-sources");
  const built = join(root, "dist", "bench", "code-size.json");

  it("gives the same for an installed package, which has no sources, as for the sources", () => {
    if (!existsSync(built)) throw new Error(`${built} is missing; run npm run build first`);
    const measured = measureCodeSize(join(root, "emulator", "hw"), join(folder, "not-read.json"));
    expect(measured.length).toBeGreaterThan(0);
    expect(measureCodeSize(nowhere, built)).toEqual(measured);
  });

  it("compares a mixture by its own texts", () => {
    const hw = join(root, "emulator", "hw");
    const whole = measureCodeSize(hw);
    const textsOf = (converted: string) =>
      new Map(
        whole.map(({ file }) => [
          file,
          readFileSync(join(hw, file === converted ? "owned" : "embedded", file), "utf8"),
        ]),
      );
    const file = "char/serial-mm.ts";
    for (const each of measureMixture(hw, textsOf(file))) {
      if (each.file === file) expect(each).toEqual(whole.find((one) => one.file === file));
      else expect(each.owned).toEqual(each.embedded);
    }
  });

  it("takes the stored sizes where only some sources are", () => {
    const some = join(folder, "some");
    const file = "rtc/goldfish-rtc.ts";
    for (const tree of ["embedded", "owned"]) {
      mkdirSync(join(some, tree, "rtc"), { recursive: true });
      cpSync(join(root, "emulator", "hw", tree, file), join(some, tree, file));
    }
    expect(measureCodeSize(some, built)).toEqual(measureCodeSize(join(root, "emulator", "hw"), built));
  });

  it.each([
    ["missing", null, /code-size\.json: cannot be read, and .*no-sources has no sources.* npm run build/],
    ["broken", "[{", /code-size\.json: is not JSON/],
  ])("says what to do if there are no sources and the stored sizes are %s", (name, text, message) => {
    mkdirSync(join(folder, name));
    const stored = join(folder, name, "code-size.json");
    if (text !== null) writeFileSync(stored, text);
    expect(() => measureCodeSize(nowhere, stored)).toThrow(message);
    expect(() => measureCodeSize(nowhere, stored)).toThrow(CommandError);
  });
});
