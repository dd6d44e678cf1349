/** The many ways to the same few hazards: through getters, lists, callbacks, other objects. */
import { describe, expect, test } from "vitest";
import { DeviceConverter } from "../testing/one-device.ts";

const converter = new DeviceConverter();
const field = "private readonly region = this.embed(MemoryRegion);";
const create = 'this.region.initIo(this, ops, this, "dut", 0x100);';
const realize = `protected override realize(): void { ${create} this.initMmio(this.region); }`;

function toOwned(...members: string[]): readonly string[] {
  return converter.convert("to-owned", [field, ...members].join("\n")).refusals;
}

describe("a leaf that is unparented", () => {
  test.each([
    ["by name", "drop(): void { this.region.unparent(); }"],
    ["through a variable", "drop(): void { const r = this.region; r.unparent(); }"],
    ["through a getter", "get r(): MemoryRegion { return this.region; } drop(): void { this.r.unparent(); }"],
    [
      "through a method",
      "give(): MemoryRegion { return this.region; } drop(): void { this.give().unparent(); }",
    ],
    ["in a list", "drop(): void { for (const r of [this.region]) r.unparent(); }"],
    ["in a callback", "drop(): void { [this.region].forEach((r) => r.unparent()); }"],
    ["from a set", "drop(): void { for (const r of new Set([this.region])) r.unparent(); }"],
    [
      "in a list that is filled",
      "drop(): void { const l: MemoryRegion[] = []; l.push(this.region); l[0]?.unparent(); }",
    ],
    ["in a record", "drop(): void { const s = { r: this.region }; s.r.unparent(); }"],
    ["by destructuring", "drop(): void { const { region } = this; region.unparent(); }"],
    ["as a declared window", "drop(): void { this.mmioRegion(0).unparent(); }"],
    ["through a bracket", 'drop(): void { this["region"].unparent(); }'],
    [
      "by a condition's result",
      "drop(other: MemoryRegion): void { (other.mapped ? this.region : other).unparent(); }",
    ],
    [
      "in a closure",
      "undo = () => {}; drop(): void { this.undo = () => { const r = this.region; r.unparent(); }; }",
    ],
  ])("%s", (_way, member) => {
    expect(toOwned(realize, member)).toEqual(["region: leaf-unparented"]);
  });

  test("by a function that it is passed to", () => {
    const drop = "drop(): void { release(this.region); }";
    const release = "function release(r: MemoryRegion): void { r.unparent(); }";
    const { refusals } = converter.convert("to-owned", [field, realize, drop].join("\n"), release);
    expect(refusals).toEqual(["region: leaf-unparented"]);
  });
});

describe("a use that may come before the creation", () => {
  test.each([
    ...Object.entries({
      "`${this}`": "toString(): string { return this.region.name ?? ''; }",
      "+this": "valueOf(): number { return this.region.size; }",
      "(this as unknown as number) / 2": "[Symbol.toPrimitive](): number { return this.region.size; }",
      "Number(this)": "[Symbol.toPrimitive](): number { return this.region.size; }",
      "Math.max(1, this as unknown as number)": "valueOf(): number { return this.region.size; }",
      "[...this]": "*[Symbol.iterator](): Iterator<number> { yield this.region.size; }",
    }).map(([use, method]): [string, string] => [
      `by ${use}`,
      `${method} protected override realize(): void { const n = ${use}; ${create} this.initMmio(this.region); }`,
    ]),
    [
      "by a loop over the device",
      `*[Symbol.iterator](): Iterator<number> { yield this.region.size; }
       protected override realize(): void { for (const n of this) this.reset(); ${create} this.initMmio(this.region); }`,
    ],
    ["in a list that a field holds", `private readonly all = [this.region]; ${realize}`],
    [
      "in instanceInit",
      `protected override instanceInit(): void { this.initMmio(this.region); } protected override realize(): void { ${create} }`,
    ],
    [
      "in a callback that runs at once",
      `protected override realize(): void { [0].forEach(() => this.initMmio(this.region)); ${create} }`,
    ],
    [
      "in a function that calls back",
      `private run(work: () => void): void { work(); } protected override realize(): void { this.run(() => this.initMmio(this.region)); ${create} }`,
    ],
    [
      "where the device is turned into a text",
      `override toString(): string { return String(this.region.mapped); } protected override realize(): void { void \`\${this}\`; ${create} this.initMmio(this.region); }`,
    ],
    [
      "where the device is added to a text",
      `override toString(): string { return String(this.region.mapped); } protected override realize(): void { void ("" + this); ${create} this.initMmio(this.region); }`,
    ],
    ["in a setter", `set on(value: boolean) { this.region.setEnabled(value); } ${realize}`],
    [
      "in an option's setter",
      `static readonly properties = { on: { set: (d: Dut, on: boolean) => { d.region.setEnabled(on); } } }; ${realize}`,
    ],
    [
      "while a generator has not run",
      `private *steps(): Generator<number> { ${create} yield 1; } protected override realize(): void { const s = this.steps(); this.initMmio(this.region); for (const each of s) void each; }`,
    ],
    [
      "while a promise waits",
      `private async make(): Promise<void> { await Promise.resolve(); ${create} } protected override realize(): void { void this.make(); this.initMmio(this.region); }`,
    ],
    [
      "on another device",
      `peer: Dut | null = null; protected override realize(): void { ${create} this.initMmio(this.region); this.peer?.region.setEnabled(false); }`,
    ],
  ])("%s", (_way, members) => {
    expect(toOwned(members)).toEqual(["region: used-before-creation"]);
  });

  test("in a hook of the base class, before the derived class creates it", () => {
    const around = `abstract class Base extends SysBusDevice {
  protected abstract readonly region: MemoryRegion;
  protected abstract make(): void;
  protected override realize(): void { this.initMmio(this.region); this.make(); }
}`;
    const body = `protected override readonly region = this.embed(MemoryRegion);\nprotected override make(): void { ${create} }`;
    const { refusals } = converter.convert("to-owned", body, around, "Base");
    expect(refusals).toEqual(["region: used-before-creation"]);
  });
});

describe("what may run before realize, or without it", () => {
  const size = "void this.region.size;";
  const peer = (members: string) => `class Other extends SysBusDevice { ${members} }`;
  const emitter =
    "declare class Emitter { on(name: string, run: () => void): this; emit(name: string): boolean; }";
  test.each([
    ["onUnparent", `protected override onUnparent(): void { ${size} }`],
    [
      "an override of a method",
      `override addChild(n: string, c: MemoryRegion): string { ${size} return n; }`,
    ],
    [
      "an override that a base class has",
      "",
      `abstract class Base extends SysBusDevice {
  protected abstract readonly region: MemoryRegion; override describe(): string { return String(this.region.size); } }`,
    ],
    ["an override of a getter", `override get hotpluggable(): boolean { return this.region.mapped; }`],
    ["a field that overrides a method", `override describe = (): string => String(this.region.mapped);`],
    ["an option's method", "static readonly properties = [{ get(d: Dut) { return d.region.mapped; } }];"],
    [
      "a field of the model",
      `protected override instanceInit(): void { Object(this.model).onEvent = () => { ${size} }; }`,
    ],
    [
      "an object stored in the model",
      `protected override instanceInit(): void { Object(this.model).handler = { plug: () => { ${size} } }; }`,
    ],
    [
      "an option that a function makes",
      "static readonly properties = list();",
      "function list() { return [(d: Dut) => d.region.mapped]; }",
    ],
    ["an option of a getter", "static get properties() { return [(d: Dut) => d.region.mapped]; }"],
    [
      "an option in a list",
      "static readonly properties = list;",
      "const list = [(d: Dut) => d.region.mapped];",
    ],
    [
      "an accessor that an option names",
      `static readonly properties = ["on"]; get on(): boolean { return this.region.mapped; }`,
    ],
    [
      "an input's handler",
      `protected override instanceInit(): void { this.initGpioIn(1, () => { ${size} }); }`,
    ],
    ["a timer", `readonly timer = this.clock.at(1n, () => { ${size} });`],
    ["a method passed on", `readonly timer = this.clock.at(1n, this.tick); private tick(): void { ${size} }`],
    ["a listener", `readonly events = new Emitter().on("x", () => { ${size} });`, emitter],
    [
      "another test of the device",
      `optional = true; override describe(): string { return this.optional ? String(this.region.mapped) : ""; }`,
    ],
    [
      "a parent's instanceInit",
      `open(): void { ${size} }`,
      peer("kid = this.embed(Dut); protected override instanceInit(): void { this.kid.open(); }"),
    ],
    [
      "a parent's onUnparent",
      `open(): void { ${size} }`,
      peer("kid = this.embed(Dut); protected override onUnparent(): void { this.kid.open(); }"),
    ],
    [
      "a parent's constructor, by another method",
      `open(): void { this.shut(); } shut(): void { ${size} }`,
      peer("kid = this.embed(Dut); state = this.kid.open();"),
    ],
    [
      "another device's realize",
      `open(): void { ${size} }`,
      peer("kid: Dut | null = null; protected override realize(): void { this.kid?.open(); }"),
    ],
    [
      "a reset by another device's realize",
      `override reset(): void { ${size} }`,
      peer("kid: Dut | null = null; protected override realize(): void { this.kid?.reset(); }"),
    ],
    [
      "a parent that takes it out by a pattern",
      "",
      peer(
        "kid = this.embed(Dut); protected override instanceInit(): void { const { region } = this.kid; void region; }",
      ),
    ],
    [
      "a parent that takes a getter out by a pattern",
      `get open(): boolean { return this.region.mapped; }`,
      peer(
        "kid = this.embed(Dut); protected override instanceInit(): void { const { open } = this.kid; void open; }",
      ),
    ],
    [
      "a parent, by a bracket",
      `open(): void { ${size} }`,
      peer('kid = this.embed(Dut); protected override instanceInit(): void { this.kid["open"](); }'),
    ],
    [
      "a parent, by a static method",
      `static open(d: Dut): void { void d.region.size; }`,
      peer("kid = this.embed(Dut); protected override instanceInit(): void { Dut.open(this.kid); }"),
    ],
    [
      "a parent, by a function",
      "",
      `function open(_: number, d: Dut): void { void d.region.size; } ${peer("kid = this.embed(Dut); protected override instanceInit(): void { open(1, this.kid); }")}`,
    ],
    [
      "a parent of several",
      `open(): void { ${size} }`,
      peer(
        "kids = this.embedArray(Dut, 2); protected override realize(): void { for (const kid of this.kids) kid.open(); for (const kid of this.kids) kid.plug(); }",
      ),
    ],
    [
      "another device of the class",
      `open(): void { ${size} } peer: Dut | null = null; protected override instanceInit(): void { this.peer?.open(); }`,
    ],
    [
      "a derived device's method that the parent calls",
      `open(): void { ${size} }`,
      "class More extends Dut { shut(): void { this.open(); } } class Other extends SysBusDevice { kid = this.embed(More); protected override instanceInit(): void { this.kid.shut(); } }",
    ],
    [
      "a board's function before it plugs",
      "",
      "function open(d: Dut): void { void d.region.size; } function board(d: Dut): void { open(d); d.plug(); }",
    ],
    [
      "a board before it plugs",
      `open(): void { ${size} }`,
      "function board(d: Dut): void { d.open(); d.plug(); }",
    ],
  ])("%s", (way, members, around = "") => {
    const base = around.includes("class Base") ? "Base" : "SysBusDevice";
    const declared =
      base === "Base" ? field.replace("private", "protected override") : field.replace("private ", "");
    const { refusals } = converter.convert("to-owned", [declared, realize, members].join("\n"), around, base);
    expect(refusals, way).toEqual(["region: used-before-creation"]);
  });

  test.each([
    [
      "realize emits an event",
      `readonly events = new Emitter(); protected override realize(): void {
  this.events.on("x", () => { ${size} }); this.events.emit("x"); ${create} this.initMmio(this.region); }`,
    ],
    [
      "realize sets an input",
      `protected override realize(): void {
  this.initGpioIn(1, () => { ${size} }); const input = this.gpioIn(0); input.set(true); ${create} this.initMmio(this.region); }`,
    ],
  ])("%s", (_way, members) => {
    const { refusals } = converter.convert("to-owned", [field, members].join("\n"), emitter);
    expect(refusals).toEqual(["region: used-before-creation"]);
  });

  test.each([
    [
      "onUnparent of a realized device",
      `protected override onUnparent(): void { if (this.realized) ${size} }`,
    ],
    [
      "an override for realized devices",
      `override describe(): string { if (!this.realized) return ""; return String(this.region.mapped); }`,
    ],
    [
      "a setter for realized devices",
      `set on(on: boolean) { if (on && this.realized) this.region.setEnabled(on); }`,
    ],
    [
      "an override that has plugged it",
      `override plugIntoSystemBus(): void { super.plugIntoSystemBus(); ${size} }`,
    ],
    [
      "an override that only its class calls",
      `protected override unimplementedRead(n: number): number { ${size} return n; }`,
    ],
    [
      "a public member of its own",
      `get open(): boolean { return this.region.mapped; } shut(): void { ${size} }`,
    ],
    [
      "a parent that plugs it",
      `open(): void { ${size} }`,
      peer(
        "kid = this.embed(Dut); protected override realize(): void { this.kid.plugIntoSystemBus(); this.kid.open(); }",
      ),
    ],
    [
      "a parent whose helper plugs it",
      `open(): void { ${size} }`,
      peer(
        "kid = this.embed(Dut); add(each: SysBusDevice): void { each.plug(); } protected override realize(): void { this.add(this.kid); this.kid.open(); }",
      ),
    ],
    [
      "a parent that asks first",
      `open(): void { ${size} }`,
      peer(
        "kid: Dut | null = null; protected override realize(): void { if (this.kid?.realized) this.kid.open(); }",
      ),
    ],
    [
      "another device at run time",
      `open(): void { ${size} }`,
      peer("kid: Dut | null = null; override reset(): void { this.kid?.open(); }"),
    ],
    [
      "a parent of several that it plugs",
      `open(): void { ${size} }`,
      peer(
        "kids = this.embedArray(Dut, 2); protected override realize(): void { for (const each of this.kids) { each.plug(); each.open(); } for (const kid of this.kids) kid.open(); }",
      ),
    ],
    [
      "a parent that plugs several by a callback",
      `open(): void { ${size} }`,
      peer(
        "kids = this.embedArray(Dut, 2); protected override realize(): void { this.kids.forEach((each) => each.plug()); for (const kid of this.kids) kid.open(); }",
      ),
    ],
    [
      "a function that the device itself calls",
      `static open(d: Dut): void { void d.region.size; } shut(): void { Dut.open(this); const self = this; self.shut(); }`,
    ],
    [
      "a board that has plugged it",
      `open(): void { ${size} }`,
      "function board(d: Dut): void { d.plug(); d.open(); d.plug(); }",
    ],
  ])("but not %s", (_way, members, around = "") => {
    const { refusals } = converter.convert("to-owned", [field, realize, members].join("\n"), around);
    expect(refusals).toEqual([]);
  });
});

describe("a creation that may run more than once", () => {
  const make = 'const region = MemoryRegion.newIo(this, ops, this, "dut", 0x100); this.initMmio(region);';
  test.each([
    [
      "a helper called twice",
      `protected override realize(): void { this.add(); this.add(); } private add(): void { ${make} }`,
    ],
    [
      "a helper called in a loop",
      `protected override realize(): void { for (const each of [1, 2]) { void each; this.add(); } } private add(): void { ${make} }`,
    ],
    [
      "recursion",
      `protected override realize(): void { this.add(2); } private add(n: number): void { ${make} if (n > 0) this.add(n - 1); }`,
    ],
    ["reset", `override reset(): void { ${make} }`],
    [
      "a callback of the clock",
      `protected override realize(): void { this.clock.at(1n, () => this.add()); } private add(): void { ${make} }`,
    ],
    [
      "a getter",
      'private get made(): MemoryRegion { const region = MemoryRegion.newRam(this, "dut", 8); return region; } protected override realize(): void { this.initMmio(this.made); this.initMmio(this.made); }',
    ],
  ])("%s", (_way, members) => {
    expect(converter.convert("to-embedded", members).refusals).toEqual(["region: created-many-times"]);
  });
});

describe("a hook that a derived class runs more than once", () => {
  const region = 'const region = MemoryRegion.newIo(this, ops, this, "dut", 0x100); this.initMmio(region);';
  const inRealize = `protected override realize(): void { ${region} }`;
  const inHelper = `protected override realize(): void { this.setUp(); } setUp(): void { ${region} }`;
  const inInit = `protected override instanceInit(): void { ${region} }`;
  const refusals = (members: string, derived: string) =>
    converter.convert("to-embedded", members, derived).refusals;

  test.each([
    ["twice", inRealize, "protected override realize(): void { super.realize(); super.realize(); }"],
    [
      "in a loop",
      inRealize,
      "banks = 3; protected override realize(): void { for (let i = 0; i < this.banks; i++) super.realize(); }",
    ],
    ["from reset", inRealize, "override reset(): void { super.realize(); }"],
    ["by its own name", inRealize, "override reset(): void { this.realize(); }"],
    ["by brackets", inRealize, 'override reset(): void { super["realize"](); }'],
    [
      "in a callback",
      inRealize,
      "protected override realize(): void { [1, 2].forEach(() => super.realize()); }",
    ],
    ["from reset, by a helper of the hook", inHelper, "override reset(): void { super.realize(); }"],
    [
      "although the model runs it",
      inInit,
      "protected override instanceInit(): void { super.instanceInit(); }",
    ],
    ["in another hook", inInit, "protected override realize(): void { super.instanceInit(); }"],
  ])("%s", (_way, members, derived) => {
    expect(refusals(members, `class Sub extends Dut { ${derived} }`)).toEqual(["region: created-many-times"]);
  });

  test("in a class in between", () => {
    const derived = `class Mid extends Dut { protected override realize(): void { super.realize(); } }
class Sub extends Mid { protected override realize(): void { super.realize(); super.realize(); } }`;
    expect(refusals(inRealize, derived)).toEqual(["region: created-many-times"]);
    expect(refusals(inHelper, derived)).toEqual(["region: created-many-times"]);
  });

  test("but once by each is fine", () => {
    const once = "protected override realize(): void { super.realize(); }";
    const derived = `class Mid extends Dut { ${once} }\nclass Sub extends Mid { ${once} }\nclass Other extends Dut { ${once} }`;
    expect(refusals(inRealize, derived)).toEqual([]);
    expect(refusals(inHelper, derived)).toEqual([]);
  });
});

describe("elements of an array in the loop that creates them", () => {
  const nest = (before: string, after: string) =>
    converter.convert(
      "to-owned",
      `private readonly nested = this.embedArray(MemoryRegion, 3);
protected override realize(): void {
  for (let i = 0; i < 3; i++) {
    ${before}
    this.nested[i]!.init(this, \`n\${i}\`, 0x100);
    ${after}
  }
}`,
    ).refusals;

  test.each([
    [
      "the one before, under a condition",
      "",
      "if (i > 0) this.nested[i - 1]!.addSubregion(0, this.nested[i]!);",
    ],
    ["the one before, first", "this.nested[i - 1]?.setEnabled(false);", "this.initMmio(this.nested[i]!);"],
  ])("%s", (_which, before, after) => {
    expect(nest(before, after)).toEqual([]);
  });

  test.each([
    ["its own too early", "void this.nested[i]!.mapped;", "", "used-before-creation"],
    ["the next one", "", "this.nested[i + 1]?.setEnabled(false);", "not-followed"],
    ["the first one", "", "if (i > 0) this.nested[0]!.addSubregion(0, this.nested[i]!);", "not-followed"],
    [
      "that of another index",
      "",
      "for (let i = 2; i >= 0; i--) this.nested[i]!.setEnabled(false);",
      "not-followed",
    ],
  ])("%s", (_which, before, after, reason) => {
    expect(nest(before, after)).toEqual([`nested: ${reason}`]);
  });
});

test("parentheses around a region make no expression of its initialisation", () => {
  const { text, refusals } = converter.convert(
    "to-owned",
    `${field}\n  protected override realize(): void {\n    (this.region).initIo(this, ops, this, "dut", 0x100);\n    this.initMmio(this.region);\n  }`,
  );
  expect(refusals).toEqual([]);
  expect(text).toContain('const region = MemoryRegion.newIo(this, ops, this, "dut", 0x100);');
  expect(
    toOwned('protected override realize(): void { (/* a */ this.region).initRam(this, "dut", 8); }'),
  ).toEqual(["region: created-in-expression"]);
});

test("the method of an initialisation, called on the region by other means, is an expression", () => {
  const call = 'MemoryRegion.prototype.initIo.call(this.region, this, ops, this, "dut", 0x100);';
  expect(toOwned(`protected override realize(): void { ${call} this.initMmio(this.region); }`)).toEqual([
    "region: created-in-expression",
  ]);
});

test("a device that is turned into a text when the region exists converts", () => {
  const text = "override toString(): string { return String(this.region.mapped); }";
  expect(toOwned(`${realize} ${text} override reset(): void { void \`\${this}\`; }`)).toEqual([]);
});

test("a test that holds in both forms does not stop a conversion", () => {
  const members = "readonly optional: boolean = true;";
  const uses = `protected override realize(): void { if (this.optional) { ${create} this.initMmio(this.region); } }
override reset(): void { if (this.optional) this.region.setEnabled(true); }`;
  expect(toOwned(members, uses)).toEqual([]);
  const changing = `${uses}\nwriteControl(value: number): void { this.optional = value > 0; }`;
  expect(toOwned("optional = true;", changing)).toEqual(["region: created-conditionally"]);
});

describe("methods that may run otherwise than they are written", () => {
  const twice =
    "function twice(fn: () => void, _: object) { return function (this: Dut) { fn.call(this); fn.call(this); }; }";
  const setUp = `private setUp(): void { ${create} this.initMmio(this.region); }`;
  const realizes = "protected override realize(): void { this.setUp(); }";

  test.each([
    ["a decorator that returns another method", `@twice ${setUp} ${realizes}`, twice],
    ["a decorator of another method", `@twice other(): void {} ${realize}`, twice],
    [
      "a decorator that adds an initializer",
      `@early other(): void {} ${realize}`,
      "function early(_: object, context: ClassMethodDecoratorContext) { context.addInitializer(() => {}); }",
    ],
    [
      "a decorator made by a function",
      `@made() other(): void {} ${realize}`,
      "function made() { return (_: object) => {}; }",
    ],
    ["a method put on the prototype", `${setUp} ${realizes}`, "Dut.prototype.reset = () => {};"],
    ["the prototype given away", `${setUp} ${realizes}`, "const given = Dut.prototype;"],
    ["a method put there by name", `${setUp} ${realizes}`, "Object.assign(Dut.prototype, { reset() {} });"],
    ["a method put there by a key", `${setUp} ${realizes}`, 'Dut.prototype["reset"] = () => {};'],
    ["a method deleted", `${setUp} ${realizes}`, "delete (Dut.prototype as Partial<Dut>).reset;"],
    ["a method put there by a pattern", `${setUp} ${realizes}`, "[Dut.prototype.reset] = [() => {}];"],
    [
      "a method put on a prototype further up",
      `${setUp} ${realizes}`,
      "Object.getPrototypeOf(Dut.prototype).reset = () => {};",
    ],
    [
      "a method put there by a variable",
      `${setUp} ${realizes}`,
      "function patch() { const proto = Dut.prototype; proto.reset = () => {}; }",
    ],
    [
      "the prototype passed on by a variable",
      `${setUp} ${realizes}`,
      "declare function patch(given: object): void; function go() { const proto = Dut.prototype; patch(proto); }",
    ],
  ])("%s", (_way, members, more) => {
    const { refusals } = converter.convert("to-owned", `${field}\n${members}`, more);
    expect(refusals).toEqual(["region: not-followed"]);
  });

  test.each([
    [
      "a decorator that only notes the name",
      `@noted ${setUp} ${realizes}`,
      "const seen: unknown[] = []; function noted(_: object, context: { name: unknown }) { seen.push(context.name); }",
    ],
    [
      "a method of the prototype called",
      `${setUp} ${realizes}`,
      "const reset = (each: Dut) => Dut.prototype.reset.call(each);",
    ],
    [
      "an instanceof test",
      `${setUp} ${realizes}`,
      'const isDut = (k: any) => typeof k === "function" && (k.prototype instanceof SysBusDevice || Dut.prototype instanceof k);',
    ],
    [
      "a list of the methods",
      `${setUp} ${realizes}`,
      'const names = Object.getOwnPropertyNames(Dut.prototype); const has = "reset" in Dut.prototype;',
    ],
    [
      "a walk up the prototypes",
      `${setUp} ${realizes}`,
      "function depth() { let n = 0; let p: object | null = Dut.prototype; while (p !== null) { n++; p = Object.getPrototypeOf(p); } return n; }",
    ],
  ])("but not %s", (_way, members, more) => {
    expect(converter.convert("to-owned", `${field}\n${members}`, more).refusals).toEqual([]);
  });
});
