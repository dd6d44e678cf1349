/** Every creation and every piece of storage that a file names belongs to one region of the report, whatever surrounds it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCodemodOn } from "../harness.ts";
import type { Direction } from "../regions/facts.ts";
import { newProject } from "../source/workspace.ts";

const project = newProject();
/** Where the sources pretend to be, so that the components are the real ones. */
const directory = join(import.meta.dirname, "../../emulator/hw/trial");
const head = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };
const Region = MemoryRegion;
declare function pick<T>(value: T): T;
`;

/** Places for a region, at $. */
const holders = [
  "const w = $; this.initMmio(w);",
  "let w: MemoryRegion; w = $; this.initMmio(w);",
  "const w = $ as MemoryRegion; this.initMmio(w);",
  "this.initMmio($);",
  "this.initMmio(pick($));",
  "this.one = $;",
  "this.one ??= $;",
  "(this.one) = $;",
  "this.one = this.list[1] = $;",
  "[this.one] = [$];",
  "const self = this; self.one = $;",
  'this["one"] = $;',
  "this.list[0] = $;",
  "this.list[this.n++] = $;",
  "this.list.push($);",
  "const w = $; this.list.push(w);",
  "const w = (this.list[0] = $); this.initMmio(w);",
  'this.map.set("a", $);',
  "this.record.a = $;",
  "const { size } = $; void size;",
  "const [w] = [$]; this.initMmio(w);",
  "const held = { w: $ }; this.initMmio(held.w);",
  "void $;",
  "$;",
  "if ($.mapped) return;",
  "const make = () => $; this.initMmio(make());",
  "return void $;",
];

/** Where they stand, at @. */
const contexts = [
  "@",
  "for (let i = 0; i < 2; i++) { @ }",
  "for (let i = 0; i !== 2; i += 1) { @ }",
  "while (this.n++ < 2) { @ }",
  "for (const each of [1, 2]) { void each; @ }",
  "[1, 2].forEach(() => { @ });",
  "if (this.on) { @ }",
  "try { @ } catch { this.on = false; }",
  "(function (this: Dut) { @ }).call(this);",
  "class Inner { run(this: Dut) { @ } } void Inner;",
];

function programOf(made: readonly string[], name: (index: number) => string): string {
  const bodies = [
    ...made.flatMap((each) => holders.map((holder) => holder.replace("$", () => each))),
    ...contexts.flatMap((context) =>
      holders.map((holder) => context.replace("@", () => holder.replace("$", () => made[0] ?? ""))),
    ),
  ];
  const classes = bodies.map(
    (body, index) => `export class ${name(index)} extends SysBusDevice {
  on = true;
  private n = 0;
  private one!: MemoryRegion;
  private readonly list: MemoryRegion[] = [];
  private readonly map = new Map<string, MemoryRegion>();
  private readonly record: Record<string, MemoryRegion> = {};
  protected override realize(): void {
    ${body.replaceAll("Dut", name(index))}
  }
}
`,
  );
  return head + classes.join("\n");
}

/** Classes with another number of regions in the report than of creations in the text: one each. */
function miscounted(made: readonly string[], direction: Direction): string[] {
  const name = (index: number) => `Dut${index}`;
  const text = programOf(made, name);
  const { sites } = runCodemodOn({ "creations.ts": text }, direction, { directory, project });
  const counts = new Map<string, number>();
  const lines = text.split("\n");
  for (const { line } of sites) {
    const above = lines.slice(0, line).findLast((each) => each.startsWith("export class "));
    const found = above?.split(" ")[2] ?? "";
    counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  return text
    .split("export class ")
    .slice(1)
    .flatMap((each) => {
      const count = counts.get(each.split(" ")[0] ?? "") ?? 0;
      return count === 1 ? [] : [`${count}: ${each.split("\n")[8]?.trim()}`];
    });
}

const creations = [
  'MemoryRegion.newIo(this, ops, this, "w", 4)',
  '(MemoryRegion).newRam(this, "w", 4)',
  'MemoryRegion!.newRam(this, "w", 4)',
  'MemoryRegion?.newRam(this, "w", 4)',
  '(MemoryRegion as any).newRam(this, "w", 4)',
  'MemoryRegion["newRam"](this, "w", 4)',
  'MemoryRegion[`newRam`](this, "w", 4)',
  'MemoryRegion.newRam.call(MemoryRegion, this, "w", 4)',
  'Region.newRam(this, "w", 4)',
  '/* a */ MemoryRegion /* b */.newRam(this, "w", 4)',
];
const storages = [
  "this.embed(MemoryRegion)",
  "(this).embed(MemoryRegion)",
  'this["embed"](MemoryRegion)',
  "this.model.allocate(MemoryRegion)",
  "this.model.create(MemoryRegion)",
  'this.newChild("w", MemoryRegion)',
  "new MemoryRegion(this)",
];

test.each(["to-embedded", "to-owned"] as const)("creations, %s", (direction) => {
  expect(miscounted(creations, direction)).toEqual([]);
});

test.each(["to-embedded", "to-owned"] as const)("storage, %s", (direction) => {
  expect(miscounted(storages, direction)).toEqual([]);
});
