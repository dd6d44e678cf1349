/** The verify phase in the pipeline: what the compiler finds becomes the refusal of a class. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Converted, runCodemodOn } from "../harness.ts";
import type { Direction } from "../regions/facts.ts";
import { Scratch } from "../testing/scratch.ts";
import { compilePlan } from "./phase.ts";

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

function convert(files: Readonly<Record<string, string>>, direction: Direction): Converted {
  return runCodemodOn(files, direction, { directory: scratch.root, verify: compilePlan });
}

function device(name: string, ...members: string[]): string {
  return [
    'import { MemoryRegion, type MemoryRegionOps } from "#memory";',
    'import { SysBusDevice } from "#qdev";',
    `export class ${name} extends SysBusDevice {`,
    ...members.map((member) => `  ${member}`),
    "}",
    "const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };",
    "",
  ].join("\n");
}

const owned = (name: string) =>
  device(
    name,
    "protected override realize(): void {",
    '  const io = MemoryRegion.newIo(this, ops, this, "io", 0x40);',
    "  this.initMmio(io);",
    "}",
  );

/** A type that a device fits as long as it has no private field of that name. */
const shape = (name: string) =>
  [
    `import { ${name} } from "./${name.toLowerCase()}.ts";`,
    "interface Resettable { reset(): void; io?: number }",
    `export const resettable: Resettable = new ${name}();`,
    "",
  ].join("\n");

test("a field that does not fit what other code expects of the class refuses it, and no other class", () => {
  const files = { "one.ts": owned("One"), "two.ts": owned("Two"), "user.ts": shape("One") };
  const { texts, refusals, sites } = convert(files, "to-embedded");
  expect(refusals).toEqual(["3 One.io would-not-compile"]);
  expect(sites[0]?.detail).toMatch(/user\.ts: TS2322: .*Property 'io' is private in type 'One'/);
  expect(texts.get("one.ts")).toBe(files["one.ts"]);
  expect(texts.get("two.ts")).toContain("private readonly io = this.embed(MemoryRegion);");
});

test("without the phase the same conversion is planned", () => {
  const files = { "one.ts": owned("One"), "user.ts": shape("One") };
  const { refusals } = runCodemodOn(files, "to-embedded", { directory: scratch.root });
  expect(refusals).toEqual([]);
});

test("the message is shown at its place in the class, as the source is now", () => {
  const strict = device(
    "Strict",
    "readonly io = this.embed(MemoryRegion);",
    "protected override realize(): void {",
    '  this.io.initIo(this, ops, this, "io", 0x40);',
    "  this.initMmio(this.io);",
    "}",
    "check(): boolean {",
    '  const exact: Same<Pick<Strict, "io">, { readonly io: MemoryRegion }> = true;',
    "  return exact;",
    "}",
  );
  const same =
    "type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;";
  const { refusals, sites } = convert({ "strict.ts": `${strict}${same}\n` }, "to-owned");
  expect(refusals).toEqual(["10 Strict.io would-not-compile"]);
  expect(sites[0]?.detail).toBe("TS2322: Type 'true' is not assignable to type 'false'.");
});
