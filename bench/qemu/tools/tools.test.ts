import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeConstructors, describeLines, parseNumstat } from "./lines.ts";
import { parseEvents } from "./misses.ts";
import { commonPath, describePeers } from "./peers.ts";
import { lastWords } from "./realize.ts";
import { describeStates } from "./replay.ts";
import { run, timed } from "./run.ts";
import { parseFindings, parseMemcheck } from "./sanitizer.ts";
import { changesOf, describe as describeChanges, parseSizes } from "./structures.ts";
import { syntaxOnly } from "./trees.ts";

describe("sizes of structures", () => {
  it("reads what pahole prints, without names that have several sizes", () => {
    const sizes = parseSizes(
      "Plain\t272\t1\nTwice\t8\t0\nTwice\t16\t0\nSame\t4\t0\nSame\t4\t0\nnot a line\n",
    );
    expect([...sizes]).toEqual([
      ["Plain", 272],
      ["Same", 4],
    ]);
  });

  it("finds exactly the structures that both have and whose sizes differ, the largest saving first", () => {
    const sizes = fc
      .dictionary(fc.constantFrom("a", "b", "c", "d", "e"), fc.nat(9))
      .map((each) => new Map(Object.entries(each)));
    fc.assert(
      fc.property(sizes, sizes, (before, after) => {
        const changes = changesOf(before, after);
        const expected = ["a", "b", "c", "d", "e"].filter(
          (name) => before.has(name) && after.has(name) && before.get(name) !== after.get(name),
        );
        expect(changes.map(({ name }) => name).sort()).toEqual(expected);
        const differences = changes.map(({ a, b }) => b - a);
        expect(differences).toEqual([...differences].sort((one, other) => one - other));
      }),
    );
  });

  it("says how many grew and shrank", () => {
    const text = describeChanges(
      [
        { name: "S", a: 1000, b: 736 },
        { name: "T", a: 8, b: 16 },
      ],
      50,
    );
    expect(text).toContain("Of 50 structures, 1 are smaller in B (median 264 bytes");
    expect(text).toContain("1 larger; -256 bytes");
    expect(text).toMatch(/T \| 8 \| 16 \| \+8/);
    expect(describeChanges([], 50)).toBe("All 50 structures have the same size in both builds.");
  });
});

describe("lines", () => {
  it("reads git's numbers, and leaves out binary files", () => {
    expect(parseNumstat("3\t5\thw/a.c\n-\t-\tx.bin\n0\t1\thw/b.c\n")).toEqual([
      { file: "hw/a.c", added: 3, removed: 5 },
      { file: "hw/b.c", added: 0, removed: 1 },
    ]);
  });

  it("adds them up", () => {
    const table = describeLines(
      [
        { file: "a", added: 3, removed: 5 },
        { file: "b", added: 1, removed: 0 },
      ],
      { fields: 10, initCalls: 20 },
      { fields: 1, initCalls: 2 },
    );
    expect(table).toContain("| lines removed, added | 5 | 4 |");
    expect(table).toContain("| lines more in B |  | \\-1 |".replace("\\", ""));
    expect(table).toContain("| embedded region fields | 10 | 1 |");
  });
});

describe("constructors", () => {
  it("says which have no caller", () => {
    const text = describeConstructors({ declared: ["new_a", "new_b"], used: new Map([["new_a", 3]]) });
    expect(text).toMatch(/^1 of 2 constructors have a caller outside the memory core; none: new_b\./);
    expect(text).toMatch(/new.*_a \| 3 \|/);
  });
});

describe("programs", () => {
  it("measures the processor time of a program and of those that it starts", async () => {
    const { status, stdout, processorSeconds } = await timed("sh", ["-c", "echo said; exit 3"]);
    expect([status, stdout]).toEqual([3, "said\n"]);
    expect(processorSeconds).toBeGreaterThanOrEqual(0);
    expect(processorSeconds).toBeLessThan(5);
  });

  it("says what to install", async () => {
    await expect(run("no-such-program", [])).rejects.toThrow(/^no-such-program cannot be run \(ENOENT\)$/);
  });
});

describe("peers", () => {
  it.each([
    ["hw/x.c => /s/copy-0/hw/x.c", "hw/x.c"],
    ["{hw => /s/copy-0/hw}/net/x.c", "hw/net/x.c"],
    ["/s/copy-0/hw/x.c", "hw/x.c"],
  ])("finds the path inside the trees in %s", (named, path) => {
    expect(commonPath(named, "/s/copy-0")).toBe(path);
  });

  it("shows shares of the fields", () => {
    const compiled = { checked: 7, broken: ["a.c"], warned: [] };
    const table = describePeers([{ peer: "p", fields: 5, files: 3, compiled, seconds: 1.25 }], 20);
    expect(table).toContain("| p | 5 (25.0 %) | 3 | 7 | 1 | 0 | 1.3 |");
  });

  it("keeps of a compiler's command what does not name outputs", () => {
    const words = 'cc -m64 -Iinclude -DX=\\"y\\" -MD -MQ a.o -MF a.d -o a.o -c ../a.c'.split(" ");
    expect(syntaxOnly(words)).toEqual(["-fsyntax-only", "-m64", "-Iinclude", '-DX="y"', "../a.c"]);
  });
});

describe("cache misses", () => {
  it("reads events by their names, whatever their order", () => {
    const text = "desc: x\nevents: Ir I1mr DLmw D1mr D1mw DLmr\nfl=x\n3 1 1 1 1 1 1\nsummary: 60 5 4 3 2 1\n";
    expect(parseEvents(text)).toEqual({ Ir: 60, D1mr: 3, D1mw: 2, DLmr: 1, DLmw: 4 });
    expect(() => parseEvents("events: Ir\nsummary: 60\n")).toThrow(/cachegrind counted no D1mr/);
  });
});

describe("a device that is realized again", () => {
  it("shows what the emulator said last", () => {
    expect(
      lastWords("qemu -M virt: ended with SIGABRT; it said: one\nqemu-system-riscv64: ../hw/x.c:1: no\n"),
    ).toBe("ended with SIGABRT: hw/x.c:1: no");
    expect(lastWords("qom-set: {}")).toBe("qom-set: {}");
  });
});

describe("a boot that is replayed", () => {
  const state = { instructions: 5, registers: "pc 1", memory: "ab", console: "hello" };

  it("is the same if all that the guest has is the same", () => {
    expect(describeStates(state, { ...state })).toBe("the same registers, memory and console");
  });

  it("is not if anything differs", () => {
    const others = { instructions: 6, registers: "pc 2", memory: "cd", console: "help" };
    fc.assert(
      fc.property(fc.subarray(Object.entries(others), { minLength: 1 }), (changes) => {
        const names = changes.map(([name]) => name);
        expect(describeStates(state, { ...state, ...Object.fromEntries(changes) })).toBe(
          `other ${names.join(", ")}`,
        );
      }),
    );
  });
});

describe("reports of sanitizers", () => {
  it("counts leaks, those of the memory core, faults and undefined behaviour", () => {
    const text = [
      "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
      "x.c:3:4: runtime error: left shift of 1 by 31 places",
      "==7==ERROR: LeakSanitizer: detected memory leaks",
      "Direct leak of 272 byte(s) in 1 object(s) allocated from:",
      "    #0 0x1 in malloc",
      "    #1 0x2 in memory_region_new_io system/memory.c:1",
      "Indirect leak of 16 byte(s) in 2 object(s) allocated from:",
      "    #0 0x1 in malloc",
      "    #1 0x2 in g_strdup",
      "SUMMARY: AddressSanitizer: 288 byte(s) leaked in 3 allocation(s).",
    ].join("\n");
    expect(parseFindings(text)).toEqual({
      leaks: 2,
      bytes: 288,
      ofRegions: 1,
      faults: 1,
      undefinedBehaviour: 1,
    });
    expect(parseFindings("")).toEqual({ leaks: 0, bytes: 0, ofRegions: 0, faults: 0, undefinedBehaviour: 0 });
  });

  it("counts the same in a report of memcheck, where a blank line ends a record", () => {
    const text = [
      "==7== Memcheck, a memory error detector",
      "==7== ",
      "==7== Invalid read of size 8",
      "==7==    at 0x1: flatview_unref (memory.c:1)",
      "==7==  Address 0x2 is 8 bytes inside a block of size 272 free'd",
      "==7== ",
      "==7== Conditional jump or move depends on uninitialised value(s)",
      "==7==    at 0x1: other (x.c:1)",
      "==7== ",
      "==7== 272 bytes in 1 blocks are definitely lost in loss record 1 of 3",
      "==7==    at 0x1: malloc (vg_replace_malloc.c:1)",
      "==7==    by 0x2: memory_region_new_io (memory.c:1)",
      "==7== ",
      "==7== 1,376 (1,360 direct, 16 indirect) bytes in 5 blocks are definitely lost in loss record 2 of 3",
      "==7==    at 0x1: malloc (vg_replace_malloc.c:1)",
      "==7== ",
      "==7== 64 bytes in 1 blocks are still reachable in loss record 3 of 3",
      "==7== ",
      "==7== LEAK SUMMARY:",
      "==7==    definitely lost: 1,632 bytes in 6 blocks",
    ].join("\n");
    expect(parseMemcheck(text)).toEqual({
      leaks: 2,
      bytes: 1648,
      ofRegions: 1,
      faults: 1,
      undefinedBehaviour: 1,
    });
    expect(parseMemcheck("")).toEqual({ leaks: 0, bytes: 0, ofRegions: 0, faults: 0, undefinedBehaviour: 0 });
  });
});
