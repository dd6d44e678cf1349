import { expect, it } from "vitest";
import { Emulation, loadHardware } from "#machine";

const RAM_START = 0x8000_0000;
const PAGE_OFFSET = 0x10_0000;
/** `auipc t0, 0x100; 1: sw zero, 0(t0); j 1b`. */
const STORES = Uint32Array.of(0x0010_0297, 0x0002_a023, 0xffdf_f06f);

it("a processor's own stores are logged, also by code that was translated before logging began", async () => {
  const emulation = new Emulation({ hardware: await loadHardware("embedded"), ramBytes: 16 * 2 ** 20 });
  const space = emulation.board.memorySpace;
  space.writeBytes(RAM_START, new Uint8Array(STORES.buffer));
  const run = () => emulation.run({ maxInstructions: emulation.instructions + 100_000 });
  run();
  const ram = space.find(RAM_START)?.region;
  if (ram === undefined) throw new Error("the board has no RAM");
  ram.setLog(true);
  expect(ram.takeDirty(0, ram.size)).toEqual([]);
  for (let turn = 0; turn < 2; turn++) {
    run();
    expect(ram.takeDirty(0, ram.size)).toEqual([PAGE_OFFSET]);
  }
  ram.setLog(false);
  run();
  ram.setLog(true);
  expect(ram.takeDirty(0, ram.size)).toEqual([]);
  emulation.destroy();
});
