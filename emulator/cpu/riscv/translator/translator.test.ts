import { expect, test } from "vitest";
import { CodeCache } from "../hart/code-cache.ts";
import { CodePages } from "../hart/code-pages.ts";
import { RiscvHart } from "../hart/hart.ts";
import { HartState } from "../hart/state.ts";
import { A0, addi, LOOP } from "../testing/small-program.ts";
import { type BatchRequest, generateBatch } from "./batch.ts";
import type { ThreadReply } from "./translation-thread.ts";
import { Translator } from "./translator.ts";

/** Two pages of code, whose translations come when the test wants them to. */
function setUp() {
  const first = RiscvHart.stateBytes;
  const memory = new WebAssembly.Memory({ initial: first / 65_536 + 1 });
  const state = new HartState(memory, 0);
  const cache = new CodeCache(state, new CodePages());
  const waiting: { request: BatchRequest; receive: (reply: ThreadReply | null) => void }[] = [];
  const thread = {
    isThere: true,
    request(request: BatchRequest, receive: (reply: ThreadReply | null) => void) {
      if (this.isThere) waiting.push({ request, receive });
      return this.isThere;
    },
    collect() {},
  };
  const translator = new Translator(state, cache, { mostBytes: 1 << 20, thread });
  translator.link({ jump: () => 0, finish: () => 0 });
  cache.attach(translator);
  const write = (offset: number, words: readonly number[]) =>
    state.memoryWords.set(words, (first + offset) / 4);
  /** Has the code at this offset translated, and returns the address of its record. */
  const order = (offset: number): number => {
    const page = first + offset - (offset % 4096);
    const record = cache.decodeAt(page, cache.recordsOf(page), offset % 4096);
    translator.request(record);
    translator.translate();
    return record;
  };
  const answer = () => {
    for (const { request, receive } of waiting.splice(0)) {
      const made = generateBatch(request);
      const batch = made && { ...made, bytes: made.code.length, module: new WebAssembly.Module(made.code) };
      receive({ id: 0, batch, generateMilliseconds: 0, compileMilliseconds: 0 });
    }
    translator.advance();
  };
  return { first, cache, waiting, thread, translator, write, order, answer };
}

const CODE = [addi(A0, A0, 1), addi(A0, A0, 1), LOOP];

test("a unit is entered once its translation has come, and its place is not ordered twice", () => {
  const { translator, waiting, write, order, answer } = setUp();
  write(0, CODE);
  const record = order(0);
  order(0);
  expect(waiting.length).toBe(1);
  expect(translator.enters(record)).toBe(false);
  answer();
  expect(translator.enters(record)).toBe(true);
  expect(translator.statistics).toMatchObject({ translated: 1, instructions: 3 });
});

test("code that changed after its translation was ordered is never entered", () => {
  const { first, cache, translator, write, order, answer } = setUp();
  for (const offset of [0, 64, 4096]) write(offset, CODE);
  const [changed, beside, elsewhere] = [order(0), order(64), order(4096)];
  write(4, [addi(A0, A0, 7)]);
  cache.invalidate(first + 4, 4);
  write(4, CODE.slice(1, 2)); // and back again, which nobody compares
  cache.invalidate(first + 4, 4);
  answer();
  expect([changed, beside, elsewhere].map((record) => translator.enters(record))).toEqual([
    false,
    true,
    true,
  ]);
  const again = order(0);
  answer();
  expect(translator.enters(again)).toBe(true);
});

test("a page that was dropped and decoded anew does not get the translations of what it held", () => {
  const { cache, translator, write, order, answer } = setUp();
  write(0, CODE);
  const old = order(0);
  cache.dropAll();
  write(0, [addi(A0, A0, 9), ...CODE]);
  const record = order(0);
  expect(translator.enters(old)).toBe(false);
  answer();
  expect(translator.enters(record)).toBe(true);
  expect(translator.statistics).toMatchObject({ translated: 1, instructions: 4 });
});

test("nothing is ordered from, or linked to, a page that may be another since the memory map changed", () => {
  const { cache, translator, waiting, write, order, answer } = setUp();
  for (const offset of [0, 4096]) write(offset, CODE);
  const ordered = order(0);
  cache.mapChanged();
  answer();
  expect(translator.enters(ordered)).toBe(false);
  translator.request(ordered); // not executed since
  translator.translate();
  expect(waiting.length).toBe(0);
  const executed = order(0);
  answer();
  expect(translator.enters(executed)).toBe(true);
});

test("without a thread, with one that is behind, and after one has failed, the processor's own translates", () => {
  const { translator, waiting, thread, write, order, answer } = setUp();
  const offsets = Array.from({ length: 8 }, (_, index) => 64 * index);
  for (const offset of offsets) write(offset, CODE);
  const records = offsets.slice(0, 6).map(order);
  expect(records.map((record) => translator.enters(record))).toEqual(
    offsets.slice(0, 6).map((_, index) => index >= waiting.length),
  );
  expect(waiting.length).toBeLessThan(6);
  for (const { receive } of waiting.splice(0)) receive(null);
  thread.isThere = false;
  expect(translator.enters(order(0))).toBe(true);
  thread.isThere = true;
  const last = order(448);
  expect(translator.enters(last)).toBe(false);
  answer();
  expect(translator.enters(last)).toBe(true);
});
