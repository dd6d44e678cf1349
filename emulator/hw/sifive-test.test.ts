import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { loadTrees } from "./differential/trees.ts";
import { Rig } from "./testing/rig.ts";

describe.each(await loadTrees())("riscv.sifive.test, $name", ({ tree }) => {
  function finisher(): Rig {
    const rig = new Rig(tree);
    rig.plug("riscv.sifive.test");
    return rig;
  }

  test("passes, fails with a code, and resets", () => {
    const rig = finisher();
    rig.write(0, 0x5555);
    rig.write(0, (7 << 16) | 0x3333);
    rig.write(0, 0x7777);
    expect(rig.requests).toEqual([
      { kind: "poweroff", code: 0 },
      { kind: "fail", code: 7 },
      { kind: "reset", code: 0 },
    ]);
  });

  test("uses the high half as a code only for a failure", () => {
    const rig = finisher();
    rig.write(0, 0xffff_5555);
    rig.write(0, 0xffff_3333);
    expect(rig.requests).toEqual([
      { kind: "poweroff", code: 0 },
      { kind: "fail", code: 0xffff },
    ]);
  });

  test("accepts two bytes, but not a single one", () => {
    const rig = finisher();
    rig.write(0, 0x55, 1);
    expect(rig.result).toBe(MemTxResult.DecodeError);
    rig.write(0, 0x5555, 2);
    expect(rig.requests).toEqual([{ kind: "poweroff", code: 0 }]);
  });

  test("reads as zero, and ignores other values and other registers", () => {
    const rig = finisher();
    expect(rig.read(0)).toBe(0);
    rig.write(0, 0x1234);
    rig.write(4, 0x5555);
    expect(rig.requests).toEqual([]);
    expect(rig.guestErrors).toHaveLength(2);
  });
});
