import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { assignableProcessors, describePlacement, parseProcessors, processorOf } from "./processors.ts";

describe("processors", () => {
  it.each<[string, number[]]>([
    ["0", [0]],
    ["0-3", [0, 1, 2, 3]],
    ["1,3-4,7", [1, 3, 4, 7]],
    ["", []],
    ["nonsense", []],
  ])("are parsed from %j", (list, expected) => {
    expect(parseProcessors(list)).toEqual(expected);
  });

  it("are given by turns", () => {
    const processors = assignableProcessors();
    const given = Array.from({ length: 2 * processors.length }, (_, repeat) => processorOf(repeat));
    expect(given).toEqual([...processors, ...processors]);
    expect(processorOf(0)).toBe(processors[0] ?? null);
  });

  it("are those that this process may use, where there is taskset", () => {
    const { error, stdout } = spawnSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" });
    if (error !== undefined) {
      expect(assignableProcessors()).toEqual([]);
      expect(describePlacement()).toBe("slices: arms on any processor");
      return;
    }
    expect(parseProcessors(stdout.trim().split(": ").at(-1) ?? "")).toEqual(assignableProcessors());
    expect(describePlacement()).toContain("one processor");
  });
});
