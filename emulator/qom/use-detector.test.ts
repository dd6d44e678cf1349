import { describe, expect, it } from "vitest";
import { ObjectModel, QomObject, UseAfterFinalize, UseAfterFree } from "#qom";

class Part extends QomObject {
  static override readonly typeName = "part";
  static override readonly properties = [{ name: "constant", type: "uint32", get: () => 3, set: () => {} }];
  value = 7;
}

class Whole extends QomObject {
  static override readonly typeName: string = "whole";
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

  it("reports every operation of the base class on an ended object, with its kind", () => {
    const uses: Readonly<Record<string, (part: Part, other: QomObject) => unknown>> = {
      refCount: (part) => part.refCount,
      parent: (part) => part.parent,
      nameInParent: (part) => part.nameInParent,
      "ref()": (part) => part.ref(),
      "unparent()": (part) => part.unparent(),
      "addChild()": (part, other) => part.addChild("late", other),
      "addLink()": (part) => part.addLink("link", "part", null, false),
      "children()": (part) => part.children(),
      "child()": (part) => part.child("none"),
      "canonicalPath()": (part) => part.canonicalPath(),
      "getProperty()": (part) => part.getProperty("constant"),
      "setProperty()": (part) => part.setProperty("constant", 1),
      "field value": (part) => part.value,
    };
    for (const [name, use] of Object.entries(uses)) {
      for (const kind of ["UseAfterFinalize", "UseAfterFree"]) {
        const model = new ObjectModel({ checked: "count" });
        const whole = model.create(Whole);
        const { part } = whole;
        if (kind === "UseAfterFree") whole.unref();
        else part.unparent();
        use(part, model.create(Part));
        expect(model.detector?.found.map((each) => [each.name, each.touched])).toEqual([[kind, name]]);
      }
    }
  });

  it("reports what a finalizer does to a child, which has ended by then", () => {
    class Late extends Whole {
      static override readonly typeName = "late";
      protected override instanceFinalize(): void {
        this.part.unparent();
      }
    }
    const model = new ObjectModel({ checked: "count" });
    model.create(Late).unref();
    expect(model.detector?.found.map(({ name, touched }) => [name, touched])).toEqual([
      ["UseAfterFinalize", "unparent()"],
    ]);
  });

  it("reports an ended object as a child, but not in messages about it", () => {
    const model = new ObjectModel({ checked: "count" });
    const { part } = model.create(Whole);
    part.unparent();
    expect(part.describe()).toBe("part (without parent)");
    model.root.addChild("dead", part);
    expect(model.detector?.found.map(({ touched }) => touched)).toEqual(["parent", "ref()"]);
  });

  it("reports the removal of a property from a parent that the child's hook has ended", () => {
    class Heavy extends QomObject {
      static override readonly typeName = "heavy";
      holder: QomObject | null = null;
      protected override onUnparent(): void {
        this.holder?.unref();
      }
    }
    const model = new ObjectModel({ checked: "count" });
    const holder = model.create(Part);
    const heavy = model.create(Heavy);
    heavy.holder = holder;
    holder.addChild("heavy", heavy);
    heavy.unparent();
    expect(model.detector?.found.map(({ name, touched }) => [name, touched])).toEqual([
      ["UseAfterFree", "removal of a property"],
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
