import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Emulation, loadHardware, RunControl } from "#machine";
import { askMonitor, needs } from "../hw/testing/qemu.ts";
import { Hmp } from "./hmp.ts";
import { MonitorPrompt } from "./prompt.ts";

const LOOP = 0x0000_006f; // j .

let folder: string;
let kernel: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-hmp-"));
  kernel = join(folder, "guest.bin");
  writeFileSync(kernel, Uint32Array.from([LOOP, 0x1234_5678, 0x8000_0001, 0x0041_0027, 0x0a0d_5c7f]));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function monitor(): Promise<Hmp> {
  const hardware = await loadHardware("embedded");
  return new Hmp(new RunControl(new Emulation({ hardware, ramBytes: 128 * 2 ** 20, files: { kernel } })));
}

describe("prints the same as QEMU", () => {
  it.for([
    "x /6xw 0x1000",
    "xp /3xg 0x1000",
    "x /9xb 0x1000",
    "x/3xh 0x1000",
    "x /3dw 0x80000004",
    "x /3uw 0x80000004",
    "x /3ow 0x80000004",
    "x /4dh 0x80000004",
    "x /4c 0x80000008",
    "x /3dg 0x80000000",
    "x 0x80000000",
    "x /2 0x80000000+4",
    "xp /20xb 0x80000000",
    "frobnicate",
    "info nothing",
  ])("for %s", async (command, context) => {
    needs(context, "qemu-system-riscv64");
    const options = ["-m", "128M", "-bios", "none", "-kernel", kernel];
    const theirs = askMonitor(options, command).map((line) => line.trimEnd());
    const ours = (await monitor()).execute(command).trimEnd().split("\n");
    expect(ours).toEqual(theirs);
  });

  it("for info registers, in the registers that both have", async (context) => {
    needs(context, "qemu-system-riscv64");
    const lines = askMonitor(["-m", "128M", "-bios", "none", "-cpu", "rv64,h=off"], "info registers");
    const ours = (await monitor()).execute("info registers").trimEnd().split("\n");
    const without = (line: string) => !/^ mip/.test(line); // in QEMU the timer is pending at once
    expect(ours.filter(without)).toEqual(lines.map((line) => line.trimEnd()).filter(without));
  });
});

describe("commands that act", () => {
  it("stop and cont, as info status reports", async () => {
    const hmp = await monitor();
    expect(hmp.execute("info status")).toBe("VM status: running\n");
    expect(hmp.execute("stop")).toBe("");
    expect(hmp.execute("info status")).toBe("VM status: paused\n");
    expect(hmp.execute("  c ")).toBe("");
    expect(hmp.control.paused).toBe(false);
  });

  it("system_reset restarts the guest", async () => {
    const hmp = await monitor();
    const { emulation } = hmp.control;
    emulation.run({ maxInstructions: 100 });
    expect(emulation.hart.pc).toBe(0x8000_0000n);
    hmp.execute("system_reset");
    emulation.step(101);
    expect(emulation.hart.pc).toBe(0x1000n);
  });

  it("the help lists every command and subject", async () => {
    const hmp = await monitor();
    for (const command of [
      "cont|c",
      "help|?",
      "info",
      "quit|q",
      "stop|s",
      "system_reset",
      "x /fmt",
      "xp /fmt",
    ])
      expect(hmp.execute("help")).toContain(`${command}`);
    for (const subject of ["jit", "mtree", "qom-tree", "qtree", "registers", "status"]) {
      expect(hmp.execute("info")).toContain(`info ${subject}`);
      expect(hmp.execute(`info ${subject}`).length).toBeGreaterThan(10);
    }
    expect(hmp.execute("")).toBe("");
  });

  it("an address may start from $pc", async () => {
    const hmp = await monitor();
    expect(hmp.execute("x /2xw $pc+4")).toBe(hmp.execute("x /2xw 0x1004"));
  });

  it("instructions are disassembled", async () => {
    const said = (await monitor()).execute("x /2i 0x1000").replaceAll(/ +/g, " ");
    expect(said).toBe(
      "0x0000000000001000: 00000297 auipc t0,0x0\n0x0000000000001004: 02828613 addi a2,t0,40\n",
    );
  });

  it("invalid addresses and formats are refused", async () => {
    const hmp = await monitor();
    expect(hmp.execute("x /4zz 0x1000")).toMatch(/invalid char in format/);
    expect(hmp.execute("x /4xw here")).toMatch(/unknown register/);
    expect(hmp.execute("xp 0xfffffffffffff000")).toBe("fffffffffffff000: Cannot access memory\n");
  });
});

it("the prompt echoes, erases, and runs a line at its end", () => {
  let screen = "";
  const lines: string[] = [];
  const print = (text: string): void => {
    screen += text;
  };
  const prompt = new MonitorPrompt({ print }, (line) => {
    lines.push(line);
    return "said\n";
  });
  prompt.focus(true);
  prompt.input(Buffer.from("stip\x7f\x7fop\r"));
  prompt.input(Buffer.from("abc\x15info\n"));
  expect(lines).toEqual(["stop", "info"]);
  expect(screen).toContain("\r\nsaid\r\n(regionlab) ");
});

describe("words that a command does not take, as in QEMU", () => {
  it.each([
    ["quit now", 'quit|q: extraneous characters at the end of line\nTry "help quit" for more information\n'],
    ["stop x", 'stop|s: extraneous characters at the end of line\nTry "help stop" for more information\n'],
    [
      "info status extra",
      'status: extraneous characters at the end of line\nTry "help info status" for more information\n',
    ],
    ["xp /1xb 0x10000000000000000", 'number too large\nTry "help xp" for more information\n'],
    ["x /1xb 18446744073709551616", 'number too large\nTry "help x" for more information\n'],
    ["xp /1xb nothing", 'unknown register or number\nTry "help xp" for more information\n'],
    ["help nothing", "unknown command: 'nothing'\n"],
    ["help quit", "quit|q -- end the emulator\n"],
    ["help info status", "info status -- whether the machine is running\n"],
  ])("%s", async (line, said) => {
    const hmp = await monitor();
    expect(hmp.execute(line)).toBe(said);
    expect(hmp.execute("info status")).toBe("VM status: running\n");
  });
});
