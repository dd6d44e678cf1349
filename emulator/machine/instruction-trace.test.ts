import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encode } from "#cpu/riscv";
import { Emulation, loadHardware } from "#machine";
import { needs } from "../hw/testing/qemu.ts";
import { InstructionTrace } from "./instruction-trace.ts";

const [T0, A0, A1] = [5, 10, 11];
const MTVEC = 0x305;
const MEPC = 0x341;

/** Counts to three, then hits an illegal instruction, whose handler powers off. */
const PROGRAM = [
  encode("auipc", { rd: T0, immediate: 0 }),
  encode("addi", { rd: T0, rs1: T0, immediate: 32 }),
  encode("csrrw", { rd: 0, rs1: T0, immediate: MTVEC }),
  encode("addi", { rd: A1, immediate: 3 }),
  encode("addi", { rd: A0, rs1: A0, immediate: 1 }),
  encode("bne", { rs1: A0, rs2: A1, immediate: -4 }),
  0,
  encode("jal", { immediate: 0 }),
  encode("csrrs", { rd: T0, immediate: MEPC }), // the handler
  encode("lui", { rd: A0, immediate: 0x10_0000 }),
  encode("lui", { rd: A1, immediate: 0x5000 }),
  encode("addi", { rd: A1, rs1: A1, immediate: 0x555 }),
  encode("sw", { rs1: A0, rs2: A1 }),
  encode("jal", { immediate: 0 }),
];

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-trace-"));
  writeFileSync(at("guest.bin"), Uint32Array.from(PROGRAM));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function machine(): Promise<Emulation> {
  const hardware = await loadHardware("embedded");
  return new Emulation({ hardware, ramBytes: 2 ** 27, files: { kernel: at("guest.bin") }, trace: true });
}

async function traced(): Promise<{ emulation: Emulation; lines: string[] }> {
  const emulation = await machine();
  const lines: string[] = [];
  emulation.processors.tracer = new InstructionTrace(emulation, (line) => lines.push(line));
  expect(emulation.run({ maxInstructions: 1000 })).toBe("poweroff");
  return { emulation, lines };
}

it("reports every instruction, the registers that it changed, and traps", async () => {
  const { emulation, lines } = await traced();
  const instructions = lines.filter((line) => /^0 M [0-9a-f]{16}: /.test(line));
  expect(instructions.length).toBe(emulation.instructions);
  expect(lines[0]?.replaceAll(/ +/g, " ")).toBe("0 M 0000000000001000: 00000297 auipc t0,0x0 t0=0x1000");
  const counting = lines.filter((line) => line.includes("addi       a0,a0,1"));
  expect(counting.map((line) => line.split(" ").at(-1))).toEqual(["a0=0x1", "a0=0x2", "a0=0x3"]);
  const illegal = lines.findIndex((line) => line.startsWith("0 M 0000000080000018"));
  expect(lines[illegal + 1]).toBe("0 exception, goes on at 0000000080000020");
  expect(lines[illegal + 2]).toMatch(/0000000080000020: 341022f3 {2}csrrs +t0,mepc,zero +t0=0x80000018/);
});

it("a run is the same whether it is traced or not", async () => {
  const { emulation: one } = await traced();
  const two = await machine();
  two.run({ maxInstructions: 1000 });
  expect([one.instructions, one.trace?.sha256()]).toEqual([two.instructions, two.trace?.sha256()]);
});

it("takes the same path as QEMU, instruction by instruction", async (context) => {
  needs(context, "qemu-system-riscv64");
  const options = [
    "-M",
    "virt",
    "-m",
    "128M",
    "-bios",
    "none",
    "-kernel",
    at("guest.bin"),
    "-display",
    "none",
  ];
  spawnSync("qemu-system-riscv64", [...options, "-singlestep", "-d", "exec,nochain", "-D", at("log")], {
    timeout: 30_000,
  });
  const theirs = [...readFileSync(at("log"), "utf8").matchAll(/^Trace \d+: \S+ \[\w+\/(\w+)\//gm)].map(
    ([, pc]) => pc,
  );
  const { lines } = await traced();
  const ours = lines.flatMap((line) => /^0 M ([0-9a-f]{16}):/.exec(line)?.[1] ?? []);
  expect(theirs.slice(0, ours.length)).toEqual(ours);
});
