import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectModel, ObjectState, QomAbort, QomObject } from "#qom";

class Child extends QomObject {
  static override readonly typeName: string = "child";
  static override readonly instanceSize: number = 10;
  /** Whether its parent had already been finalized when it was; null until then. */
  finalizedAfterParent: boolean | null = null;
  holder: QomObject | null = null;

  protected override instanceFinalize(): void {
    this.finalizedAfterParent = this.holder !== null && this.holder.state >= ObjectState.Finalized;
  }
}

abstract class Parent extends QomObject {
  static override readonly instanceSize: number = 100;
  abstract readonly first: Child;

  /** Makes one more allocated child. */
  another(name: string): Child {
    return this.newChild(name, Child);
  }
}

class Embedding extends Parent {
  static override readonly typeName = "embedding";
  override readonly first = this.embed(Child);

  protected override instanceInit(): void {
    this.initializeChild("first", this.first);
    this.first.holder = this;
  }
}

class Allocating extends Parent {
  static override readonly typeName = "allocating";
  private made: Child | null = null;

  override get first(): Child {
    if (this.made === null) throw new Error("instanceInit has not run");
    return this.made;
  }

  protected override instanceInit(): void {
    this.made = this.newChild("first", Child);
    this.made.holder = this;
  }
}

/** Blocks and bytes that `model` holds beyond those of an empty model. */
function held(model: ObjectModel): [blocks: number, bytes: number] {
  const [now, empty] = [model.heap.usage(), new ObjectModel().heap.usage()];
  return [now.live - empty.live, now.liveBytes - empty.liveBytes];
}

describe("an allocated child", () => {
  it("has a block of its own, where an embedded one adds to its parent's", () => {
    const embedding = new ObjectModel();
    embedding.create(Embedding);
    expect(held(embedding)).toEqual([1, 110]);
    const allocating = new ObjectModel();
    const parent = allocating.create(Allocating);
    expect(held(allocating)).toEqual([2, 110]);
    expect(parent.block.bytes).toBe(100);
    expect(parent.first.block.bytes).toBe(10);
  });

  it.each([Embedding, Allocating])("is in the tree, referenced by its property alone (%o)", (type) => {
    const parent = new ObjectModel().create<Parent>(type);
    expect([...parent.children()]).toEqual([["first", parent.first]]);
    expect(parent.first.parent).toBe(parent);
    expect(parent.first.refCount).toBe(1);
  });

  it.each([Embedding, Allocating])("goes with its parent, before the parent's finalizer (%o)", (type) => {
    const model = new ObjectModel();
    const parent = model.create<Parent>(type);
    const { first } = parent;
    parent.unref();
    expect(first.finalizedAfterParent).toBe(false);
    expect(first.state).toBe(ObjectState.Freed);
    expect(held(model)).toEqual([0, 0]);
  });

  it("gives back its block when it is unparented, where an embedded one keeps the storage", () => {
    const allocating = new ObjectModel();
    allocating.create(Allocating).first.unparent();
    expect(held(allocating)).toEqual([1, 100]);
    const embedding = new ObjectModel();
    const parent = embedding.create(Embedding);
    parent.first.unparent();
    expect(parent.first.state).toBe(ObjectState.Finalized);
    expect(held(embedding)).toEqual([1, 110]);
  });

  it("outlives its parent while it is referenced, where an embedded one is freed under the holder", () => {
    const allocating = new ObjectModel({ checked: "count" });
    const owner = allocating.create(Allocating);
    const survivor = owner.first;
    survivor.ref();
    owner.unref();
    expect(survivor.state).toBe(ObjectState.Live);
    expect(survivor.parent).toBeNull();
    expect(held(allocating)).toEqual([1, 10]);
    survivor.unref();
    expect(held(allocating)).toEqual([0, 0]);
    expect(allocating.detector?.found).toEqual([]);
    expect(survivor.finalizedAfterParent).toBe(true); // itself a use after free, hence last

    const embedding = new ObjectModel({ checked: "count" });
    const embedder = embedding.create(Embedding);
    const victim = embedder.first;
    victim.ref();
    embedder.unref();
    expect(held(embedding)).toEqual([0, 0]);
    victim.unref();
    expect(embedding.detector?.found.map(({ name, touched }) => [name, touched])).toEqual([
      ["UseAfterFree", "unref()"],
    ]);
  });

  it("leaves nothing allocated when its name is taken", () => {
    const model = new ObjectModel();
    const parent = model.create(Allocating);
    expect(() => parent.another("first")).toThrow(QomAbort);
    expect(held(model)).toEqual([2, 110]);
  });

  it("takes the lowest free index, as an embedded one does", () => {
    const parent = new ObjectModel().create(Allocating);
    const names = ["port[*]", "port[*]"].map((name) => parent.another(name).nameInParent);
    expect(names).toEqual(["port[0]", "port[1]"]);
    parent.child("port[0]")?.unparent();
    expect(parent.another("port[*]").nameInParent).toBe("port[0]");
  });

  it("keeps one block per child that is held or in the tree, whatever the order of releases", () => {
    const step = fc.record({
      act: fc.constantFrom("make", "hold", "drop", "unparent"),
      index: fc.nat(7),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const model = new ObjectModel();
        const parent = model.create(Allocating);
        const all = [{ child: parent.first, inTree: true, holds: 0 }];
        const isAlive = (each: { inTree: boolean; holds: number }) => each.inTree || each.holds > 0;
        const check = (parents: number) => {
          const alive = all.filter(isAlive).length;
          expect(held(model)).toEqual([alive + parents, 10 * alive + 100 * parents]);
        };
        for (const { act, index } of steps) {
          if (act === "make") all.push({ child: parent.another("more[*]"), inTree: true, holds: 0 });
          const each = all[index % all.length];
          if (each === undefined || !isAlive(each)) continue;
          if (act === "hold") {
            each.child.ref();
            each.holds++;
          } else if (act === "drop" && each.holds > 0) {
            each.holds--;
            each.child.unref();
          } else if (act === "unparent") {
            each.inTree = false;
            each.child.unparent();
          }
          check(1);
        }
        parent.unref();
        for (const each of all) each.inTree = false;
        check(0);
      }),
    );
  });
});
