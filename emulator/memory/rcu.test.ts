import fc from "fast-check";
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
    const leave = rcu.read();
    rcu.call(new RcuNode(), () => ran++);
    rcu.call(new RcuNode(), () => ran++);
    expect(told).toBe(1);
    expect([rcu.poll(), ran]).toEqual([0, 0]);
    leave();
    expect(told).toBe(2);
    expect([rcu.poll(), ran]).toEqual([2, 2]);
  });

  it("lets a callback wait for the readers that were active when it was queued, and for no others", () => {
    // The model: each callback waits for a set of readers; it may run once all of them have left.
    const step = fc.oneof(
      fc.constant("enter" as const),
      fc.constant("call" as const),
      fc.nat(5).map((which) => ({ which })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rcu = new Rcu();
        const active: { leave: () => void }[] = [];
        const waiting: { id: number; readers: Set<object> }[] = [];
        const ran: number[] = [];
        for (const [id, each] of steps.entries()) {
          if (each === "enter") active.push({ leave: rcu.read() });
          else if (each === "call") {
            waiting.push({ id, readers: new Set(active) });
            rcu.call(new RcuNode(), () => ran.push(id));
          } else {
            const [left] = active.splice(each.which, 1);
            left?.leave();
            if (left !== undefined) for (const { readers } of waiting) readers.delete(left);
          }
          rcu.poll();
          const due = waiting.filter(({ readers }) => readers.size === 0);
          expect(ran.splice(0)).toEqual(due.map((callback) => callback.id));
          for (const callback of due) waiting.splice(waiting.indexOf(callback), 1);
        }
        expect(rcu.pending).toBe(waiting.length);
      }),
    );
  });
});
