import { expect, test } from "vitest";
import { factsOf } from "./class-facts.ts";

const facts = (text: string) => factsOf("/device.ts", text);

test("what a board can set, read and call", () => {
  const [only] = facts(`class Dut extends SysBusDevice {
    static shared = true;
    size = 0x10;
    big = false;
    label = "x";
    readonly fixed = 1;
    private hidden = 1;
    #secret = 1;
    made = make();
    get level(): number { return 1; }
    private get own(): number { return 1; }
    move(offset: number, hard = true): void {}
    link(other: Dut): void {}
    protected inner(): void {}
    override reset(): void {}
  }`).classes;
  expect(only).toMatchObject({
    className: "Dut",
    abstract: false,
    base: "SysBusDevice",
    needsArguments: false,
    fields: { size: 16, big: false, label: "x" },
    getters: ["level"],
    methods: [{ name: "move", parameters: ["number"] }],
  });
});

test("every class is exported under a name of its own, wherever it is declared", () => {
  const { classes, appendix, hidden } = facts(`export class One extends Base {}
abstract class Two extends ns.Base {}
export default class extends Base { constructor(storage: Storage, size: number) { super(storage); } }
class Plain {}
const mixin = (Base: Ctor) => class Three extends Base {};
`);
  expect(classes.map(({ className, exportName, base }) => [className, exportName, base])).toEqual([
    ["One", "__proved_One", "Base"],
    ["Two", "__proved_Two", null],
    ["default", "default", "Base"],
    ["Plain", "__proved_Plain", null],
  ]);
  expect(classes.map((each) => [each.abstract, each.extends, each.needsArguments])).toEqual([
    [false, true, false],
    [true, true, false],
    [false, true, true],
    [false, false, false],
  ]);
  expect(appendix).toContain("export { Two as __proved_Two };");
  expect(hidden).toEqual(["Three"]);
});

test("whom exercise is for, and who registers types", () => {
  expect(facts("class A {}\nexport function exercise(dev: A) {}").exercises).toBe("A");
  expect(facts("export function exercise(dev: Other) {}").exercises).toBe("");
  expect(facts("export function other() {}").exercises).toBeNull();
  expect(facts("export function registerTypes(registry: T) {}").registersTypes).toBe(true);
});
