import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AddressSpace,
  type FoundRange,
  type Mapping,
  MemoryRegion,
  type MemoryRegionOps,
  type ReferencePolicy,
  referencePolicies,
  WHOLE_ADDRESS_SPACE,
} from "#memory";
import { Bus, Device, DeviceModel, type HoldGraph, holdGraph } from "#qdev";
import type { QomObject } from "#qom";

const POLICIES = Object.keys(referencePolicies) as ReferencePolicy[];
const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {}, endianness: "little" };
const AT = 0x1000_0000;

class Lane extends Bus {
  static override readonly typeName = "holds-lane";
}

/** A container with a leaf, owned by the object model, and what a device may hold besides. */
class Part extends Device {
  static override readonly typeName = "holds-part";
  container: MemoryRegion | null = null;
  leaf: MemoryRegion | null = null;
  space: AddressSpace | null = null;
  lent: Mapping | null = null;

  protected override realize(): void {
    this.container = MemoryRegion.new(this, "container", 0x4000);
    this.leaf = MemoryRegion.newIo(this, ops, this, "leaf", 0x1000);
    this.container.addSubregion(0x1000, this.leaf);
  }
}

function machine(references: ReferencePolicy) {
  const model = new DeviceModel({ references });
  const root = MemoryRegion.new(model.noOwner, "system", WHOLE_ADDRESS_SPACE);
  model.systemMemory = root;
  return { model, root, space: new AddressSpace(model, root, "memory") };
}

/** Counts that the graph cannot explain, by object. */
function external({ holds }: HoldGraph): Map<unknown, number> {
  return new Map(holds.filter(({ reason }) => reason === "external").map(({ held, count }) => [held, count]));
}

/** Counts by holder and reason for one object, as `reason*count`. */
function reasonsOf({ holds }: HoldGraph, held: QomObject): string[] {
  return holds
    .filter((hold) => hold.held === held)
    .map(({ reason, count }) => `${reason}*${count}`)
    .sort();
}

describe("every count has a name", () => {
  it("of a mapped device, by the rules of QEMU", () => {
    const { model, root, space } = machine("owner");
    const part = model.create(Part);
    part.plug();
    root.addSubregion(AT, part.container as MemoryRegion);
    const mapping = space.map(AT + 0x1000, 4, false);
    model.rcu.drain();
    expect(reasonsOf(holdGraph(model), part)).toEqual([
      "foreign container*1",
      "map*1",
      "property*1",
      "section*1",
      "view*1",
    ]);
    part.ref();
    expect(reasonsOf(holdGraph(model), part)).toContain("external*1");
    expect(mapping).not.toBeNull();
  });

  it("of a device that has left its bus, until the end of the grace period", () => {
    const { model } = machine("owner");
    const lane = model.create(Lane);
    const part = model.create(Part);
    part.plug(lane);
    expect(reasonsOf(holdGraph(model), part)).toEqual(["bus*1", "property*1"]);
    part.remove();
    expect(reasonsOf(holdGraph(model), part)).toEqual(["bus*1"]);
    model.rcu.drain();
    expect(holdGraph(model).nodes).not.toContain(part);
  });

  it.each(POLICIES)(
    "whatever happens, with %s: only what the test itself holds is external",
    (references) => {
      const steps = fc.array(fc.tuple(fc.nat(10), fc.nat(2)), { maxLength: 40 });
      fc.assert(
        fc.property(steps, (schedule) => {
          const { model, root, space } = machine(references);
          const parts: Part[] = [];
          const held = new Map<QomObject, number>();
          const finds: FoundRange[] = [];
          for (const [step, which] of schedule) {
            const part = parts[which % Math.max(1, parts.length)];
            if (step === 0 || part === undefined) {
              const made = model.create(Part);
              made.plug();
              parts.push(made);
            } else if (part.container !== null && part.leaf !== null) act(step, part);
            checkCounts();
          }

          function act(step: number, part: Part): void {
            const { container, leaf } = part as { container: MemoryRegion; leaf: MemoryRegion };
            const isMapped = container.container !== null;
            if (step === 1 && !isMapped) root.addSubregion(AT + 0x10000 * parts.indexOf(part), container);
            else if (step === 2 && isMapped) root.delSubregion(container);
            else if (step === 3) part.space ??= new AddressSpace(model, container, "own");
            else if (step === 4) {
              part.space?.destroy();
              part.space = null;
            } else if (step === 5 && isMapped)
              part.lent ??= space.map(AT + 0x10000 * parts.indexOf(part) + 0x1000, 4, false);
            else if (step === 6 && part.lent !== null) {
              space.unmap(part.lent, 0);
              part.lent = null;
            } else if (step === 7) {
              model.rcu.drain();
              for (const range of finds.splice(0)) range.release();
            } else if (step === 10) {
              const range = root.find(AT + 0x10000 * parts.indexOf(part) + 0x1000, 4);
              if (range !== undefined) finds.push(range);
            } else if (step === 8) {
              const object = leaf.enabled ? leaf : part;
              object.ref();
              held.set(object, (held.get(object) ?? 0) + 1);
            } else if (step === 9) {
              for (const [object, count] of held) for (let i = 0; i < count; i++) object.unref();
              held.clear();
            }
          }

          function checkCounts(): void {
            const unexplained = external(holdGraph(model));
            const expected = new Map<unknown, number>(held);
            expected.set(model.root, 1); // the machine's own
            expect(unexplained).toEqual(expected);
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe("cycles", () => {
  const cyclesWith = (
    references: ReferencePolicy,
    arrange: (part: Part, at: ReturnType<typeof machine>) => void,
  ) => {
    const at = machine(references);
    const part = at.model.create(Part);
    part.plug();
    arrange(part, at);
    return holdGraph(at.model).cycles;
  };

  it("are found with their reasons, in order", () => {
    const [cycle, ...others] = cyclesWith("owner-7.2", () => {});
    expect(others).toEqual([]);
    expect(cycle?.map(({ reason }) => reason).sort()).toEqual(["own container", "property"]);
    expect(cycle?.map(({ held }) => held)).toEqual(
      cycle?.map((_, i) => cycle[(i + 1) % cycle.length]?.holder),
    );
  });

  it("go through an address space that the device is to destroy", () => {
    const arrange = (part: Part, { model }: ReturnType<typeof machine>) => {
      part.space = new AddressSpace(model, part.container as MemoryRegion, "own");
    };
    const [cycle] = cyclesWith("owner", arrange);
    expect(cycle?.map(({ reason }) => reason).sort()).toEqual(["field", "root"]);
    expect(cyclesWith("self", arrange)).toEqual([]);
  });

  it("are not reported between a bus and its devices", () => {
    const { model } = machine("owner");
    const part = model.create(Part);
    part.plug(model.create(Lane));
    expect(holdGraph(model).cycles).toEqual([]);
  });
});
