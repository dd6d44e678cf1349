import { join } from "node:path";
import { expect, test } from "vitest";
import { A0, addi, LOOP } from "../testing/small-program.ts";
import { type BatchRequest, generateBatch } from "./batch.ts";
import { type ThreadReply, TranslationThread } from "./translation-thread.ts";

/** Eight times an addition in a loop, at the start of a page. */
function request(): BatchRequest {
  const bytes = new Int32Array([...Array(8).fill(addi(A0, A0, 1)), LOOP, ...Array(1015).fill(0)]);
  const halfwords = new Uint16Array(bytes.buffer);
  const page = { records: 0x10000, halfwords, reached: new Uint8Array(2048).fill(1) };
  const places = [0, 4, 4000].map((offset) => ({ page, offset })); // the last has no code
  return { stateOffset: 0, places };
}

test("the sources have no thread", () => expect(TranslationThread.shared).toBeNull());

test("the thread generates what this one would, and has it compiled", async () => {
  const root = join(import.meta.dirname, "../../../..");
  // Only what is built can start it.
  const built = join(root, "dist/emulator/cpu/riscv/translator/translation-thread.js");
  const { shared }: typeof TranslationThread = (await import(built)).TranslationThread;
  if (shared === null) throw new Error("no thread");
  const replies: (ThreadReply | null)[] = [];
  const given = request();
  expect(shared.request(given, (reply) => replies.push(reply))).toBe(true);
  expect(given.places[0]?.page.halfwords.length).toBe(0); // given away
  shared.request({ stateOffset: 0, places: [] }, (reply) => replies.push(reply));
  const pause = new Int32Array(new SharedArrayBuffer(4));
  // No event loop turns here, as in a run.
  while (replies.length < 2) {
    Atomics.wait(pause, 0, 0, 20);
    shared.collect();
  }
  const [reply, empty] = replies;
  const here = generateBatch(request());
  expect(reply?.batch?.units).toEqual(here?.units);
  expect(reply?.batch?.units.map(({ place }) => place)).toEqual([0, 1]);
  expect(reply?.batch?.bytes).toBe(here?.code.length);
  expect(reply?.batch?.module).toBeInstanceOf(WebAssembly.Module);
  expect(empty?.batch).toBeUndefined();
}, 60_000);
