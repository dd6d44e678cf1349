/** Where a region may go: what is understood converts, and nothing else does. */
import { describe, expect, test } from "vitest";
import { DeviceConverter } from "../testing/one-device.ts";

const converter = new DeviceConverter();
const head = `private readonly region = this.embed(MemoryRegion);
protected override realize(): void { this.region.initRam(this, "dut", 0x100); this.initMmio(this.region); }`;

function refusals(member: string, around = ""): readonly string[] {
  return converter.convert("to-owned", `${head}\n${member}`, around).refusals;
}

describe("understood", () => {
  test.each([
    ["a method of the region", "run(): void { this.region.setEnabled(false); }"],
    ["a property of the region", "run(): number { return this.region.size; }"],
    ["a variable", "run(): void { const r = this.region; r.setEnabled(false); }"],
    ["a list and a loop", "run(): void { for (const r of [this.region]) r.setEnabled(false); }"],
    ["a list and a callback", "run(): void { [this.region].map((r) => r.size); }"],
    ["a map", 'run(): void { new Map([["r", this.region]]).get("r")?.setEnabled(true); }'],
    [
      "a list that a field holds",
      "all: MemoryRegion[] = []; run(): void { this.all.push(this.region); this.all[0]?.setEnabled(true); }",
    ],
    ["a record", "run(): number { const s = { r: this.region }; return s.r.size; }"],
    ["a text", 'run(): string { return "" + this.region; }'],
    ["a pattern", "run(): number { const { region } = this; return region.size; }"],
    ["a result", "get r(): MemoryRegion { return this.region; } run(): number { return this.r.size; }"],
    ["a choice", "run(other: MemoryRegion): number { return (other.mapped ? this.region : other).size; }"],
    ["a cast", "run(): number { return (this.region as MemoryRegion).size; }"],
    ["a type", 'run(): Dut["region"] | undefined { return undefined; }'],
  ])("%s", (_what, member) => {
    expect(refusals(member)).toEqual([]);
  });

  test("a function of the program, and an object that it makes", () => {
    const around = `class Bank {
  readonly region: MemoryRegion;
  constructor(region: MemoryRegion) { this.region = region; }
  enable(): void { this.region.setEnabled(true); }
}
function bankOf(region: MemoryRegion): Bank { return new Bank(region); }`;
    expect(refusals("run(): void { bankOf(this.region).enable(); }", around)).toEqual([]);
  });
});

describe("not followed", () => {
  const around = "declare function lend(region: MemoryRegion): void;\ndeclare const anything: any;";
  test.each([
    ["a function without a body", "run(): void { lend(this.region); }"],
    ["a function of no type", "run(): void { anything(this.region); }"],
    ["a property of no type", "run(): void { anything.kept = this.region; }"],
    ["a promise", "async run(): Promise<MemoryRegion> { return this.region; }"],
    ["a generator", "*run(): Generator<MemoryRegion> { yield this.region; }"],
    ["a spread", "run(): void { lend(...([this.region] as const)); }"],
    ["an assertion that hides it", "run(): void { throw this.region; }"],
    ["a method taken off it", "run(): void { const f = this.region.setEnabled; void f; }"],
  ])("%s", (_what, member) => {
    expect(refusals(member, around)).toEqual(["region: not-followed"]);
  });
});
