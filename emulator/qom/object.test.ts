import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Container, ObjectModel, ObjectState, QomAbort, QomError, QomObject } from "#qom";

/** Records the order of hooks. */
const events: string[] = [];

class Base extends QomObject {
  static override readonly typeName: string = "base";
  static override readonly instanceSize: number = 100;
  static override readonly properties = [
    { name: "flag", type: "bool", get: () => true },
    {
      name: "level",
      type: "uint32",
      get: (base: Base) => base.level,
      set: (base: Base, value: unknown) => {
        base.level = Number(value);
      },
    },
  ];
  level = 1;

  protected override instanceInit(): void {
    events.push("init base");
  }
  protected override instanceFinalize(): void {
    events.push("finalize base");
  }
}

class Part extends QomObject {
  static override readonly typeName = "part";
  static override readonly instanceSize = 10;

  protected override instanceFinalize(): void {
    events.push(`finalize part, parent ${this.parent === null ? "gone" : "there"}`);
  }
  protected override onUnparent(): void {
    events.push(`unparent part, parent ${this.parent === null ? "gone" : "there"}`);
  }
}

class Leaf extends Base {
  static override readonly typeName = "leaf";
  readonly part = this.embed(Part);

  protected override instanceInit(): void {
    events.push("init leaf");
    this.initializeChild("part", this.part);
  }
  protected override instanceFinalize(): void {
    events.push("finalize leaf");
  }
}

function eventsOf(action: () => void): string[] {
  events.length = 0;
  action();
  return [...events];
}

describe("life of an object", () => {
  it("initialises from the root class to the leaf and finalizes the other way round, children first", () => {
    const model = new ObjectModel();
    let leaf!: Leaf; // assigned inside the recorded action
    expect(
      eventsOf(() => {
        leaf = model.create(Leaf);
      }),
    ).toEqual(["init base", "init leaf"]);
    expect(eventsOf(() => leaf.unref())).toEqual([
      "unparent part, parent there",
      "finalize part, parent gone",
      "finalize leaf",
      "finalize base",
    ]);
    expect(leaf.state).toBe(ObjectState.Freed);
    expect(leaf.part.state).toBe(ObjectState.Freed);
  });

  it("counts embedded objects in their parent's block and frees both at once", () => {
    const model = new ObjectModel();
    const before = model.heap.usage();
    const leaf = model.create(Leaf);
    expect(model.heap.usage().live - before.live).toBe(1);
    expect(leaf.block.bytes).toBe(110);
    expect(leaf.part.block).toBe(leaf.block);
    leaf.unref();
    expect(model.heap.usage().live).toBe(before.live);
    expect(model.heap.usage().byType.get("leaf")).toMatchObject({
      allocated: 1,
      freed: 1,
      live: 0,
      peak: 1,
      liveBytes: 0,
    });
  });

  it("leaks storage that was allocated by hand and initialised in place", () => {
    const model = new ObjectModel();
    const part = model.allocate(Part);
    model.initialize(part);
    part.unref();
    expect(part.state).toBe(ObjectState.Finalized);
    expect(model.heap.leaks().find((leak) => leak.typeName === "part")).toMatchObject({
      blocks: 1,
      bytes: 10,
    });
    model.freeBlockOf(part);
    expect(model.heap.leaks().some((leak) => leak.typeName === "part")).toBe(false);
    expect(() => model.freeBlockOf(part)).toThrow(QomAbort);
  });

  it("erases the free callback when storage is initialised again", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    expect(part.freesBlock).toBe(true);
    model.initialize(part);
    expect(part.freesBlock).toBe(false);
    part.unref();
    expect(part.state).toBe(ObjectState.Finalized); // and its storage is never freed
  });

  it("silently accepts a second initialisation of a live child, and aborts when the parent drops it twice", () => {
    const model = new ObjectModel({ checked: "count" });
    const root = model.create(Container);
    const part = model.allocate(Part);
    for (const name of ["part[0]", "part[1]"]) {
      model.initialize(part);
      expect(root.addChild("part[*]", part)).toBe(name);
      part.unref(); // the property holds it
    }
    expect(part.refCount).toBe(1); // yet two properties count on it
    expect([...root.children()].map(([, child]) => child)).toEqual([part, part]);
    expect(() => root.unref()).toThrow(/no reference left/);
    expect(model.detector?.found.map(({ name, touched }) => [name, touched])).toEqual([
      ["UseAfterFinalize", "unref()"],
    ]);
  });

  it("lets a held child survive its parent only if it has storage of its own", () => {
    const model = new ObjectModel();
    const leaf = model.create(Leaf);
    const own = model.create(Part);
    leaf.addChild("own", own);
    own.unref();
    own.ref();
    leaf.part.ref();
    leaf.unref();
    expect(own.state).toBe(ObjectState.Live);
    expect(leaf.part.state).toBe(ObjectState.Freed); // still referenced, but its storage went with the parent
    own.unref();
    expect(own.state).toBe(ObjectState.Freed);
  });

  it("aborts on one unref too many", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    part.unref();
    expect(() => part.unref()).toThrow(QomAbort);
  });

  it("aborts on a reference taken during finalization and kept", () => {
    class Phoenix extends QomObject {
      static override readonly typeName = "phoenix";
      protected override instanceFinalize(): void {
        this.ref();
      }
    }
    const model = new ObjectModel();
    const phoenix = model.create(Phoenix);
    expect(() => phoenix.unref()).toThrow(/referenced again/);
  });

  it("embeds only during construction, as the size of a C structure is fixed", () => {
    class Late extends QomObject {
      static override readonly typeName = "late";
      parts: Part[] = [];
      override instanceInit(): void {}
      grow(): void {
        this.parts = this.embedArray(Part, 2);
      }
    }
    class Initialising extends Late {
      static override readonly typeName = "late";
      override instanceInit(): void {
        this.grow();
      }
    }
    const model = new ObjectModel();
    const before = model.heap.usage().liveBytes;
    const late = model.create(Late);
    expect(() => late.grow()).toThrow(/embeds a part after its construction/);
    expect(() => model.create(Initialising)).toThrow(QomAbort);
    expect(() => model.allocate(Late).grow()).toThrow(QomAbort); // constructed, though not yet initialised
    expect(model.heap.usage().liveBytes - before).toBe(3 * Late.instanceSize);
  });

  it("records allocation stacks for the leak report when asked", () => {
    const model = new ObjectModel({ recordStacks: true });
    model.create(Part);
    const leak = model.heap.leaks().find((each) => each.typeName === "part");
    expect(leak?.allocatedAt[0]).toContain("object.test.ts");
  });
});

describe("misuse of an object", () => {
  it("aborts on an implausible reference count", () => {
    const part = new ObjectModel().create(Part);
    Object.assign(part, { references: 0x7fff_ffff });
    expect(() => part.ref()).toThrow(/overflows/);
  });

  it("aborts when someone else drops the reference that the tree holds", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    model.root.addChild("part", part);
    part.unref();
    expect(() => part.unref()).toThrow(/finalized while it had a parent/);
  });

  it("does not finalize freed storage again when a late reference is dropped", () => {
    const model = new ObjectModel();
    const leaf = model.create(Leaf);
    leaf.part.ref();
    leaf.unref();
    expect(eventsOf(() => leaf.part.unref())).toEqual([]);
    expect(leaf.part.state).toBe(ObjectState.Freed);
  });
});

describe("composition tree", () => {
  it("gives [*] names the lowest free index and reuses indices", () => {
    const model = new ObjectModel();
    const names = Array.from({ length: 3 }, () => model.root.addChild("part[*]", model.create(Part)));
    expect(names).toEqual(["part[0]", "part[1]", "part[2]"]);
    model.resolvePath("/part[1]").unparent();
    expect(model.root.addChild("part[*]", model.create(Part))).toBe("part[1]");
    expect(model.root.addChild("part[*]", model.create(Part))).toBe("part[3]");
  });

  it("refuses a taken name and a second parent", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    model.root.addChild("part", part);
    expect(() => model.root.addChild("part", model.create(Part))).toThrow(
      /already has a property named part/,
    );
    expect(() => model.root.addChild("other", part)).toThrow(/already has a parent/);
  });

  it("builds and resolves canonical paths", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    model.unattached.addChild("part", part);
    expect(part.canonicalPath()).toBe("/machine/unattached/part");
    expect(model.resolvePath("/machine/unattached/part")).toBe(part);
    expect(() => model.resolvePath("/machine/nowhere")).toThrow(QomError);
    expect(model.create(Part).canonicalPath()).toBeUndefined();
  });

  it("unparents once and does nothing without a parent", () => {
    const model = new ObjectModel();
    const part = model.create(Part);
    model.root.addChild("part", part);
    part.unparent();
    expect(part.refCount).toBe(1);
    part.unparent();
    expect(part.refCount).toBe(1);
    expect(model.root.child("part")).toBeUndefined();
  });

  it("calls the unparent hook once, even if the hook unparents again", () => {
    let calls = 0;
    class Eager extends QomObject {
      static override readonly typeName = "eager";
      protected override onUnparent(): void {
        if (++calls < 3) this.unparent();
      }
    }
    const model = new ObjectModel();
    const eager = model.create(Eager);
    model.root.addChild("eager", eager);
    eager.unparent();
    expect([calls, eager.refCount, eager.parent]).toEqual([1, 1, null]);
    expect(model.root.child("eager")).toBeUndefined();
  });

  it("releases a child once when its hook drops the last reference to the parent", () => {
    const model = new ObjectModel();
    const parent = model.create(Container);
    let calls = 0;
    class Heavy extends QomObject {
      static override readonly typeName = "heavy";
      protected override onUnparent(): void {
        if (++calls === 1) parent.unref();
      }
    }
    const heavy = model.create(Heavy);
    parent.addChild("heavy", heavy);
    heavy.unparent();
    expect([calls, heavy.refCount, heavy.parent, parent.state]).toEqual([1, 1, null, ObjectState.Freed]);
  });

  it("gives out 32767 indices for one name, and aborts on one more", () => {
    const holder = new ObjectModel().create(Container);
    for (let index = 0; index < 32767; index++) holder.addLink("link[*]", "part", null, false);
    expect(holder.link("link[32766]")).toBeNull();
    expect(() => holder.addLink("link[*]", "part", null, false)).toThrow(/no index is free/);
  });

  it("releases a child in steps: hook, parent, reference, and only then the name", () => {
    const model = new ObjectModel();
    const parent = model.create(Container);
    const seen: unknown[] = [];
    class Watched extends QomObject {
      static override readonly typeName = "watched";
      protected override onUnparent(): void {
        seen.push(["hook", this.parent === parent, parent.child("watched") === this]);
      }
      protected override instanceFinalize(): void {
        seen.push(["finalizer", this.parent === parent, parent.child("watched") === this]);
        expect(() => parent.addChild("watched", model.create(Part))).toThrow(/already has a property/);
      }
    }
    const watched = model.create(Watched);
    parent.addChild("watched", watched);
    watched.unref();
    watched.unparent();
    expect(seen).toEqual([
      ["hook", true, true],
      ["finalizer", false, true],
    ]);
    expect(parent.child("watched")).toBeUndefined();
  });

  it("keeps the names of released children until the last child of an ending parent is released", () => {
    const model = new ObjectModel();
    const parent = model.create(Container);
    const left: string[][] = [];
    class Counted extends QomObject {
      static override readonly typeName = "counted";
      protected override instanceFinalize(): void {
        left.push([...parent.children()].map(([name]) => name));
      }
    }
    for (const name of ["one", "two"]) {
      const child = model.create(Counted);
      parent.addChild(name, child);
      child.unref();
    }
    parent.unref();
    expect(left).toEqual([
      ["one", "two"],
      ["one", "two"],
    ]);
  });

  it("releases children in an unspecified order, that of a seed, each exactly once", () => {
    const orderOf = (releaseOrder: number | undefined) => {
      const model = new ObjectModel(releaseOrder === undefined ? {} : { releaseOrder });
      const order: string[] = [];
      class Ending extends QomObject {
        static override readonly typeName = "ending";
        protected override onUnparent(): void {
          order.push(this.nameInParent);
          if (this.nameInParent === "e[3]") this.parent?.addChild("late", model.create(Part));
        }
      }
      const parent = model.create(Container);
      for (let index = 0; index < 6; index++) {
        const child = model.create(Ending);
        parent.addChild("e[*]", child);
        child.unref();
      }
      parent.unref();
      return order;
    };
    const all = [0, 1, 2, 3, 4, 5].map((index) => `e[${index}]`);
    expect(orderOf(undefined)).toEqual(all);
    const orders = [1, 2, 3, 4].map((seed) => orderOf(seed));
    for (const order of orders) expect(order.toSorted()).toEqual(all);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
    expect(orderOf(1)).toEqual(orders[0]);
  });

  it("gives out the lowest free index after any additions and removals", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ do: fc.constantFrom("add" as const, "remove" as const), index: fc.nat({ max: 12 }) }),
            fc.record({ do: fc.constant("auto" as const), index: fc.constant(0) }),
          ),
          { maxLength: 60 },
        ),
        (steps) => {
          const model = new ObjectModel();
          const taken = new Set<number>();
          for (const step of steps) {
            const name = `r[${step.index}]`;
            if (step.do === "auto") {
              let free = 0;
              while (taken.has(free)) free++;
              expect(model.root.addChild("r[*]", model.create(Part))).toBe(`r[${free}]`);
              taken.add(free);
            } else if (step.do === "add" && !taken.has(step.index)) {
              model.root.addChild(name, model.create(Part));
              taken.add(step.index);
            } else if (step.do === "remove" && taken.delete(step.index)) {
              model.root.child(name)?.unparent();
            }
          }
        },
      ),
    );
  });

  it("counts strong links and not weak ones", () => {
    const model = new ObjectModel();
    const target = model.create(Part);
    const holder = model.create(Container);
    holder.addLink("weak", "part", target, false);
    expect(target.refCount).toBe(1);
    holder.addLink("strong", "part", target, true);
    expect(target.refCount).toBe(2);
    const other = model.create(Part);
    holder.setLink("strong", other);
    expect([target.refCount, other.refCount]).toEqual([1, 2]);
    holder.unref();
    expect(other.refCount).toBe(1);
  });

  it("restarts the deletion of properties when a release changes the table", () => {
    class Remover extends QomObject {
      static override readonly typeName = "remover";
      protected override onUnparent(): void {
        this.parent?.child("victim")?.unparent();
      }
    }
    const model = new ObjectModel();
    const parent = model.create(Container);
    const remover = model.create(Remover);
    parent.addChild("remover", remover);
    const victim = model.create(Part);
    parent.addChild("victim", victim);
    parent.unref();
    expect([remover.refCount, victim.refCount]).toEqual([1, 1]);
  });
});

describe("class properties", () => {
  it("are inherited, read and written by name", () => {
    const model = new ObjectModel();
    const leaf = model.create(Leaf);
    leaf.setProperty("level", 5);
    expect(leaf.getProperty("level")).toBe(5);
    expect(() => leaf.setProperty("flag", false)).toThrow(/read only/);
    expect(() => leaf.getProperty("size")).toThrow(/no property named size/);
  });

  it("types are found by name, and the error lists the known ones", () => {
    const model = new ObjectModel();
    model.types.register(Leaf);
    expect(model.types.lookup("leaf")).toBe(Leaf);
    expect(model.types.isA(Leaf, "base")).toBe(true);
    expect(() => model.types.lookup("leef")).toThrow(
      /unknown device type "leef"; known types: container, leaf/,
    );
  });
});
