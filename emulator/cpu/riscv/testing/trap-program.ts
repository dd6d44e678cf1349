/** Programs that cause traps of every kind, for comparison with another implementation. */
import { decode } from "../instructions/decode.ts";
import { program } from "./harness.ts";
import { Random } from "./random-program.ts";

/**
 * A trap is logged with its level, cause, address (relative to `_start`), value and status, and resumes after the
 * instruction, or at s10 if that is not zero; in machine mode if s9 is not zero.
 */
const handlers = `
    .balign 4
on_trap:
    csrrw a0, mscratch, a0
    csrr a1, mcause
    csrr a2, mepc
    csrr a3, mtval
    csrr a4, mstatus
    li a5, 3
    call log_trap
    csrw mepc, a2
    bgez a1, 2f
    csrw mie, zero # one interrupt a time
2:  beqz s9, 1f
    li a4, 3 << 11
    csrs mstatus, a4
1:  csrrw a0, mscratch, a0
    mret
    .balign 4
on_supervisor_trap:
    csrr a1, scause
    csrr a2, sepc
    csrr a3, stval
    csrr a4, sstatus
    li a5, 1
    call log_trap
    csrw sepc, a2
    bgez a1, 1f
    csrw sie, zero
1:  sret

log_trap:
    sd a5, 0(s11)
    sd a1, 8(s11)
    la a6, _start
    sub a6, a2, a6
    sd a6, 16(s11)
    sd a3, 24(s11)
    # FS and XS, and the fixed widths that sstatus and mstatus show
    li a6, ~((3 << 13) | (3 << 15) | (1 << 63))
    and a4, a4, a6
    sd a4, 32(s11)
    addi s11, s11, 40
    bltz a1, 3f # an interrupt resumes where it came
    bnez s10, 2f
    lhu a6, 0(a2)
    not a7, a6
    andi a7, a7, 3
    addi a2, a2, 2
    bnez a7, 1f
    addi a2, a2, 2
1:  ret
2:  mv a2, s10
3:  ret
`;

const logValue = (register: string): string => `    sd ${register}, 0(s11)\n    addi s11, s11, 8\n`;

/** Words that are not instructions here. System instructions are left to a list, since QEMU's differ by design. */
function illegalWords(random: Random, count: number): string[] {
  const lines: string[] = [];
  while (lines.length < count) {
    let word = random.next();
    // Half of them are nearly legal: they have a legal major opcode.
    if (random.below(2) === 0)
      word = (word & ~0x7f) | random.pick([0x03, 0x13, 0x1b, 0x23, 0x2f, 0x33, 0x3b, 0x63, 0x67, 0x0f]);
    if (decode(word) !== undefined || (word & 0x7f) === 0x73) continue;
    lines.push(
      (word & 3) === 3 ? `.4byte 0x${(word >>> 0).toString(16)}` : `.2byte 0x${(word & 0xffff).toString(16)}`,
    );
  }
  return lines;
}

const prepare = `
    li s9, 0
    li s10, 0
    la t0, on_supervisor_trap
    csrw stvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, ${0x2004000} # no timer interrupt
    li t1, -1
    sd t1, 0(t0)
`;

/** Continues in another privilege at the next line. */
const enter = (privilege: number): string => `
    la t0, 1f
    csrw mepc, t0
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, ${privilege} << 11
    csrs mstatus, t0
    mret
1:
`;

/** Back to machine mode: environment calls are never delegated here. */
const leave = `
    li s9, 1
    ecall
    li s9, 0
`;

/** Atomics that read and write are left out: QEMU 7.2 reports some of their faults as those of loads. */
const badAccesses = `
    li t1, ${0x80000000 + 0x7000000 * 2}
    lb t2, 1(t1)
    lhu t2, 3(t1)
    lw t2, 4(t1)
    ld t2, 5(t1)
    sb t2, 1(t1)
    sd t2, 8(t1)
    lr.d t2, (t1)
    sc.d t2, t2, (t1)
    la t1, _start
    addi t1, t1, 1
    lr.w t2, (t1)
    sc.w t2, t2, (t1)
`;

/** Every exception, taken in machine mode and delegated, from all privileges. */
export function exceptionProgram(seed: number): string {
  const random = new Random(seed);
  /** User mode may not execute wfi; supervisor mode may, and would wait forever. */
  const exceptions = (privilege: number): string => `${illegalWords(random, 25).join("\n")}
    ebreak
    c.ebreak
    .2byte 0
    .4byte 0xffffffff
${badAccesses}
    mret
    csrr t0, mstatus
    csrr t0, 0x5c0
    csrw cycle, t0
    csrr t0, instret
    ${privilege === 0 ? "wfi" : ""}
    sfence.vma
    csrr t0, sscratch
    csrr t0, satp
    la s10, 2f
    li t1, 0x10000
    jr t1
2:  li s10, 0
    ecall
`;
  /** Machine mode may do some of these, so there is no wfi and no mret. */
  const machineExceptions = `${illegalWords(random, 40).join("\n")}
    ebreak
    c.ebreak
${badAccesses}
    csrr t0, 0x5c0
    csrw cycle, t0
    csrw 0xf11, t0
    csrrs t0, 0xf11, zero
    csrrs t0, 0xf11, t1
    csrrsi t0, 0xf14, 0
    csrrsi t0, 0xf14, 1
    la s10, 2f
    li t1, 0x10000
    jr t1
2:  li s10, 0
    ecall
`;
  const delegations = [0, 0xb3ff, 0x1004, random.next() & 0xb3ff];
  const body = delegations
    .map(
      (delegation) => `
    li t0, ${delegation & ~0x300}
    csrw medeleg, t0
    ${enter(3)}${machineExceptions}
    ${enter(1)}${exceptions(1)}${leave}
    ${enter(0)}${exceptions(0)}${leave}
    csrw medeleg, zero # or the supervisor's handler could not return
    li t0, (1 << 20) | (1 << 21) | (1 << 22) # TVM, TW, TSR
    csrs mstatus, t0
    ${enter(1)}
    csrr t0, satp
    sfence.vma
    wfi
    la t0, 1f
    csrw sepc, t0
    sret
1:  ${leave}
    li t0, (1 << 20) | (1 << 21) | (1 << 22)
    csrc mstatus, t0`,
    )
    .join("\n");
  return program(`${prepare}${body}\n    j finish`, handlers);
}

/** Which bits control registers keep of what is written to them. */
export function registerProgram(seed: number): string {
  const random = new Random(seed);
  // Only bits that QEMU treats in the same way: it keeps the lowest bit of addresses and some of the hypervisor's bits.
  const interrupts = 0xaaan;
  const registers: readonly [name: string, bits: bigint][] = [
    ["mscratch", -1n],
    ["mepc", -2n],
    ["mcause", -1n],
    ["mtval", -1n],
    ["stvec", -1n],
    ["sscratch", -1n],
    ["sepc", -2n],
    ["scause", -1n],
    ["stval", -1n],
    ["satp", -1n],
    ["mtvec", -1n],
    ["mie", interrupts],
    ["sie", interrupts],
    ["mideleg", interrupts],
    ["sip", interrupts],
    ["mip", interrupts],
    ["misa", -1n],
    ["mhartid", -1n],
  ];
  const lines: string[] = [];
  for (let round = 0; round < 200; round++) {
    const [register, bits] = random.pick(registers);
    const operation =
      register === "mhartid"
        ? "csrr"
        : random.pick(["csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"]);
    lines.push(`    li t1, 0x${BigInt.asUintN(64, random.value() & bits).toString(16)}`);
    if (operation === "csrr") lines.push(`    csrr t2, ${register}`);
    else if (operation.endsWith("i"))
      lines.push(`    ${operation} t2, ${register}, ${random.below(32) & Number(bits & 31n)}`);
    else lines.push(`    ${operation} t2, ${register}, ${random.pick(["t1", "zero"])}`);
    lines.push(`    csrr t3, ${register}`);
    lines.push(logValue("t2"), logValue("t3"));
    if (register === "mtvec") lines.push("    la t0, on_trap", "    csrw mtvec, t0");
    if (register === "mie" || register === "mip" || register === "sie" || register === "sip") {
      for (const other of ["mie", "mip", "sie", "sip"]) lines.push(`    csrr t0, ${other}`, logValue("t0"));
    }
  }
  return program(`${prepare}${lines.join("\n")}\n    j finish`, handlers);
}

/** Fields of mstatus, written through mstatus and sstatus, and changed by traps and returns. */
export function statusProgram(seed: number): string {
  const random = new Random(seed);
  const lines: string[] = [];
  const mask = `    li t5, ~((3 << 13) | (3 << 15) | (1 << 63) | (0xf << 32) | (3 << 9) | (1 << 6))\n`;
  for (let round = 0; round < 100; round++) {
    // No MIE, since nothing may interrupt. MPP 2 does not exist, and what it becomes is unspecified.
    const previous = random.pick([0, 1, 3]);
    const value = ((random.next() & ~((1 << 3) | (3 << 11) | (1 << 17))) | (previous << 11)) >>> 0;
    lines.push(`    li t1, ${value}`, `    csrw ${random.pick(["mstatus", "mstatus", "sstatus"])}, t1`, mask);
    lines.push("    csrr t2, mstatus", "    and t2, t2, t5", logValue("t2"));
    lines.push("    csrr t2, sstatus", "    and t2, t2, t5", logValue("t2"));
    if (round % 3 === 0) {
      lines.push("    csrw mstatus, zero", enter(random.pick([0, 1])), leave);
      lines.push("    csrr t2, mstatus", mask, "    and t2, t2, t5", logValue("t2"));
    }
  }
  return program(`${prepare}${lines.join("\n")}\n    j finish`, handlers);
}

/** Interrupts: enabled, delegated, masked by privilege. */
export function interruptProgram(seed: number): string {
  const random = new Random(seed);
  const lines: string[] = [];
  for (let round = 0; round < 120; round++) {
    const enable = random.next() & 0xaaa;
    const delegate = random.next() & 0x222;
    // One at a time: of several, QEMU takes the lowest number, but the specification demands another.
    const source = random.pick([1, 3, 5, 9]);
    const pending = source === 3 ? 0 : 1 << source;
    const privilege = random.pick([0, 1, 3]);
    const globalEnable = random.next() & 0xa;
    const machineSoftware = source === 3 ? 1 : 0;
    lines.push(`
    csrw mie, zero
    csrw mip, zero
    li t0, ${delegate}
    csrw mideleg, t0
    li t0, 10
    csrc mstatus, t0
    li t0, ${pending}
    csrw mip, t0
    li t0, 0x2000000
    li t1, ${machineSoftware}
    sw t1, 0(t0)
    li t0, ${enable}
    csrw mie, t0
    csrr t0, mip
    li t1, 0x22a
    and t0, t0, t1
${logValue("t0")}
    csrr t0, sip
    and t0, t0, t1
${logValue("t0")}
    # mret moves MPIE to MIE; SIE is set beforehand
    li t0, ${globalEnable & 2}
    csrs mstatus, t0
    li t0, 1 << 7
    csrc mstatus, t0
    li t0, ${(globalEnable & 8) << 4}
    csrs mstatus, t0
    ${enter(privilege)}
    nop
    nop
    li t0, 0x2000000
    ${privilege === 3 ? "csrw mie, zero" : ""}
    ${leave}
    csrw mie, zero`);
  }
  return program(`${prepare}${lines.join("\n")}\n    j finish`, handlers);
}
