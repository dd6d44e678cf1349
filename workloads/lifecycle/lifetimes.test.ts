import { describe, expect, it } from "vitest";
import { REGION_FORMS } from "#machine";
import { QomAbort } from "#qom";
import { lifetimes } from "#workloads/lifecycle";
import { LifetimeMachine, lifetime } from "./lifetime.ts";
import { MAPPED_AT } from "./lifetimes.ts";
import { ANSWER } from "./specimens.ts";

describe.each(REGION_FORMS)("%s regions", (form) => {
  it.each(lifetimes())("$name: has the outcome that the rules predict, each time", (life) => {
    expect(life.run(form)).toEqual(life.expected[form]);
    expect(life.run(form)).toEqual(life.expected[form]);
  });

  it("leave a removed device accessible to the guest if it was not unmapped", () => {
    const { specimens, root, space, model } = new LifetimeMachine(form, {});
    const device = specimens.plain();
    root.addSubregion(MAPPED_AT, device.window);
    device.remove();
    model.rcu.drain();
    expect(space.read(MAPPED_AT, 4)).toBe(ANSWER);
    root.delSubregion(device.window);
    model.rcu.drain();
    expect(model.heap.usage().byType.get(device.qomType.typeName)).toMatchObject({ live: 0 });
  });

  it(`${form === "embedded" ? "abort" : "end"} with a device that was realized twice`, () => {
    const device = new LifetimeMachine(form, {}).specimens.plain();
    device.unplug();
    device.plug();
    expect([...device.children()].map(([name]) => name)).toEqual(["window[0]", "window[1]"]);
    const end = () => device.remove();
    if (form === "embedded") expect(end).toThrow(QomAbort);
    else expect(end).not.toThrow();
  });
});

it("the forms differ in at least half of all lifecycles", () => {
  const all = lifetimes();
  const different = all.filter(
    (life) => JSON.stringify(life.run("embedded")) !== JSON.stringify(life.run("owned")),
  );
  expect(2 * different.length).toBeGreaterThanOrEqual(all.length);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

describe("the instrument", () => {
  const planted = { name: "planted", description: "", rule: "", perRound: { embedded: {}, owned: {} } };

  it("counts a field once per round, however often it is read, and each kind of use separately", () => {
    const life = lifetime({
      ...planted,
      start: ({ specimens }) => {
        return () => {
          const device = specimens.plain();
          const { window } = device;
          window.unparent();
          for (let i = 0; i < 3; i++) void window.size;
          void window.name;
          device.remove();
          void window.size;
        };
      },
    });
    const rounds = life.rounds;
    expect(life.run("embedded")).toMatchObject({ usesAfterFinalize: 2 * rounds, usesAfterFree: rounds });
    expect(life.run("owned")).toMatchObject({ usesAfterFinalize: 0, usesAfterFree: 2 * rounds });
  });

  it("counts blocks and bytes of every round, but not one-time allocations of the first", () => {
    const life = lifetime({
      ...planted,
      start: ({ model }) => {
        model.heap.allocate("once", 1);
        return () => void model.heap.allocate("each", 7);
      },
    });
    expect(life.run("owned")).toMatchObject({ blocksUnfreed: life.rounds, bytesUnfreed: 7 * life.rounds });
  });

  it("rethrows errors that are not aborts of the model", () => {
    const life = lifetimes().find(({ name }) => name === "re-realize-then-remove");
    expect(life?.expected.embedded).not.toEqual(life?.expected.owned);
    const failing = lifetime({
      ...planted,
      start: () => () => {
        throw new TypeError("a fault of the scenario");
      },
    });
    expect(() => failing.run("embedded")).toThrow(/a fault of the scenario/);
  });
});
