import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCodemodOn } from "../harness.ts";
import type { Direction } from "../regions/facts.ts";
import { Scratch } from "../testing/scratch.ts";
import { styleOf } from "./style.ts";
import { newProject } from "./workspace.ts";

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

const project = newProject();
const measured = (...lines: string[]) =>
  styleOf(project.createSourceFile(scratch.path("a.ts"), lines.join("\n"), { overwrite: true }));

describe("without a configuration the file shows its style", () => {
  test("by its indentation", () => {
    expect(measured("class A {", "  a = 1;", "}").indent).toBe("  ");
    expect(measured("class A {", "    a = 1;", "}").indent).toBe("    ");
    expect(measured("class A {", "\ta = 1;", "}").indent).toBe("\t");
    expect(measured("function f() {", "   return 1;", "}").indent).toBe("   ");
  });

  test("by its semicolons and quotes", () => {
    expect(measured("import a from 'a'", "const b = a", "class C {", "  d = b", "}")).toMatchObject({
      semicolons: false,
      quote: "'",
    });
    expect(measured('import a from "a";', "const b = a;")).toMatchObject({ semicolons: true, quote: '"' });
  });

  test("by the commas of its broken calls", () => {
    expect(measured("f(", "  1,", "  2", ");").trailingCommas).toBe(false);
    expect(measured("f(", "  1,", "  2,", ");").trailingCommas).toBe(true);
    expect(measured("f(() => {", "  g();", "});").trailingCommas).toBe(true);
  });

  test("by the width of its lines", () => {
    const line = (width: number) => `a.push(${"b + ".repeat(width)}`.slice(0, width - 3).concat("1);");
    expect(measured("f();").width).toBe(110);
    expect(measured(line(78), line(77), line(75)).width).toBe(80);
    expect(measured(line(98), line(97), line(95)).width).toBe(100);
    expect(measured(line(115)).width).toBe(120);
    expect(measured(line(200)).width).toBe(200);
  });

  test("by a call that is broken although a wider line would hold it", () => {
    const word = "x".repeat(20);
    const call = (count: number) => ["f(", ...Array.from({ length: count }, () => `  ${word},`), ");"];
    expect(measured(...call(4)).width).toBe(80);
    expect(measured(...call(4), `${word} + ${word} + ${word} + ${word};`).width).toBe(110);
  });
});

const region = (...statements: string[]) => ({
  "dut.ts": [
    'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
    'import { SysBusDevice } from "#qdev";',
    "",
    "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
    "",
    ...statements,
    "",
  ].join("\n"),
});

function converted(direction: Direction, ...statements: string[]): string[] {
  const { texts, refusals } = runCodemodOn(region(...statements), direction, { directory: scratch.root });
  expect(refusals).toEqual([]);
  return (texts.get("dut.ts") ?? "").split("\n").slice(5, -1);
}

describe("a conversion", () => {
  const long = `"${"long".repeat(9)}"`;

  test("keeps a call broken that its author broke", () => {
    const device = (first: string, use: string) => [
      "export class Dut extends SysBusDevice {",
      "  realize() {",
      `    ${first}`,
      "      this,",
      "      ops,",
      "      this,",
      '      "short",',
      "      0x100,",
      "    );",
      `    this.initMmio(${use});`,
      "  }",
      "}",
    ];
    const field = ["  private readonly io = this.embed(MemoryRegion);", ""];
    const [head = "", ...rest] = device("this.io.initIo(", "this.io");
    const owned = device("const io = MemoryRegion.newIo(", "io");
    expect(converted("to-owned", head, ...field, ...rest)).toEqual(owned);
    expect(converted("to-embedded", ...owned)).toEqual([head, ...field, ...rest]);
  });

  test("breaks a call at the configured width, with the configured indentation and commas", () => {
    scratch.write(".prettierrc", "printWidth: 80\nuseTabs: true\ntrailingComma: none\n");
    const device = (...creation: string[]) => [
      "export class Dut extends SysBusDevice {",
      "\tprivate readonly io = this.embed(MemoryRegion);",
      "",
      "\trealize() {",
      ...creation,
      "\t}",
      "}",
    ];
    const call = `\t\tthis.io.initIo(this, ops, this, ${long}, 1);`;
    const embedded = device(call, "\t\tthis.initMmio(this.io);");
    const owned = device(
      "\t\tconst io = MemoryRegion.newIo(",
      "\t\t\tthis,",
      "\t\t\tops,",
      "\t\t\tthis,",
      `\t\t\t${long},`,
      "\t\t\t1",
      "\t\t);",
      "\t\tthis.initMmio(io);",
    );
    owned.splice(1, 2);
    expect(converted("to-owned", ...embedded)).toEqual(owned);
    expect(converted("to-embedded", ...owned)).toEqual(embedded);
  });

  test("writes fields without semicolons where the file has none, except where the next member needs one", () => {
    const owned = [
      "export class Dut extends SysBusDevice {",
      "  realize() {",
      '    const io = MemoryRegion.newIo(this, ops, this, "io", 1)',
      "    this.initMmio(io)",
      "  }",
      "}",
    ];
    const files = region(...owned)["dut.ts"].replaceAll(";", "");
    const { texts } = runCodemodOn({ "dut.ts": files }, "to-embedded", { directory: scratch.root });
    expect(texts.get("dut.ts")).toContain("  private readonly io = this.embed(MemoryRegion)\n\n  realize()");
    const computed = files.replace("  realize()", "  *[Symbol.iterator]() {}\n\n  realize()");
    const needed = runCodemodOn({ "dut.ts": computed }, "to-embedded", { directory: scratch.root });
    expect(needed.texts.get("dut.ts")).toContain("this.embed(MemoryRegion);\n\n  *[Symbol.iterator]");
  });

  test("leaves comments at the ends of lines there", () => {
    const embedded = [
      "export class Dut extends SysBusDevice {",
      "  private readonly io = this.embed(MemoryRegion); // registers",
      "",
      "  realize() {",
      '    this.io.initIo(this, ops, this, "io", 1);',
      "    this.initMmio(this.io); // map",
      "  }",
      "}",
    ];
    expect(converted("to-owned", ...embedded)).toEqual([
      "export class Dut extends SysBusDevice {",
      "  realize() {",
      '    const io = MemoryRegion.newIo(this, ops, this, "io", 1); // registers',
      "    this.initMmio(io); // map",
      "  }",
      "}",
    ]);
  });

  test("finds the parenthesis of a call whose first comment ends in one", () => {
    const embedded = (creation: string) => [
      "export class Dut extends SysBusDevice {",
      "  private readonly io = this.embed(MemoryRegion);",
      "",
      "  realize() {",
      `    ${creation} // owner first, then ops (`,
      '      this, ops, this, "io", 1);',
      "    this.initMmio(this.io);",
      "  }",
      "}",
    ];
    const before = embedded("this.io.initIo(");
    const owned = converted("to-owned", ...before);
    expect(owned).toContain("    const io = MemoryRegion.newIo( // owner first, then ops (");
    expect(converted("to-embedded", ...owned)).toEqual(before);
  });
});
