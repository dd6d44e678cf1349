import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { workload, workloads } from "./index.ts";

describe("the list of workloads", () => {
  it("names each once", () => {
    const names = workloads().map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("points at files that exist", () => {
    for (const each of workloads()) {
      if (each.kind !== "bare-metal") continue;
      expect([each.kernel, each.expectedConsole].filter((path) => !existsSync(path))).toEqual([]);
    }
  });

  it("finds a workload by name, and lists the names if there is none", () => {
    expect(workload("hello").kind).toBe("bare-metal");
    expect(() => workload("helo")).toThrow('unknown workload "helo": it must be one of hello, interrupts,');
  });
});
