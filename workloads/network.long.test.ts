/** U-Boot's own network stack against the user-mode network, through a virtio card. */
import { describe, expect, it } from "vitest";
import { Emulation, loadHardware, parseHardwareOptions, REGION_FORMS } from "#machine";
import { locateFirmware } from "./firmware.ts";

const PROMPT = "=> ";
const ANSWERS = [
  "DHCP client bound to address 10.0.2.15",
  "host 10.0.2.2 is alive",
  "ping failed; host 10.0.2.77",
];

const firmware = locateFirmware();

describe.each(REGION_FORMS)("U-Boot with a network card, %s", (form) => {
  it("gets an address, and reaches the gateway only", async (context) => {
    if (!firmware.found) return context.skip(firmware.reason);
    const attached = parseHardwareOptions({
      drive: [],
      device: ["virtio-net-device,netdev=n0"],
      global: [],
      fw_cfg: [],
      chardev: [],
      netdev: ["user,id=n0"],
    });
    const emulation = new Emulation({
      hardware: await loadHardware(form),
      ramBytes: 256 * 2 ** 20,
      attached,
      files: { bios: firmware.bios, kernel: firmware.kernel },
    });
    let printed = "";
    emulation.console.onByte = (byte) => {
      printed += String.fromCharCode(byte);
    };
    emulation.console.reply(
      { expect: "autoboot", send: " " },
      { expect: PROMPT, send: "setenv autoload no; dhcp\r" },
      { expect: PROMPT, send: "ping 10.0.2.2\r" },
      { expect: PROMPT, send: "ping 10.0.2.77\r" },
      { expect: PROMPT, send: "echo the end\r" },
    );
    expect(emulation.run({ maxInstructions: 5e9, until: "\nthe end" })).toBe("milestone");
    for (const answer of ANSWERS) expect(printed).toContain(answer);
    emulation.destroy();
    expect(emulation.model.heap.leaks()).toEqual([]);
  });
});
