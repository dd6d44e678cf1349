import { describe, expect, it } from "vitest";
import { Emulation, loadHardware } from "#machine";
import { MemoryRegion } from "#memory";
import { formatRefs } from "./refs.ts";

async function machine(references: "owner" | "owner-7.2" = "owner"): Promise<Emulation> {
  return new Emulation({ hardware: await loadHardware("owned"), ramBytes: 2 ** 20, model: { references } });
}

interface Listed {
  readonly nodes: readonly { readonly name: string; readonly references?: number }[];
  readonly holds: readonly {
    readonly holder: string | null;
    readonly held: string;
    readonly count: number;
  }[];
  readonly cycles: readonly unknown[];
}

describe("references of a board", () => {
  it("add up to the count of every object, and only the root is held from outside", async () => {
    const { model } = await machine();
    const { nodes, holds, cycles } = JSON.parse(formatRefs(model, "json")) as Listed;
    expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length);
    for (const { name, references } of nodes) {
      if (references === undefined) continue;
      const sum = holds.filter(({ held }) => held === name).reduce((total, { count }) => total + count, 0);
      expect([name, sum]).toEqual([name, references]);
    }
    expect(holds.filter(({ holder }) => holder === null).map(({ held }) => held)).toEqual(["/"]);
    expect(cycles).toEqual([]);
  });

  it("are listed by name and reason", async () => {
    const text = formatRefs((await machine()).model, "text");
    expect(text).toMatch(/^\/machine\/fw_cfg \(fw_cfg_mem\), \d+ references$/m);
    expect(text).toMatch(/^ {4}3 foreign container \/machine\/unattached\/system\[0\] \(fwcfg\.dma, fwcfg/m);
    expect(text).toMatch(/\nNo cycles\.\n$/);
  });

  it("show a device that holds itself, in red", async () => {
    for (const references of ["owner", "owner-7.2"] as const) {
      const { model } = await machine(references);
      const device = model.createPeripheral("goldfish_rtc", "it");
      const container = MemoryRegion.new(device, "a < b", 0x1000);
      container.addSubregion(0, MemoryRegion.newRam(device, "ram", 0x100));
      const isCycle = references === "owner-7.2";
      expect(formatRefs(model, "text").includes("1 cycle:")).toBe(isCycle);
      const svg = formatRefs(model, "svg");
      expect(svg.includes('class="cycle"')).toBe(isCycle);
      expect(svg).toContain("a &#60; b");
      expect(svg).not.toContain("NaN");
    }
  });
});
