import { describe, expect, it } from "vitest";
import { MemoryRegion, type ReferencePolicy, referencePolicies } from "#memory";
import { ObjectState, QomAbort } from "#qom";
import { EmbeddingOwner, Owner, testMemory } from "../testing.ts";

const POLICIES = Object.keys(referencePolicies) as ReferencePolicy[];

/** An owner with a region in it, and their counts. */
function owned(references: ReferencePolicy) {
  const memory = testMemory({ references });
  const owner = memory.model.create(Owner);
  const region = MemoryRegion.newRam(owner, "region", 0x1000);
  return { ...memory, owner, region, counts: () => [owner.refCount, region.refCount] };
}

describe("what a mapped region's container, view and section hold", () => {
  it.each([
    ["owner", [4, 1]],
    ["owner-7.2", [4, 1]],
    ["self", [1, 4]],
    ["owner+unparent", [4, 1]],
    ["self+unparent", [2, 4]], // the region holds its owner
  ] as const)("with %s: owner and region have the counts %j", (references, expected) => {
    const { model, root, region, counts } = owned(references);
    root.addSubregion(0x1000, region);
    model.rcu.drain();
    expect(counts()).toEqual(expected);
    root.delSubregion(region);
    model.rcu.drain();
    expect(counts()).toEqual([expected[0] === 4 ? 1 : expected[0], 1]);
  });
});

describe("the end of an owner whose region is still in a view", () => {
  it.each(POLICIES)("with %s", (references) => {
    const { model, root, owner, region } = owned(references);
    root.addSubregion(0x1000, region);
    root.delSubregion(region);
    owner.unref();
    const keepsOwner = references !== "self";
    expect(owner.state).toBe(keepsOwner ? ObjectState.Live : ObjectState.Freed);
    expect(region.state).toBe(ObjectState.Live);
    model.rcu.drain();
    // Nobody unparents the region of an owner that is no device: where it holds its owner, both stay.
    const stays = references === "self+unparent";
    expect(region.state).toBe(stays ? ObjectState.Live : ObjectState.Freed);
    if (stays) region.leaveOwner();
    expect([owner.state, region.state]).toEqual([ObjectState.Freed, ObjectState.Freed]);
  });
});

it("an embedded region may let go of its owner last, which then frees both", () => {
  const { model } = testMemory({ references: "self+unparent", checked: "throw" });
  const owner = model.create(EmbeddingOwner);
  owner.region.initRam(owner, "region", 0x1000);
  const { region } = owner;
  owner.unref();
  expect(owner.state).toBe(ObjectState.Live);
  region.leaveOwner();
  expect(owner.block.freed).toBe(true);
});

it("before 10.2, a region that ends inside a container of its owner aborts", () => {
  for (const references of ["owner", "owner-7.2"] as const) {
    const { model, owner, region } = owned(references);
    MemoryRegion.new(owner, "container", 0x2000).addSubregion(0, region);
    const end = () => region.unparent();
    if (references === "owner") expect(end).not.toThrow();
    else expect(end).toThrow(QomAbort);
    expect(model.transactionDepth).toBe(0);
  }
});
