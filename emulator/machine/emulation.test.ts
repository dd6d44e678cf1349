import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Emulation, loadHardware, REGION_FORMS, type RegionForm } from "#machine";

/** Encodings by hand, from the unprivileged ISA manual. */
const LUI_A0_FINISHER = 0x0010_0537; // lui a0, 0x100
const STORE_A1 = 0x00b5_2023; // sw a1, 0(a0)
const WFI = 0x1050_0073;
const LOOP = 0x0000_006f; // j .
const loadA1 = (value: number) => [
  ((value & 0xffff_f000) | 0x5b7) >>> 0,
  (((value & 0xfff) << 20) | 0x58593) >>> 0,
];
const finish = (value: number) => [LUI_A0_FINISHER, ...loadA1(value), STORE_A1, LOOP];

/** Resets the machine the first time, which it notes in RAM, and powers off the second time. */
const RESET_ONCE = [
  0x8010_0637, // lui a2, 0x80100
  0x0206_1613, // slli a2, a2, 32
  0x0206_5613, // srli a2, a2, 32
  0x0006_2683, // lw a3, 0(a2)
  0x0206_9063, // bnez a3, +32
  0x0010_0693, // li a3, 1
  0x00d6_2023, // sw a3, 0(a2)
  ...finish(0x7777),
  ...finish(0x5555),
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-emulation-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function machine(form: RegionForm, words: readonly number[]): Promise<Emulation> {
  const kernel = join(folder, "guest.bin");
  writeFileSync(kernel, Uint32Array.from(words));
  return new Emulation({ hardware: await loadHardware(form), ramBytes: 2 ** 22, files: { kernel } });
}

describe.each(REGION_FORMS)("%s regions", (form) => {
  it("a guest powers off, or fails with its code", async () => {
    expect((await machine(form, finish(0x5555))).run()).toBe("poweroff");
    const failing = await machine(form, finish(0x5_3333));
    expect(failing.run()).toBe("fail");
    expect(failing.shutdown).toEqual({ kind: "fail", code: 5 });
  });

  it("a guest resets itself: images are loaded again, RAM is kept, time and instruction count continue", async () => {
    const emulation = await machine(form, RESET_ONCE);
    const memory = emulation.board.memorySpace;
    expect(emulation.run()).toBe("poweroff");
    expect(memory.read(0x8010_0000, 4)).toBe(1);
    expect(emulation.instructions).toBeGreaterThan(RESET_ONCE.length - 5);
    expect(emulation.now()).toBe(emulation.instructions * 10);
  });

  it("a guest that waits with no interrupt to come is idle", async () => {
    const emulation = await machine(form, [WFI, LOOP]);
    expect(emulation.run()).toBe("idle");
    expect(emulation.waiting).toBe(true);
  });

  it("a run stops at its limit, and continues from there", async () => {
    const emulation = await machine(form, [LOOP]);
    expect(emulation.run({ maxInstructions: 1000 })).toBe("instructions");
    expect(emulation.instructions).toBe(1000);
    expect(emulation.run({ maxInstructions: 1_500_000 })).toBe("instructions");
    expect(emulation.instructions).toBe(1_500_000);
    emulation.stop();
    expect(emulation.run()).toBe("stopped");
  });

  it("time skipped while the guest waits is counted in whole nanoseconds", async () => {
    const emulation = await machine(form, [WFI, LOOP]);
    emulation.run();
    emulation.skipIdle(0.25);
    expect(Number.isInteger(emulation.now())).toBe(true);
    expect(emulation.model.clock.wallNanoseconds()).toBe(
      1_767_225_600_000_000_000n + BigInt(emulation.now()),
    );
  });

  it("a destroyed machine does not run", async () => {
    const emulation = await machine("owned", [WFI]);
    emulation.destroy();
    expect(() => emulation.run()).toThrow("this emulation is destroyed; create another to run again");
    expect(() => emulation.step()).toThrow("this emulation is destroyed");
  });

  it.each([
    ["ramBytes", Number.NaN, "ramBytes: NaN is not a whole number from 1 up"],
    ["ramBytes", 0, "ramBytes: 0 is not"],
    ["hartCount", 1.5, "hartCount: 1.5 is not a whole number from 1 up"],
    ["hotplugBytes", -1, "hotplugBytes: -1 is not a whole number from 0 up"],
  ])("%s %f is refused by its name", async (name, value, message) => {
    const hardware = await loadHardware("owned");
    expect(() => new Emulation({ hardware, ramBytes: 2 ** 21, [name]: value })).toThrow(message);
  });

  it("destroying a machine leaves nothing behind, and may be repeated", async () => {
    const emulation = await machine(form, [LOOP]);
    emulation.run({ maxInstructions: 100 });
    emulation.destroy();
    expect(emulation.model.heap.leaks()).toEqual([]);
    expect(emulation.destroy()).toBe(0);
  });
});

it("two machines in one process do not disturb each other", async () => {
  const [one, two] = [await machine("embedded", [LOOP]), await machine("owned", [LOOP])];
  one.run({ maxInstructions: 100 });
  two.run({ maxInstructions: 300 });
  one.board.memorySpace.write(0x8010_0000, 4, 1);
  expect([one.instructions, two.instructions]).toEqual([100, 300]);
  expect(two.board.memorySpace.read(0x8010_0000, 4)).toBe(0);
  one.destroy();
  two.run({ maxInstructions: 400 });
  expect(two.instructions).toBe(400);
});

it.each([
  ["-m", { ramBytes: 2 ** 33 }, /^-m: .*ask for at most 3 GiB of RAM$/],
  [
    "hartCount",
    { hartCount: 1e6 },
    /^hartCount: needs \d+ bytes of guest memory, which is too much; give less$/,
  ],
  ["hotplugBytes", { hotplugBytes: 2 ** 33 }, /^hotplugBytes: needs 8589934592 bytes of guest memory/],
])("%s is named if it is what asks for more memory than there is", async (_, options, message) => {
  const { form, registerTypes } = await loadHardware("embedded");
  const hardware = { form, registerTypes }; // which does not say how many processors it takes
  expect(() => new Emulation({ hardware, ramBytes: 2 ** 22, ...options })).toThrow(message);
});

it.each([9, 99, 1e6, Number.MAX_SAFE_INTEGER])(
  "more processors than the board supports, %i, are refused",
  async (hartCount) => {
    const hardware = await loadHardware("embedded");
    expect(() => new Emulation({ hardware, ramBytes: 2 ** 22, hartCount })).toThrow(
      `hartCount: the board cannot have ${hartCount} harts; give 1 to 8`,
    );
    const { form, registerTypes } = hardware; // of somebody else, who does not say how many
    const board = { form, registerTypes };
    expect(() => new Emulation({ hardware: board, ramBytes: 2 ** 22, hartCount: 9 })).toThrow(
      /9 harts; give 1 to 8/,
    );
  },
);
