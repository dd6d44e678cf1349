/** Sources that are not in canonical form convert too, and lose only what docs/codemods.md says. */
import { describe, expect, test } from "vitest";
import { Converter } from "./testing/golden-project.ts";

const converter = new Converter();

function source(...lines: string[]): string {
  return [
    'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
    'import { SysBusDevice } from "#qdev";',
    "",
    ...lines,
    "",
    "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
    "",
  ].join("\n");
}

const realize = [
  "  protected override realize(): void {",
  '    this.window.initIo(this, ops, this, "window", 0x40);',
  "    this.initMmio(this.window);",
  "  }",
];
const realizeOwned = [
  "  protected override realize(): void {",
  '    const window = MemoryRegion.newIo(this, ops, this, "window", 0x40);',
  "    this.initMmio(window);",
  "  }",
];

function members(...lines: string[]): string {
  return source("const KEY = Symbol();", "", "export class Device extends SysBusDevice {", ...lines, "}");
}

test.each(["*steps(): Generator<number> { yield 1 }", "[KEY](): number { return 1 }"])(
  "the semicolon of a dropped field that kept %s apart from the field above is left there",
  (member) => {
    const field = "  private readonly window = this.embed(MemoryRegion);";
    const rest = [`  ${member}`, "", ...realize];
    const owned = [`  ${member}`, "", ...realizeOwned];
    expect(toOwned(members("  limit = 1", field, ...rest))).toBe(members("  limit = 1;", ...owned));
    expect(toOwned(members("  limit = 1;", field, ...rest))).toBe(members("  limit = 1;", ...owned));
  },
);

test("folding marks stay where they are", () => {
  const field = "  private readonly window = this.embed(MemoryRegion);";
  const marks = ["  //#region fields", "  limit = 1;", "  //#endregion"];
  const embedded = members("  //#region windows", field, "  //#endregion", ...marks, ...realize);
  expect(toOwned(embedded)).toBe(members("  //#region windows", "  //#endregion", ...marks, ...realizeOwned));
});

function toOwned(text: string): string {
  const plan = converter.convert("canonical.ts", "to-owned", text);
  expect(plan.sites.map(({ outcome }) => outcome)).toEqual(["converted"]);
  return plan.after;
}

describe("a region field", () => {
  test.each([
    ["without readonly", "  private window = this.embed(MemoryRegion);"],
    ["with a type annotation", "  private readonly window: MemoryRegion = this.embed(MemoryRegion);"],
  ])("%s is dropped; it comes back in canonical form", (_what, field) => {
    const embedded = source(
      "export class Device extends SysBusDevice {",
      field,
      "  limit = 1;",
      "",
      ...realize,
      "}",
    );
    const owned = source(
      "export class Device extends SysBusDevice {",
      "  limit = 1;",
      "",
      ...realizeOwned,
      "}",
    );
    expect(toOwned(embedded)).toBe(owned);
    const canonical = embedded.replace(field, "  private readonly window = this.embed(MemoryRegion);");
    expect(converter.convert("canonical.ts", "to-embedded", owned).after).toBe(canonical);
  });

  test("at the end of its class leaves no blank line there", () => {
    const field = "  private readonly window = this.embed(MemoryRegion);";
    const embedded = source("export class Device extends SysBusDevice {", ...realize, "", field, "}");
    expect(toOwned(embedded)).toBe(
      source("export class Device extends SysBusDevice {", ...realizeOwned, "}"),
    );
  });

  test("between blank lines leaves one of them", () => {
    const field = "  private readonly window = this.embed(MemoryRegion);";
    const head = ["export class Device extends SysBusDevice {", "  limit = 1;", ""];
    const tail = ["  count = 0;", "", ...realize, "}"];
    const ownedTail = ["  count = 0;", "", ...realizeOwned, "}"];
    expect(toOwned(source(...head, field, "", ...tail))).toBe(source(...head, ...ownedTail));
  });

  test("takes all its comments along, a trailing one to the end of the line; detached comments stay", () => {
    const embedded = source(
      "export class Device extends SysBusDevice {",
      "  // Regions.",
      "",
      "  // Not a doc comment.",
      "  /** A doc comment. */",
      "  private readonly window = this.embed(MemoryRegion); // and one behind",
      "  limit = 1;",
      "",
      ...realize,
      "}",
    );
    const owned = source(
      "export class Device extends SysBusDevice {",
      "  // Regions.",
      "",
      "  limit = 1;",
      "",
      "  protected override realize(): void {",
      "    // Not a doc comment.",
      "    /** A doc comment. */",
      `${realizeOwned[1]} // and one behind`,
      ...realizeOwned.slice(2),
      "}",
    );
    expect(toOwned(embedded)).toBe(owned);
  });
});

describe("line breaks that are left to a formatter", () => {
  test("are noted if a call is part of a larger expression", () => {
    const filler = "0x1000_0000 + 0x2000_0000 + 0x3000_0000 + 0x4000_0000 + 0x1000_0000 + 0x2000_0000";
    const embedded = source(
      "export class Device extends SysBusDevice {",
      "  private readonly window = this.embed(MemoryRegion);",
      "  protected sum = 0;",
      "",
      ...realize.slice(0, -1),
      "    this.sum =",
      `      ${filler} + this.window.size;`,
      "  }",
      "}",
    );
    const plan = converter.convert("canonical.ts", "to-owned", embedded);
    expect(plan.after).toContain(`      ${filler} + window.size;`);
    expect(plan.notes).toEqual([{ line: 11, text: "line breaks are left to the formatter" }]);
  });
});
