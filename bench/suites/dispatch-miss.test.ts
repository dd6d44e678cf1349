import { afterEach, describe, expect, it, vi } from "vitest";
import { FORMS } from "#results";
import { flatMap } from "./dispatch-maps.ts";
import { FIRST_READS, missCase } from "./dispatch-miss.ts";

/** Its `note` caches a section for later accesses: only misses call it. */
const pageMap = Object.getPrototypeOf(flatMap("embedded", 1).space.view.pages) as { note(): void }; // not exported

afterEach(() => vi.restoreAllMocks());

describe.each(FORMS)("%s: first reads after a commit", (form) => {
  it("all miss; without the commit, they all hit", () => {
    const { before: commit, loop, batch } = missCase(form);
    const note = vi.spyOn(pageMap, "note");
    const missesOf = (count: number) => {
      const had = note.mock.calls.length;
      loop(count);
      return note.mock.calls.length - had;
    };
    for (let round = 0; round < 3; round++) {
      commit();
      expect(missesOf(batch)).toBe(FIRST_READS);
      expect(missesOf(batch)).toBe(0);
    }
  });

  it("read as many devices as requested, each once", () => {
    const { before: commit, loop, batch } = missCase(form);
    const note = vi.spyOn(pageMap, "note");
    commit();
    loop(100);
    expect(note).toHaveBeenCalledTimes(100);
    commit();
    loop(batch);
    const pages = note.mock.calls.slice(100).map(([address]: unknown[]) => Number(address));
    expect(new Set(pages).size).toBe(FIRST_READS);
    expect(Math.max(...pages)).toBeLessThan(2 ** 31);
    expect(() => loop(batch + 1)).toThrow(/1025 first reads of 1024 devices/);
  });

  it("read the same through every view", () => {
    const { before: commit, loop, batch } = missCase(form);
    const sum = loop(batch);
    for (let round = 0; round < 5; round++) {
      commit();
      expect(loop(batch)).toBe(sum);
    }
  });
});
