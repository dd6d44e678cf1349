import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { ArmHangs, SharedTurn } from "./shared.ts";

const entry = new URL("fixtures/performer.mjs", import.meta.url);
const BEHAVE = 0;
const THROW = 1;
const HANG = 2;
const NOTIFY_ALONE = 3;

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function perform(turn: SharedTurn, slot: number): Promise<unknown[]> {
  const worker = new Worker(entry, { workerData: { buffer: turn.buffer, slot } });
  workers.push(worker);
  return once(worker, "message");
}

/** Wakes the arm that sleeps on its word without changing the word, as a late notification does. */
async function notifyAlone(turn: SharedTurn, slot: number): Promise<void> {
  // The words of the arms come first, in the order of their slots.
  const words = new Int32Array(turn.buffer, 0, 3);
  while (Atomics.notify(words, slot) === 0) await setImmediate(); // until it sleeps
}

describe("SharedTurn", () => {
  it("hands the turn to the arm in a slot and returns its figures, turn after turn", async () => {
    const turn = new SharedTurn();
    const ended = [0, 1, 2].map((slot) => perform(turn, slot));
    for (let round = 0; round < 200; round++) {
      const slot = (round * 7) % 3;
      turn.hand(slot, round, BEHAVE);
      expect([turn.figures[0], turn.figures[1]]).toEqual([10 * round, slot]);
    }
    turn.dismiss();
    expect(await Promise.all(ended)).toEqual([["dismissed"], ["dismissed"], ["dismissed"]]);
  });

  it("dismisses arms that had no turn, and works again after a reset", async () => {
    const turn = new SharedTurn();
    const idle = perform(turn, 1);
    turn.dismiss();
    expect(await idle).toEqual(["dismissed"]);
    turn.reset();
    const busy = perform(turn, 1);
    turn.hand(1, 4, BEHAVE);
    expect(turn.figures[0]).toBe(40);
    turn.dismiss();
    expect(await busy).toEqual(["dismissed"]);
  });

  it("lets an arm go on sleeping after a late notification", async () => {
    const turn = new SharedTurn();
    const ended = perform(turn, 1);
    turn.figures[0] = -1;
    await notifyAlone(turn, 1);
    await notifyAlone(turn, 1); // the arm sleeps again; had it taken a turn, it would have set its figure
    expect(turn.figures[0]).toBe(-1);
    turn.hand(1, 4, BEHAVE);
    expect(turn.figures[0]).toBe(40);
    turn.dismiss();
    expect(await ended).toEqual(["dismissed"]);
  });

  it("lets the conductor go on waiting after a late notification, until the slice is done", async () => {
    const turn = new SharedTurn(undefined, 10_000);
    const ended = perform(turn, 2);
    for (const count of [3, 4, 5]) {
      turn.figures[0] = -1;
      turn.hand(2, count, NOTIFY_ALONE);
      expect(turn.figures[0]).toBe(10 * count);
    }
    turn.dismiss();
    expect(await ended).toEqual(["dismissed"]);
  });

  it("tells the conductor that an arm failed", async () => {
    const turn = new SharedTurn();
    const failing = perform(turn, 2);
    turn.hand(2, 1, BEHAVE);
    expect(() => turn.hand(2, 1, THROW)).toThrow(/the arm in slot 2 failed in its slice/);
    expect(await failing).toEqual(["the device exploded"]);
  });

  it("does not wait for an arm that failed before its first turn", () => {
    const turn = new SharedTurn();
    turn.fail();
    expect(() => turn.hand(0, 1, BEHAVE)).toThrow(/failed/);
  });

  it("gives up on an arm that does not return", () => {
    const turn = new SharedTurn(undefined, 300);
    perform(turn, 0);
    expect(() => turn.hand(0, 1, HANG)).toThrow(ArmHangs);
    expect(() => new SharedTurn(undefined, 20).hand(1, 1, BEHAVE)).toThrow(
      /slot 1 did not return within 0\.02 s/,
    );
  });
});
