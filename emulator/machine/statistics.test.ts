import { expect, it } from "vitest";
import { Emulation, finishRun, formatLeaks, loadHardware } from "#machine";
import { MemoryRegion } from "#memory";

it("the leak report names types, blocks and bytes, and where they were allocated when that was recorded", async () => {
  const hardware = await loadHardware("owned");
  const leak = (recordStacks: boolean) => {
    const emulation = new Emulation({ hardware, ramBytes: 2 ** 22, model: { recordStacks } });
    emulation.model.allocate(MemoryRegion);
    emulation.model.allocate(MemoryRegion);
    const statistics = finishRun(emulation, "owned", "stopped", 0);
    expect(statistics.heap.blocksLeaked).toBe(2);
    return formatLeaks(emulation.model.heap.leaks());
  };
  expect(leak(false)).toBe("2 of memory-region never freed, 544 modelled bytes");
  expect(leak(true)).toMatch(/^2 of memory-region never freed, 544 modelled bytes\n.*statistics\.test\.ts/s);
});
