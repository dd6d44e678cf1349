/** The real gdb in translated code: it works as with QEMU, and the guest does not notice. */
import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { DebuggerLab, GCC, GDB, QEMU, withoutPlace } from "./testing/debugger-lab.ts";

/** Sums in a loop of millions of rounds and stores every sum; passes `marker` in the middle and at the end. */
const PROGRAM = `
    .equ ROUNDS, 40000000
    .globl _start, loop, store, marker, cell
_start:
    la s2, cell
    li s0, 0                # sum
    li s1, 0                # rounds
    li s3, ROUNDS
    la t0, marker
loop:
    addi s1, s1, 1
    xor s0, s0, s1
    slli t1, s0, 1
    add s0, s0, t1
store:
    sd s0, 0(s2)
    bne s1, s3, loop
    jalr t0
    slli s3, s3, 1
    li t1, 4 * ROUNDS
    bne s3, t1, loop
    li a0, 16               # the sum, in hexadecimal
    li a1, 0x10000000
digit:
    srli a2, s0, 60
    slli s0, s0, 4
    addi a3, a2, '0'
    li a4, 10
    blt a2, a4, print
    addi a3, a3, 'a' - '0' - 10
print:
    sb a3, 0(a1)
    addi a0, a0, -1
    bnez a0, digit
    li a1, 0x100000
    li a2, 0x5555
    sw a2, 0(a1)
    j .
    .balign 4096
marker:
    ret
    .balign 4096
cell: .8byte 0
`;

const SHOW = 'printf "%lx: round %ld, sum %lx, cell %lx\\n", $pc, $s1, $s0, *(long*)&cell';

/** Runs until the loop has been translated, which the thread beside the processor does meanwhile. */
const TO_THE_MIDDLE = ["tbreak marker", "continue", SHOW];

/** In the loop: every line that gdb prints must be the same on both machines. */
const IN_THE_LOOP = [
  "tbreak loop",
  "continue",
  SHOW,
  "stepi",
  "stepi",
  "stepi",
  SHOW,
  "break store",
  "continue",
  SHOW,
  "continue 1000",
  SHOW,
  "delete",
  "watch *(long*)&cell",
  "continue",
  SHOW,
  "continue",
  SHOW,
  "delete",
  "rwatch *(long*)&cell",
  "delete",
  "hbreak store if $s1 == 40002000",
  "continue",
  SHOW,
  "delete",
];

const lab = new DebuggerLab();
afterAll(() => lab.close());

interface Statistics {
  readonly instructions: number;
  readonly consoleSha256: string;
  readonly end: string;
}

it.for(["hot", "all"])(
  "breaks, steps and watches there as QEMU does (%s translated)",
  { timeout: 240_000 },
  async (translate, test) => {
    lab.needs(test, GDB, GCC, QEMU);
    const elf = lab.build(PROGRAM);
    const commands = [...TO_THE_MIDDLE, ...IN_THE_LOOP];
    const theirs = await lab.gdb(await lab.startQemu(elf), elf, [...commands, "kill"]);

    const options = ["--translate", translate, "--stats"];
    const alone = await lab.startOurs(elf, "-S", ...options, lab.at("alone.json"));
    await lab.gdb(alone.target, elf, ["detach"]);
    expect(await alone.ended).toBe(0);

    const debugged = await lab.startOurs(elf, "-S", ...options, lab.at("debugged.json"));
    const jit = "monitor info jit";
    const script = [...TO_THE_MIDDLE, jit, ...IN_THE_LOOP, "tbreak marker", "continue", jit, "detach"];
    const said = await lab.gdb(debugged.target, elf, script);
    expect(await debugged.ended).toBe(0);

    const units = said.flatMap((line) => /CPU#0 (\d+) units/.exec(line)?.[1] ?? []).map(Number);
    expect(units.length).toBe(2);
    expect(Math.min(...units)).toBeGreaterThan(0);
    const compared = said.filter((line) => !line.startsWith("CPU#")).slice(0, theirs.length - 1);
    expect(compared.map(withoutPlace)).toEqual(theirs.slice(0, -1).map(withoutPlace));

    const statistics = ["alone.json", "debugged.json"].map((name): Statistics => {
      const { instructions, consoleSha256, end } = JSON.parse(readFileSync(lab.at(name), "utf8"));
      return { instructions, consoleSha256, end };
    });
    expect(statistics[1]).toEqual(statistics[0]);
    expect(debugged.console()).toBe(alone.console());
    expect(debugged.console()).toMatch(/^[0-9a-f]{16}$/);
  },
);
