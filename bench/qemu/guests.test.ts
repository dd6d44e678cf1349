import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Emulation, loadHardware } from "#machine";
import { locateFirmware } from "#workloads";
import { loadingGuest, nextStage, RAM_BYTE, UART_LINE_STATUS } from "./guests.ts";

const RAM_BYTES = 2 ** 23;
const hardware = await loadHardware("embedded");

function fileOf(image: Uint8Array): string {
  const file = join(mkdtempSync(join(tmpdir(), "regionlab-guest-")), "guest.bin");
  writeFileSync(file, image);
  return file;
}

/** This emulator runs them, too: an independent decoder of what was encoded. */
describe("guests of a few instructions", () => {
  it.each([64, 640, 64_000])("makes %d loads from a device, one store, and ends", (loads) => {
    const files = { bios: fileOf(loadingGuest(UART_LINE_STATUS, loads)) };
    const emulation = new Emulation({ hardware, ramBytes: RAM_BYTES, files, trace: true });
    expect(emulation.run({ maxInstructions: 200_000 })).toBe("poweroff");
    expect(emulation.trace?.accesses).toBe(loads + 1);
    emulation.destroy();
  });

  it("loads from RAM without reaching a device", () => {
    const files = { bios: fileOf(loadingGuest(RAM_BYTE, 6400)) };
    const emulation = new Emulation({ hardware, ramBytes: RAM_BYTES, files, trace: true });
    expect(emulation.run({ maxInstructions: 200_000 })).toBe("poweroff");
    expect(emulation.trace?.accesses).toBe(1);
    emulation.destroy();
  });

  it("refuses a number of loads that its loop cannot make", () => {
    for (const loads of [0, -64, 63, 65])
      expect(() => loadingGuest(RAM_BYTE, loads)).toThrow(/multiple of 64/);
  });

  it("has OpenSBI switch the machine off, and leaves the number of instructions until then", (context) => {
    const firmware = locateFirmware();
    if (!firmware.found) return context.skip(firmware.reason);
    const files = { bios: firmware.bios, kernel: fileOf(nextStage()) };
    const emulation = new Emulation({ hardware, ramBytes: RAM_BYTES, files });
    expect(emulation.run({ maxInstructions: 20_000_000 })).toBe("poweroff");
    const retired = emulation.board.memorySpace.read(RAM_BYTE, 4);
    expect(retired).toBeGreaterThan(100_000);
    expect(retired).toBeLessThan(emulation.instructions);
    emulation.destroy();
  });
});
