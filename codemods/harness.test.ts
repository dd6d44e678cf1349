import { expect, test } from "vitest";
import { runCodemodOn } from "./harness.ts";
import { fixtures } from "./testing/golden-project.ts";

const device = (call: string) => `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";
import { REGISTERS } from "./registers.ts";

export class Timer extends SysBusDevice {
  private readonly window = this.embed(MemoryRegion);

  protected override realize(): void {
    ${call}
    this.initMmio(this.window);
  }
}

const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };
`;
const registers = "export const REGISTERS = 0x40;\n";

test("sources in memory are converted, with imports among them", () => {
  const files = {
    "timer/device.ts": device('this.window.initIo(this, ops, this, "timer", REGISTERS);'),
    "timer/registers.ts": registers,
  };
  const { texts, sites, refusals } = runCodemodOn(files, "to-owned", { directory: fixtures });
  expect(texts.get("timer/device.ts")).toContain(
    'const window = MemoryRegion.newIo(this, ops, this, "timer", REGISTERS);',
  );
  expect(texts.get("timer/registers.ts")).toBe(registers);
  expect(sites.map(({ region, outcome }) => `${region} ${outcome}`)).toEqual(["window converted"]);
  expect(refusals).toEqual([]);
});

test("a refusal is given with its line, and its file stays as it was", () => {
  const text = device("this.window.initIo(this, ops, this, null, REGISTERS);");
  const { texts, refusals } = runCodemodOn({ "device.ts": text, "registers.ts": registers }, "to-owned", {
    directory: fixtures,
  });
  expect(texts.get("device.ts")).toBe(text);
  expect(refusals).toEqual(["9 Timer.window name-missing"]);
});

test("a verifier that rejects a unit has its class refused, and the others converted", () => {
  const other = device('this.window.initIo(this, ops, this, "timer", REGISTERS);').replace("Timer", "Clock");
  const files = {
    "timer.ts": device('this.window.initIo(this, ops, this, "timer", REGISTERS);'),
    "clock.ts": other,
    "registers.ts": registers,
  };
  const { texts, refusals } = runCodemodOn(files, "to-owned", {
    directory: fixtures,
    verify: (units) =>
      new Map(
        units.flatMap((unit) =>
          unit.devices
            .filter(({ device }) => device.name === "Clock")
            .map(({ device }) => [
              unit,
              { reason: "type-unresolved" as const, node: device.declaration, detail: "no" },
            ]),
        ),
      ),
  });
  expect(texts.get("clock.ts")).toBe(other);
  expect(texts.get("timer.ts")).toContain("MemoryRegion.newIo(");
  expect(refusals).toEqual(["5 Clock.window type-unresolved"]);
});
