import { describe, expect, it } from "vitest";
import { Rcu, RcuNode } from "#memory";

describe("RCU", () => {
  it("runs callbacks in the order they were queued, and those that they queue in the next grace period", () => {
    const rcu = new Rcu();
    const order: number[] = [];
    rcu.call(new RcuNode(), () => {
      order.push(1);
      rcu.call(new RcuNode(), () => order.push(3));
    });
    rcu.call(new RcuNode(), () => order.push(2));
    expect(rcu.poll()).toBe(2);
    expect(order).toEqual([1, 2]);
    rcu.drain();
    expect(order).toEqual([1, 2, 3]);
  });

  it("aborts on a second callback of a node whose first is still waiting, where QEMU would lose it", () => {
    const rcu = new Rcu();
    const node = new RcuNode();
    rcu.call(node, () => {});
    expect(() => rcu.call(node, () => {})).toThrow(/queued on a node/);
    rcu.drain();
    rcu.call(node, () => {});
    expect(rcu.pending).toBe(1);
  });

  it("keeps the callbacks after one that throws", () => {
    const rcu = new Rcu();
    const order: number[] = [];
    const node = new RcuNode();
    rcu.call(new RcuNode(), () => {
      rcu.call(new RcuNode(), () => order.push(3));
      throw new Error("broken callback");
    });
    rcu.call(node, () => order.push(2));
    expect(() => rcu.poll()).toThrow("broken callback");
    expect([rcu.pending, node.queued]).toEqual([2, true]);
    rcu.drain();
    expect(order).toEqual([2, 3]);
  });

  it("notifies when a callback waits, and again when a reader that blocked it leaves", () => {
    let told = 0;
    let ran = 0;
    const rcu = new Rcu(() => told++);
    rcu.call(new RcuNode(), () => ran++);
    rcu.call(new RcuNode(), () => ran++);
    expect(told).toBe(1);
    const leave = rcu.read();
    expect([rcu.poll(), ran]).toEqual([0, 0]);
    leave();
    expect(told).toBe(2);
    expect([rcu.poll(), ran]).toEqual([2, 2]);
  });
});
