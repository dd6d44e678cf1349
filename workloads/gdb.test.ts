/** The real gdb-multiarch with our stub and with QEMU's: the same commands must give the same output. */
import { afterAll, expect, it } from "vitest";
import { DebuggerLab, GCC, GDB, QEMU, withoutPlace } from "./testing/debugger-lab.ts";

/** Counts in a register and in memory; the trap handler counts illegal instructions. */
const PROGRAM = `
    .globl _start, loop, work, counter, trapped, on_trap
_start:
    la t0, on_trap
    csrw mtvec, t0
    la sp, stack_end
    li s0, 0
loop:
    addi s0, s0, 1
    la t0, counter
    sd s0, 0(t0)
    call work
    j loop
work:
    addi sp, sp, -16
    sd ra, 8(sp)
    la t1, counter
    lw a0, 0(t1)
    .4byte 0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
    .balign 4
on_trap:
    csrr t2, mepc
    addi t2, t2, 4
    csrw mepc, t2
    la t2, trapped
    ld t3, 0(t2)
    addi t3, t3, 1
    sd t3, 0(t2)
    mret
    .balign 4096
counter: .8byte 0
trapped: .8byte 0
    .balign 16
    .skip 256
stack_end:
`;

/** Every line that they print must be the same on both. */
const COMMANDS = [
  'printf "start %lx\\n", $pc',
  "break work",
  "continue",
  'printf "work %lx s0=%ld counter=%ld\\n", $pc, $s0, *(long*)&counter',
  "stepi",
  "stepi",
  'printf "stepped %lx sp=%lx saved ra=%lx\\n", $pc, $sp, *(long*)($sp+8)',
  "x/3i $pc",
  "continue",
  "continue",
  'printf "third %ld mcause=%lx mtvec=%lx\\n", $s0, $mcause, $mtvec',
  "delete",
  "watch *(long*)&counter",
  "continue",
  'printf "written %lx %ld\\n", $pc, *(long*)&counter',
  "delete",
  "rwatch *(int*)&counter",
  "continue",
  'printf "read %lx a0=%ld\\n", $pc, $a0',
  "delete",
  "awatch *(long*)&trapped",
  "continue",
  'printf "accessed %lx mepc=%lx\\n", $pc, $mepc',
  "delete",
  "hbreak on_trap",
  "continue",
  'printf "trap %lx mcause=%lx priv=%d\\n", $pc, $mcause, $priv',
  "set $s0 = 1000",
  "set *(long*)&counter = 77",
  "set $fa0.double = 1.5",
  'printf "float %g %lx\\n", $fa0.double, $fa0.double == 1.5',
  "set $mscratch = 0x1234567890abcdef",
  'printf "set %ld %ld %lx\\n", $s0, *(long*)&counter, $mscratch',
  "delete",
  "tbreak work",
  "continue",
  'printf "again %lx s0=%ld counter=%ld\\n", $pc, $s0, *(long*)&counter',
  // Code patched by the debugger is executed as written: addi s0,s0,1 becomes addi s0,s0,2.
  "set *(short*)&loop = 0x0409",
  "tbreak work",
  "continue",
  'printf "patched s0=%ld\\n", $s0',
  "output *(char*)0x5",
];

const lab = new DebuggerLab();
afterAll(() => lab.close());

it("breaks, steps, watches, reads and writes as with QEMU", async (test) => {
  lab.needs(test, GDB, GCC, QEMU);
  const elf = lab.build(PROGRAM);
  const theirs = await lab.gdb(await lab.startQemu(elf), elf, [...COMMANDS, "kill"]);
  const ours = await lab.startOurs(elf, "-S");
  const said = await lab.gdb(ours.target, elf, [...COMMANDS, "kill"]);
  expect(said.map(withoutPlace)).toEqual(theirs.map(withoutPlace));
  expect(said.at(-1)).toMatch(/^\[Inferior 1 .* killed\]$/);
  expect(said.filter((line) => /^(written|read|accessed|trap|patched) /.test(line)).length).toBe(5);
  expect(await ours.ended).toBe(0);
}, 240_000);

it("interrupts a running guest, passes on monitor commands, detaches, and lets it run to its end", async (test) => {
  lab.needs(test, GDB, GCC);
  const elf = lab.build(PROGRAM);
  const ours = await lab.startOurs(elf, "--max-instructions", "30000000");
  const said = await lab.gdb(ours.target, elf, [
    "info threads",
    "monitor info status",
    'printf "at %d\\n", $pc >= 0x1000',
    "detach",
  ]);
  expect(said.join("\n")).toMatch(/\* 1 .*Thread 1.*CPU#0/);
  expect(said.join("\n")).toContain("VM status: paused");
  expect(said).toContain("at 1");
  expect(await ours.ended).toBe(0);
}, 120_000);
