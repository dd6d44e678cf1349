/** The board under each way to keep regions and each way to count references. */
import { describe, expect, test } from "vitest";
import { Emulation, loadHardware, REGION_STORAGES, type RegionStorage } from "#machine";
import { type ReferencePolicy, referencePolicies } from "#memory";

const KERNEL = "workloads/bare-metal/bin/hello.elf";
const POLICIES = (Object.keys(referencePolicies) as ReferencePolicy[]).filter(
  (name) => name !== "self+unparent",
);

async function boot(storage: RegionStorage, references: ReferencePolicy) {
  const emulation = new Emulation({
    hardware: await loadHardware(storage === "owned" ? "owned" : "embedded"),
    model: { references, heapRegions: storage === "heap" },
    ramBytes: 2 ** 24,
    files: { kernel: KERNEL },
    trace: true,
  });
  const end = emulation.run();
  const seen = { end, console: emulation.console.sha256(), trace: emulation.trace?.sha256() };
  const regions = emulation.model.heap.usage().byType.get("memory-region")?.live ?? 0;
  emulation.destroy();
  const left = emulation.model.heap.usage();
  return { seen, regions, left: left.live, leftRegions: left.byType.get("memory-region")?.live ?? 0 };
}

describe("a board boots the same in all twelve combinations", async () => {
  const usual = await boot("embedded", "owner");

  test.each(REGION_STORAGES.flatMap((storage) => POLICIES.map((policy) => [storage, policy] as const)))(
    "%s, %s",
    async (storage, policy) => {
      const { seen, regions, left, leftRegions } = await boot(storage, policy);
      expect(seen).toEqual(usual.seen);
      expect(seen.end).toBe("poweroff");
      if (storage !== "heap") {
        expect(left).toBe(0);
        return;
      }
      expect(leftRegions).toBeGreaterThan(0);
      expect([left, leftRegions]).toEqual([regions - usual.regions, regions - usual.regions]); // what devices have
    },
  );
});
