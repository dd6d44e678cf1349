/** Programs that test address translation, for comparison with another implementation. */
import { program } from "./harness.ts";

/** Virtual address of the page under test: entry 1 of the root table, 0 of the tables below. */
const TEST_PAGE = 0x40000000;

/**
 * The trap handler resumes at the address in s10, in machine mode, with cause and value of the trap in a6 and a7.
 * Page tables and the page that is mapped follow.
 */
const support = `
on_trap:
    csrr a6, mcause
    csrr a7, mtval
    csrw mepc, s10
    li t6, 3 << 11
    csrs mstatus, t6
    li t6, 1 << 17
    csrc mstatus, t6
    mret
    .balign 4096
target: # an instruction that says it was reached, then data
    ebreak
    .zero 4092
    .balign 4096
root: .zero 4096
middle: .zero 4096
leaf: .zero 4096
`;

const setUp = `
    la t0, target
    la t1, root
    srli t2, t1, 12
    li t3, 8
    slli t3, t3, 60
    or s0, t2, t3        # satp
    la s1, leaf
    la s2, middle
    la s3, root
    srli s4, t0, 12
    slli s4, s4, 10      # entry for the target, without flags
    srli t2, s2, 12
    slli t2, t2, 10
    ori t2, t2, 1
    sd t2, 8(s3)
    srli t2, s1, 12
    slli t2, t2, 10
    ori t2, t2, 1
    sd t2, 0(s2)
    # everything is allowed to everybody
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
`;

/** One access with the previous privilege in a0, more mstatus bits in a1, and the kind in a2: load, store, fetch. */
const tryAccess = `
try_access:
    csrw satp, s0
    sfence.vma
    li t0, (3 << 11) | (1 << 17) | (3 << 18)
    csrc mstatus, t0
    slli t1, a0, 11
    or t1, t1, a1
    li a6, 0
    li a7, 0
    la s10, 9f
    beqz a2, 1f
    li t0, 1
    beq a2, t0, 2f
    csrs mstatus, t1
    csrw mepc, s5
    mret
1:  li t0, 1 << 17
    or t1, t1, t0
    csrs mstatus, t1
    lb t2, 8(s5)
    j 8f
2:  li t0, 1 << 17
    or t1, t1, t0
    csrs mstatus, t1
    sb zero, 8(s5)
8:  li t0, 1 << 17
    csrc mstatus, t0
9:  csrw satp, zero
    sfence.vma
    sb a6, 0(s11)
    sub t0, a7, s5
    sb t0, 1(s11)
    addi s11, s11, 2
    ret
`;

/** Every combination of the eight flags of a leaf, privilege, SUM and MXR, for every kind of access. */
export function permissionProgram(): string {
  return program(
    `${setUp}
    li s5, ${TEST_PAGE}
    li s6, 0             # flags
1:  li s7, 0             # privilege, SUM, MXR
2:  li a2, 0
3:  or t0, s4, s6
    sd t0, 0(s1)
    andi a0, s7, 1
    srli t0, s7, 1
    slli a1, t0, 18
    call try_access
    ld t0, 0(s1)         # accessed and dirty bits
    sb t0, 0(s11)
    addi s11, s11, 1
    addi a2, a2, 1
    li t0, 3
    bltu a2, t0, 3b
    addi s7, s7, 1
    li t0, 8
    bltu s7, t0, 2b
    addi s6, s6, 1
    li t0, 256
    bltu s6, t0, 1b
    j finish
${tryAccess}`,
    support,
  );
}

/** Shapes of tables: superpages aligned or not, reserved bits, pointers with leaf bits, addresses out of range. */
export function shapeProgram(): string {
  const valid = 0xcf;
  const lines: string[] = [];
  /** Accesses an address; only by loads where it would hit the program itself. */
  const attempt = (address: string, kinds: readonly number[] = [0, 1, 2]): void => {
    for (const kind of kinds) {
      lines.push(`li s5, ${address}`, "li a0, 1", "li a1, 0", `li a2, ${kind}`, "call try_access");
    }
  };
  const entry = (table: string, offset: number, value: string): void => {
    lines.push(`li t0, ${value}`, `li t1, ${offset}`, `add t1, t1, ${table}`, "sd t0, 0(t1)");
  };
  // Leaves at each level, with every possible lowest bit of the page number.
  for (let bit = 0; bit < 19; bit++) {
    lines.push(`li t0, ${valid} | (0x80000 << 10) | (1 << ${10 + bit})`, "sd t0, 0(s2)");
    attempt("0x40000000");
    attempt("0x401ff000");
    lines.push(`li t0, ${valid} | (0x80000 << 10) | (1 << ${10 + bit})`, "sd t0, 16(s3)");
    attempt("0x80000000");
  }
  // A gigabyte and two megabytes that work, reached at several offsets.
  entry("s3", 24, `${valid} | (0x80000 << 10)`);
  for (const offset of ["0xc0000000", "0xc0000ff8", "0xc0200000", "0xffffffffc0000000"]) attempt(offset, [0]);
  entry("s3", 8 * 511, `${valid} | (0x80000 << 10)`);
  attempt("0xffffffffc0000000", [0]);
  attempt("0xffffffbfc0000000", [0]);
  attempt("0x7fc0000000", [0]);
  attempt("0x3fc0000000", [0]);
  attempt("0x80000000c0000000", [0]);
  attempt("0x4000000000", [0]);
  // Bits above the page number.
  for (let bit = 54; bit < 64; bit++) {
    lines.push("srli t0, s1, 12", "slli t0, t0, 10", "ori t0, t0, 1", "sd t0, 0(s2)");
    lines.push(`li t1, 1 << ${bit}`, `ori t0, s4, ${valid}`, "or t0, t0, t1", "sd t0, 0(s1)");
    attempt(String(TEST_PAGE));
    lines.push(`ori t0, s4, ${valid}`, "sd t0, 0(s1)");
    lines.push("srli t0, s1, 12", "slli t0, t0, 10", "ori t0, t0, 1", "or t0, t0, t1", "sd t0, 0(s2)");
    attempt(String(TEST_PAGE));
  }
  // Pointers with each flag set; a pointer in the last table.
  for (let flag = 0; flag < 8; flag++) {
    lines.push("srli t0, s1, 12", "slli t0, t0, 10", `ori t0, t0, 1 | (1 << ${flag})`, "sd t0, 0(s2)");
    attempt(String(TEST_PAGE));
  }
  lines.push("srli t0, s1, 12", "slli t0, t0, 10", "ori t0, t0, 1", "sd t0, 0(s2)", "sd t0, 0(s1)");
  attempt(String(TEST_PAGE));
  // Unmapped pages. (For tables there, QEMU raises a page fault, but the specification says access fault.)
  for (const page of ["0x40", "0x200", "0xfffffffff"]) {
    lines.push(`li t0, (${page} << 10) | ${valid}`, "sd t0, 16(s1)");
    attempt(`${TEST_PAGE} + 0x2000`);
  }
  return program(`${setUp}${lines.join("\n")}\nj finish\n${tryAccess}`, support);
}

/** Accesses across two pages, each of which may be missing, read-only or writable. */
export function crossingProgram(): string {
  const rights = [0, 0x43, 0xc7];
  const lines: string[] = ["    la s6, target", "    li s8, 0x1122334455667788"];
  for (const first of rights) {
    for (const second of rights) {
      lines.push(`    ori t0, s4, ${first}`, "    sd t0, 0(s1)");
      lines.push(
        `    addi t0, s4, ${second}`,
        "    li t1, 1 << 10",
        "    add t0, t0, t1",
        "    sd t0, 8(s1)",
      );
      for (const [bytes, load, store] of [
        [2, "lhu", "sh"],
        [4, "lw", "sw"],
        [8, "ld", "sd"],
      ] as const) {
        for (let inFirst = 1; inFirst < bytes; inFirst++) {
          for (const instruction of [store, load]) lines.push(crossing(instruction, 4096 - inFirst));
        }
      }
    }
  }
  return program(`${setUp}${lines.join("\n")}\n    j finish`, support.replace("root: .zero 4096", spare));
}

/** The frame after the target, which is mapped as the second page; the tables follow. */
const spare = `
spare: .zero 4096
root: .zero 4096`;

/** One access as supervisor; logs cause, low half of the value, register, and memory on both sides. */
function crossing(instruction: string, offset: number): string {
  return `
    csrw satp, s0
    sfence.vma
    li s5, ${TEST_PAGE + offset}
    li a6, 0
    li a7, 0
    li t2, 0
    mv t3, s8
    la s10, 9f
    li t0, (3 << 11) | (3 << 18)
    csrc mstatus, t0
    li t0, (1 << 11) | (1 << 17)
    csrs mstatus, t0
    ${instruction} t3, 0(s5)
9:  li t0, 1 << 17
    csrc mstatus, t0
    csrw satp, zero
    sfence.vma
    sb a6, 0(s11)
    sw a7, 4(s11)
    sd t3, 8(s11)
    li t0, 4096
    add t0, t0, s6
    ld t1, -8(t0)
    sd t1, 16(s11)
    ld t1, 0(t0)
    sd t1, 24(s11)
    sd zero, -8(t0)
    sd zero, 0(t0)
    addi s11, s11, 32`;
}
