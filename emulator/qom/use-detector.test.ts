import { describe, expect, it } from "vitest";
import { ObjectModel, QomObject, UseAfterFinalize, UseAfterFree } from "#qom";

class Part extends QomObject {
  static override readonly typeName = "part";
  value = 7;
}

class Whole extends QomObject {
  static override readonly typeName = "whole";
  readonly part = this.embed(Part);
  held = 1;

  protected override instanceInit(): void {
    this.initializeChild("part", this.part);
  }
}

describe("checked mode", () => {
  it("throws UseAfterFinalize until the storage is freed, with both stacks", () => {
    const model = new ObjectModel({ checked: "throw" });
    const { part } = model.create(Whole);
    part.unparent();
    expect(() => part.value).toThrow(UseAfterFinalize);
    try {
      void part.value;
    } catch (error) {
      expect((error as UseAfterFinalize).retiredAt).toContain("use-detector.test.ts");
      expect((error as UseAfterFinalize).stack).toContain("use-detector.test.ts");
    }
  });

  it("throws UseAfterFree once the block is freed, for the object and all it embeds", () => {
    const model = new ObjectModel({ checked: "throw" });
    const whole = model.create(Whole);
    const { part } = whole;
    whole.unref();
    expect(() => whole.held).toThrow(UseAfterFree);
    expect(() => part.value).toThrow(UseAfterFree);
    expect(() => part.ref()).toThrow(UseAfterFree);
  });

  it("detects a use of an embedded child that is still referenced after its parent's end", () => {
    const model = new ObjectModel({ checked: "throw" });
    const whole = model.create(Whole);
    const { part } = whole;
    part.ref();
    whole.unref();
    expect(() => part.value).toThrow(UseAfterFree);
  });

  it("counts instead of throwing when asked, and lets the stale value through", () => {
    const model = new ObjectModel({ checked: "count" });
    const whole = model.create(Whole);
    whole.unref();
    expect(whole.held).toBe(1);
    whole.held = 2;
    expect(model.detector?.found.map((each) => each.name)).toEqual(["UseAfterFree", "UseAfterFree"]);
  });

  it("counts the last unref of a child whose storage was freed, and does not finalize it again", () => {
    const model = new ObjectModel({ checked: "count" });
    const whole = model.create(Whole);
    const { part } = whole;
    part.ref();
    whole.unref();
    part.unref();
    expect(part.value).toBe(7);
    expect(model.detector?.found.map((each) => [each.name, each.touched])).toEqual([
      ["UseAfterFree", "unref()"],
      ["UseAfterFree", "field value"],
    ]);
  });

  it("detects tree operations on ended objects, although fields of the base class carry no traps", () => {
    const model = new ObjectModel({ checked: "count" });
    const whole = model.create(Whole);
    const { part } = whole;
    part.unparent();
    part.unparent();
    whole.unref();
    part.unparent();
    whole.addChild("late", model.create(Part));
    expect(model.detector?.found.map(({ name, touched }) => [name, touched])).toEqual([
      ["UseAfterFinalize", "unparent()"],
      ["UseAfterFree", "unparent()"],
      ["UseAfterFree", "addChild()"],
    ]);
  });

  it("removes the traps when embedded storage is initialised again", () => {
    const model = new ObjectModel({ checked: "throw" });
    const { part } = model.create(Whole);
    part.unparent();
    model.initialize(part);
    part.value = 3;
    expect(part.value).toBe(3);
  });
});

describe("fast mode", () => {
  it("has no detector and changes nothing", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    part.unref();
    expect(model.detector).toBeNull();
    expect(part.value).toBe(7);
  });
});
