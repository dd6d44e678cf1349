import { describe, expect, it } from "vitest";
import { bannerIn, comparable, differencesOf } from "./compare.ts";

const answers = (question: string, text: string, console?: string) => ({
  monitor: new Map([[question, text]]),
  console,
});

describe("comparing the answers of two builds", () => {
  it("does not mind the order of flat views and their numbers", () => {
    const a = 'FlatView #0\n AS "b"\n AS "a"\n  0-1 x\n\nFlatView #1\n AS "c"\n  0-2 y';
    const b = 'FlatView #0\n AS "c"\n  0-2 y\n\nFlatView #1\n AS "a"\n AS "b"\n  0-1 x';
    expect(comparable("info mtree -f", a)).toBe(comparable("info mtree -f", b));
  });

  it("finds a region that moved to another flat view", () => {
    const a = 'FlatView #0\n AS "a"\n  0-1 x\n\nFlatView #1\n AS "c"\n  0-2 y';
    const b = 'FlatView #0\n AS "a"\n  0-2 y\n\nFlatView #1\n AS "c"\n  0-1 x';
    expect(differencesOf(answers("info mtree -f", a), answers("info mtree -f", b))).toHaveLength(1);
  });

  it("minds the order of an object tree", () => {
    expect(
      differencesOf(answers("info qom-tree", "a\nb"), answers("info qom-tree", "b\na"))[0]?.question,
    ).toBe("info qom-tree");
  });

  it("takes a console as soon as its last line is complete, and never a part of it", () => {
    const shown = "\r\nOpenSBI v1\r\nBoot HART MIDELEG : 0x16\r\nBoot HART MEDELEG : 0xb5\r\n";
    for (let end = 0; end < shown.length; end++)
      expect(bannerIn(shown.slice(0, end), "OpenSBI v"), `after ${end} bytes`).toBeUndefined();
    expect(bannerIn(shown, "OpenSBI v")).toBe(shown);
    expect(bannerIn(`${shown}next stage`, "OpenSBI v")).toBe(shown);
  });

  it("compares consoles", () => {
    const difference = differencesOf(answers("q", "x", "OpenSBI v1"), answers("q", "x", "OpenSBI v2"));
    expect(difference.map(({ question }) => question)).toEqual(["console"]);
  });
});
