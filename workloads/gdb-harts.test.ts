/** The real gdb with four harts, ours and QEMU's: threads, registers, breakpoints, watchpoints and steps of each. */
import { afterAll, expect, it } from "vitest";
import { DebuggerLab, GCC, GDB, QEMU, withoutPlace } from "./testing/debugger-lab.ts";

/**
 * When all four have started, every hart counts in a register and in a word of its own, and calls `shared`. The one
 * that `mailbox` names, counted from 1, goes to `alone`. Pauses give each a turn.
 */
const PROGRAM = `
    .globl _start, spin, alone, shared, mailbox, counters
_start:
    csrr s2, mhartid
    addi s1, s2, 100
    slli t0, s2, 3
    la s3, counters
    add s3, s3, t0
    la s4, mailbox
    li s0, 0
    la t0, started
    li t1, 1
    amoadd.d zero, t1, (t0)
    li t1, 4
1:  .4byte 0x0100000f       # pause
    ld t2, 0(t0)
    bne t1, t2, 1b
spin:
    addi s0, s0, 1
    sd s0, 0(s3)
    call shared
    .4byte 0x0100000f       # pause
    ld t0, 0(s4)
    addi t1, s2, 1
    bne t0, t1, spin
    j alone
    .balign 64
alone:
    sd zero, 0(s4)
    addi s1, s1, 10
    addi s1, s1, 10
    j spin
    .balign 64
shared:
    addi a0, s2, 7
    ret
    .balign 4096
mailbox: .8byte 0
started: .8byte 0
counters: .8byte 0, 0, 0, 0
`;

const counter = (thread: number) => `((long*)&counters)[${thread - 1}]`;

/** Every line that they print must be the same on both. */
const COMMANDS = [
  "info threads",
  // A breakpoint in a hart that the guest chooses.
  "break alone",
  "set *(long*)&mailbox = 3",
  "continue",
  'printf "thread %d hart %d s1=%ld at %lx\\n", $_thread, $mhartid, $s1, $pc',
  "info threads",
  // Each hart has its own registers.
  ...[1, 2, 3, 4].flatMap((thread) => [
    `thread ${thread}`,
    'printf "thread %d hart %d s1=%ld s2=%ld s3=%lx\\n", $_thread, $mhartid, $s1, $s2, $s3',
  ]),
  "set $s1 = 777",
  "thread 2",
  'printf "thread %d s1=%ld\\n", $_thread, $s1',
  'thread apply all printf "all: %d %ld\\n", $mhartid, $s1',
  // One hart steps while the others stand still.
  "set scheduler-locking on",
  "thread 1",
  "set $still = $s0",
  "thread 3",
  "stepi",
  "stepi",
  'printf "stepped %lx s1=%ld mailbox=%ld\\n", $pc, $s1, *(long*)&mailbox',
  "stepi",
  "stepi",
  'printf "stepped %lx s1=%ld\\n", $pc, $s1',
  "thread 1",
  'printf "still %d\\n", $s0 == $still',
  // One hart runs while the others stand still.
  "delete",
  "thread 4",
  "tbreak shared",
  "continue",
  'printf "thread %d hart %d at %lx\\n", $_thread, $mhartid, $pc',
  `set $count = ${counter(4)}`,
  "tbreak shared",
  "continue",
  `printf "counted %ld\\n", ${counter(4)} - $count`,
  "thread 1",
  'printf "still %d\\n", $s0 == $still',
  // All harts run; a breakpoint in shared code applies to one of them.
  "set scheduler-locking off",
  "break shared thread 2",
  "continue",
  'printf "thread %d hart %d at %lx a0=%ld\\n", $_thread, $mhartid, $pc, $a0',
  "finish",
  'printf "thread %d a0=%ld\\n", $_thread, $a0',
  "delete",
  // A watchpoint on a word that one of them writes.
  `watch -location ${counter(2)}`,
  "continue",
  `printf "thread %d hart %d wrote %d\\n", $_thread, $mhartid, ${counter(2)} == $s0`,
  "delete",
  "break alone",
  "set *(long*)&mailbox = 4",
  "continue",
  'printf "thread %d hart %d s1=%ld\\n", $_thread, $mhartid, $s1',
  "kill",
];

const lab = new DebuggerLab();
afterAll(() => lab.close());

it("gdb sees four harts as threads, as with QEMU", async (test) => {
  lab.needs(test, GDB, GCC, QEMU);
  const elf = lab.build(PROGRAM);
  const theirs = await lab.gdb(await lab.startQemu(elf, "-smp", "4"), elf, COMMANDS);
  const ours = await lab.startOurs(elf, "-S", "--smp", "4");
  const said = await lab.gdb(ours.target, elf, COMMANDS);
  expect(said.map(whateverTime)).toEqual(theirs.map(whateverTime));
  expect(said.at(-1)).toMatch(/^\[Inferior 1 .* killed\]$/);
  expect(said.filter((line) => line === "still 1").length).toBe(2);
  expect(await ours.ended).toBe(0);
}, 240_000);

/** Removes the details that depend on how far the harts have come. */
function whateverTime(line: string): string {
  return withoutPlace(line)
    .replace(/(\(CPU#\d \[)(running|halted ?)(\]\)).*/, "$1$3")
    .replace(/ +Frame $/, " Frame ") // the heading's width depends on thread names, which are longer in QEMU
    .replace(/^(Old|New) value = \d+/, "$1 value")
    .replace(/0x[0-9a-f]+ in (_start|spin|shared|alone) \(\)/, "somewhere");
}
