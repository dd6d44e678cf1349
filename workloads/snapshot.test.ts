/** A run that is saved, restored in a machine of the other form and continued, is the same as an uninterrupted run. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import {
  type BootFiles,
  Emulation,
  type HardwareOptions,
  loadHardware,
  parseHardwareOptions,
  type RegionForm,
  type RunEnd,
  restoreSnapshot,
  saveSnapshot,
} from "#machine";
import { locateFirmware } from "./firmware.ts";
import { type BareMetalWorkload, workloads } from "./index.ts";

/** Instruction limit: a guest that executes more has gone wrong. */
const PATIENCE = 200_000_000;
const BOTH_WAYS = [
  ["embedded", "owned"],
  ["owned", "embedded"],
] as const;
const RAM_BYTES = 64 * 2 ** 20;

/** Options that all machines of a comparison share. */
interface Guest {
  readonly files: BootFiles;
  readonly hartCount?: number;
  readonly attached?: HardwareOptions;
}

const start = async (form: RegionForm, guest: Guest): Promise<Emulation> =>
  new Emulation({ hardware: await loadHardware(form), ramBytes: RAM_BYTES, ...guest, trace: true });

function snapshotOf(emulation: Emulation): Uint8Array {
  const parts: Uint8Array[] = [];
  saveSnapshot(emulation, { write: (bytes) => parts.push(Uint8Array.from(bytes)) });
  return Buffer.concat(parts);
}

/** Everything that identifies a run. The snapshot at its end contains all registers of all devices, and the memory. */
function fingerprint(emulation: Emulation, end: RunEnd) {
  return {
    end,
    instructions: emulation.instructions,
    now: emulation.now(),
    console: emulation.console.sha256(),
    accesses: emulation.trace?.accesses,
    trace: emulation.trace?.sha256(),
    machine: createHash("sha256").update(snapshotOf(emulation)).digest("hex"),
  };
}

/** Runs a guest with snapshots at `points`, and continues from each of them. `after` runs the machine to its end. */
async function check(
  guest: Guest,
  points: readonly number[],
  forms: readonly [RegionForm, RegionForm],
  after: (emulation: Emulation) => RunEnd,
) {
  const whole = await start(forms[0], guest);
  const expected = fingerprint(whole, after(whole));
  whole.destroy();

  const interrupted = await start(forms[0], guest);
  for (const point of points) {
    expect(interrupted.run({ maxInstructions: point })).toBe("instructions");
    const resumed = await start(forms[1], guest);
    restoreSnapshot(resumed, snapshotOf(interrupted), "snapshot");
    expect(fingerprint(resumed, after(resumed)), `from instruction ${point}`).toEqual(expected);
    resumed.destroy();
  }
  expect(fingerprint(interrupted, after(interrupted))).toEqual(expected);
  interrupted.destroy();
}

const programs = workloads().filter((each): each is BareMetalWorkload => each.kind === "bare-metal");

it.each(programs.map((program, index) => ({ ...program, forms: BOTH_WAYS[index % 2] ?? BOTH_WAYS[0] })))(
  "$name, from several points, $forms",
  async ({ kernel, hartCount = 1, forms }) => {
    const guest = { files: { kernel }, hartCount };
    const probe = await start(forms[0], guest);
    probe.run({ maxInstructions: PATIENCE });
    const { instructions } = probe;
    probe.destroy();
    const points = [0.21, 0.77].map((part) => Math.floor(instructions * part));
    await check(guest, points, forms, (emulation) => emulation.run({ maxInstructions: PATIENCE }));
  },
  120_000,
);

it("OpenSBI and U-Boot, from their start to the prompt and the commands typed there", async (test) => {
  const firmware = locateFirmware();
  if (!firmware.found) return test.skip(firmware.reason);
  const { bios, kernel } = firmware;
  await check({ files: { bios, kernel } }, [300_000, 16_000_000], ["embedded", "owned"], (emulation) => {
    const type = (text: string) => emulation.console.type(new TextEncoder().encode(text));
    emulation.run({ until: "autoboot", maxInstructions: PATIENCE });
    type("\nbdinfo\nflinfo\nmw.l 84000000 deadbeef 4\ncp.b 84000000 22000000 20\nreset\n");
    emulation.run({ until: "autoboot", maxInstructions: PATIENCE });
    type("\ndate\npoweroff\n");
    return emulation.run({ maxInstructions: PATIENCE });
  });
}, 120_000);

it("U-Boot in the middle of network traffic, with additional consoles", async (test) => {
  const firmware = locateFirmware();
  if (!firmware.found) return test.skip(firmware.reason);
  const { bios, kernel } = firmware;
  const attached = parseHardwareOptions({
    ...{ drive: [], global: [], fw_cfg: [] },
    chardev: ["ringbuf,id=c"],
    netdev: ["user,id=n"],
    device: ["virtio-net-device,netdev=n", "virtio-serial-device", "virtconsole,chardev=c"],
  });
  const type = (emulation: Emulation, text: string) => emulation.console.type(new TextEncoder().encode(text));
  const toTheNetwork = async (form: RegionForm): Promise<Emulation> => {
    const emulation = await start(form, { files: { bios, kernel }, attached });
    emulation.run({ until: "autoboot", maxInstructions: PATIENCE });
    type(emulation, "\nsetenv autoload no\ndhcp\nping 10.0.2.2\npoweroff\n");
    expect(emulation.run({ until: "BOOTP broadcast", maxInstructions: 2 * PATIENCE })).toBe("milestone");
    return emulation;
  };
  const whole = await toTheNetwork("embedded");
  const saved = snapshotOf(whole);
  const resumed = await start("owned", { files: { bios, kernel }, attached });
  restoreSnapshot(resumed, saved, "snapshot");
  const [expected, found] = [whole, resumed].map((each) =>
    fingerprint(each, each.run({ maxInstructions: 10 * PATIENCE })),
  );
  expect(expected?.end).toBe("poweroff");
  expect(found).toEqual(expected);
}, 120_000);
