import { describe, expect, test } from "vitest";
import type { RamFileOptions } from "#memory";
import { loadTestTrees } from "./differential/trees.ts";
import { BASE, Rig } from "./testing/rig.ts";

describe.each(await loadTestTrees())("file-memory, $name", ({ tree }) => {
  function rigWith(content: Uint8Array, asked: [string, number, RamFileOptions][] = []) {
    const openRamFile = (path: string, size: number, options: RamFileOptions) => {
      asked.push([path, size, options]);
      return {
        load: (bytes: Uint8Array) => bytes.set(content.subarray(0, size)),
        store: (bytes: Uint8Array) => content.set(bytes),
        close: () => {},
      };
    };
    return new Rig(tree, { openRamFile });
  }

  test("keeps what the guest writes in a file that is shared", () => {
    const content = new Uint8Array(0x2000).fill(0x11);
    const asked: [string, number, RamFileOptions][] = [];
    const rig = rigWith(content, asked);
    const device = rig.plug("file-memory", { "mem-path": "a file", size: 0x2000, share: true });
    expect(asked).toEqual([["a file", 0x2000, { share: true, readOnly: false }]]);
    expect(rig.read(0x1000)).toBe(0x1111_1111);
    rig.write(0x1000, 0x2233_4455);
    device.unmapAll();
    device.remove();
    rig.model.rcu.drain();
    expect(rig.space.find(BASE)).toBeUndefined();
    expect(new DataView(content.buffer).getUint32(0x1000, true)).toBe(0x2233_4455);
  });

  test("needs a file and a size", () => {
    expect(() => rigWith(new Uint8Array()).plug("file-memory")).toThrow(/give its property mem-path/);
    expect(() => rigWith(new Uint8Array()).plug("file-memory", { "mem-path": "x" })).toThrow(
      /size of a file-memory is 0/,
    );
  });
});
