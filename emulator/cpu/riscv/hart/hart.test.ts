import { expect, test } from "vitest";
import { PROBE_BASE, RAM_BASE, TestBoard } from "../testing/board.ts";
import { A0, A1, A2, A3, addi, boardWith, HANDLER, LOOP, op, trapOf } from "../testing/small-program.ts";
import { Interrupt } from "./causes.ts";

const MSTATUS = 0x300;
const MIDELEG = 0x303;
const MIE = 0x304;
const MTVEC = 0x305;
const MCAUSE = 0x342;
const MIP = 0x344;
const STVEC = 0x105;
const SCAUSE = 0x142;
const SATP = 0x180;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const MINSTRET = 0xb02;

test("run executes exactly as many instructions as allowed", () => {
  const board = boardWith([...Array.from({ length: 20 }, () => addi(A0, A0, 1)), LOOP]);
  for (const [budget, total] of [
    [1, 1],
    [0, 1],
    [6, 7],
    [13, 20],
  ] as const) {
    expect(board.hart.run(budget)).toBe("budget");
    expect(board.hart.readRegister(A0)).toBe(BigInt(total));
    expect(board.hart.retired).toBe(total);
  }
  // More than one slice of generated code.
  expect(board.hart.run(1_000_000)).toBe("budget");
  expect(board.hart.retired).toBe(1_000_020);
});

test("the count is exact while a device is accessed", () => {
  const board = boardWith([
    addi(A0, 0, 1),
    op("lui", { rd: A1, immediate: PROBE_BASE }),
    op("lw", { rd: A2, rs1: A1, immediate: 4 }),
    addi(A0, 0, 2),
    op("sd", { rs1: A1, rs2: A2, immediate: 8 }),
    LOOP,
  ]);
  const counts: number[] = [];
  board.onProbe = () => counts.push(board.hart.retired);
  board.hart.run(100);
  expect(counts).toEqual([2, 4]);
  expect(board.probed).toEqual(["r4 10001004", "w8 10001008 =10001004,0"]);
});

test("requestExit ends the run right after the instruction that caused it", () => {
  const board = boardWith([
    op("lui", { rd: A1, immediate: PROBE_BASE }),
    op("sw", { rs1: A1, rs2: A1 }),
    addi(A0, 0, 1),
    LOOP,
  ]);
  board.onProbe = () => board.hart.requestExit();
  expect(board.hart.run(100)).toBe("exit");
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 8));
  expect(board.hart.retired).toBe(2);
  expect(board.hart.run(1)).toBe("budget");
  expect(board.hart.readRegister(A0)).toBe(1n);
});

test("requestExit outside a run ends the next one at once", () => {
  const board = boardWith([LOOP]);
  board.hart.requestExit();
  expect(board.hart.run(10)).toBe("exit");
  expect(board.hart.retired).toBe(0);
});

test("wfi waits for an interrupt that is enabled, even if it is masked", () => {
  const board = boardWith([op("wfi"), addi(A0, 0, 1), LOOP]);
  const { hart } = board;
  expect(hart.run(10)).toBe("wfi");
  expect(hart.waiting).toBe(true);
  expect(hart.retired).toBe(1);
  hart.setInterrupt(Interrupt.MachineTimer, true);
  expect(hart.run(10)).toBe("wfi");
  hart.writeCsr(MIE, 1n << 7n);
  expect(hart.waiting).toBe(false);
  // mstatus.MIE is clear: execution continues after the instruction, without a trap.
  expect(hart.run(1)).toBe("budget");
  expect(hart.readRegister(A0)).toBe(1n);
});

test("an interrupt that a device raises is taken before the next instruction", () => {
  const board = boardWith([
    op("lui", { rd: A1, immediate: PROBE_BASE }),
    op("lw", { rd: A2, rs1: A1 }),
    addi(A0, 0, 1),
    LOOP,
  ]);
  board.hart.writeCsr(MIE, 1n << 11n);
  board.hart.writeCsr(MSTATUS, 8n);
  board.onProbe = () => board.hart.setInterrupt(Interrupt.MachineExternal, true);
  board.hart.run(10);
  expect(trapOf(board)).toEqual({
    at: BigInt(HANDLER),
    cause: (1n << 63n) | 11n,
    from: BigInt(RAM_BASE + 8),
    value: 0n,
  });
  expect(board.hart.readRegister(A0)).toBe(0n);
  expect(board.hart.readRegister(A2)).toBe(BigInt(PROBE_BASE));
});

test("of several interrupts the one with the highest priority is taken: external, software, timer; machine before supervisor", () => {
  const order = [11, 3, 7, 9, 1, 5] as const;
  for (const [index, expected] of order.entries()) {
    const board = boardWith([LOOP]);
    for (const cause of order.slice(index)) board.hart.setInterrupt(cause, true);
    board.hart.writeCsr(MIE, 0xaaan);
    board.hart.writeCsr(MSTATUS, 8n);
    board.hart.run(1);
    expect(board.hart.readCsr(MCAUSE)).toBe((1n << 63n) | BigInt(expected));
  }
});

test("vectored interrupts go to four bytes times their number, exceptions to the base", () => {
  const board = boardWith([LOOP, op("ecall")]);
  board.hart.writeCsr(MTVEC, BigInt(HANDLER + 1));
  board.hart.writeCsr(MIE, 0xaaan);
  board.hart.writeCsr(MSTATUS, 8n);
  board.loadWords(HANDLER + 28, [LOOP]);
  board.hart.setInterrupt(Interrupt.MachineTimer, true);
  board.hart.run(1);
  expect(board.hart.pc).toBe(BigInt(HANDLER + 28));
  board.hart.writeCsr(MIE, 0n);
  board.hart.pc = BigInt(RAM_BASE + 4);
  board.hart.run(1);
  expect(board.hart.pc).toBe(BigInt(HANDLER));
});

test("a delegated interrupt is taken by the supervisor, which clears a software one itself", () => {
  const board = boardWith([op("csrrci", { rd: A0, rs1: 2, immediate: 0x144 }), LOOP]);
  const { hart } = board;
  hart.writeCsr(MIDELEG, 2n);
  hart.writeCsr(MIE, 2n);
  hart.writeCsr(STVEC, BigInt(HANDLER));
  hart.privilege = 0;
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, 0x1fn);
  hart.setInterrupt(Interrupt.SupervisorSoftware, true);
  hart.run(1);
  expect(hart.privilege).toBe(1);
  expect(hart.readCsr(SCAUSE)).toBe((1n << 63n) | 1n);
  hart.pc = BigInt(RAM_BASE);
  hart.run(1);
  expect(hart.readRegister(A0)).toBe(2n);
  expect(hart.readCsr(MIP)).toBe(0n);
});

test("a device's line is not kept by setting other bits of mip", () => {
  const board = boardWith([op("csrrsi", { rd: A0, rs1: 2, immediate: MIP }), LOOP]);
  board.hart.setInterrupt(Interrupt.SupervisorExternal, true);
  board.hart.run(1);
  expect(board.hart.readRegister(A0)).toBe(1n << 9n);
  board.hart.setInterrupt(Interrupt.SupervisorExternal, false);
  expect(board.hart.readCsr(MIP)).toBe(2n);
});

test("reset clears the hart, but not the interrupt lines of devices", () => {
  const board = boardWith([addi(A0, A0, 1), LOOP]);
  const { hart } = board;
  hart.setInterrupt(Interrupt.MachineTimer, true);
  hart.setInterrupt(Interrupt.SupervisorSoftware, true);
  hart.writeCsr(MIE, 0xaaan);
  hart.privilege = 1;
  hart.run(3);
  hart.reset(RAM_BASE);
  expect([hart.pc, hart.privilege, hart.retired]).toEqual([BigInt(RAM_BASE), 3, 0]);
  expect([hart.readRegister(A0), hart.readCsr(MIE), hart.readCsr(MSTATUS)]).toEqual([0n, 0n, 0xa00000000n]);
  expect(hart.readCsr(MIP)).toBe(1n << 7n);
});

// QEMU 7.2 reports these as faults of loads; the specification (unprivileged ISA, section 8.4) says store/AMO.
test.for([
  ["misaligned", RAM_BASE + 0x1002, 6n],
  ["in a device", PROBE_BASE, 7n],
  ["at an unmapped address", 0x70000000, 7n],
] as const)("an atomic %s is a store/AMO exception", ([, address, cause]) => {
  const board = boardWith([op("amoadd.w", { rd: A0, rs1: A1, rs2: A0 })]);
  board.hart.writeRegister(A1, BigInt(address));
  board.hart.run(1);
  expect(trapOf(board)).toEqual({
    at: BigInt(HANDLER),
    cause,
    from: BigInt(RAM_BASE),
    value: BigInt(address),
  });
  expect(board.probed).toEqual([]);
});

// QEMU 7.2 raises page faults; the specification (privileged ISA, section 4.3.2, step 2) says access faults.
test("a page table at an unmapped address causes an access fault of the original kind", () => {
  const board = boardWith([op("ld", { rd: A0, rs1: A1 })]);
  const { hart } = board;
  hart.writeCsr(SATP, (8n << 60n) | 0x40n);
  hart.writeCsr(MSTATUS, (1n << 17n) | (1n << 11n)); // MPRV, previous privilege supervisor
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, 0x1fn);
  hart.writeRegister(A1, 0x1234n);
  hart.run(1);
  expect(trapOf(board)).toMatchObject({ cause: 5n, value: 0x1234n });
});

test("misaligned device accesses: loads as two aligned ones, stores byte by byte", () => {
  const board = boardWith([
    op("lw", { rd: A0, rs1: A1, immediate: 2 }),
    op("lhu", { rd: A2, rs1: A1, immediate: 1 }),
    op("sh", { rs1: A1, rs2: A3, immediate: 1 }),
    LOOP,
  ]);
  board.hart.writeRegister(A1, BigInt(PROBE_BASE));
  board.hart.writeRegister(A3, 0x1234n);
  board.hart.run(3);
  expect(board.probed).toEqual([
    "r4 10001000",
    "r4 10001004",
    "r2 10001000",
    "r2 10001002",
    "w1 10001001 =34,0",
    "w1 10001002 =12,0",
  ]);
  // The upper half of 0x10001000 and the lower half of 0x10001004.
  expect(board.hart.readRegister(A0)).toBe(0x10041000n);
  expect(board.hart.readRegister(A2)).toBe(0x0210n);
});

test("narrow device reads are extended as the instruction says", () => {
  const board = boardWith([
    op("lh", { rd: A0, rs1: A1, immediate: -2048 }),
    op("lhu", { rd: A2, rs1: A1, immediate: -2048 }),
    op("lw", { rd: A3, rs1: A1, immediate: -2048 }),
  ]);
  // Reads return a value whose low half looks negative.
  board.read = () => 0xffff9234;
  board.hart.writeRegister(A1, BigInt(PROBE_BASE + 2048));
  board.hart.run(3);
  expect(board.hart.readRegister(A0)).toBe(BigInt.asUintN(64, -0x6dccn));
  expect(board.hart.readRegister(A2)).toBe(0x9234n);
  expect(board.hart.readRegister(A3)).toBe(BigInt.asUintN(64, -0x6dccn));
});

test("minstret excludes instructions that trap, the hart's own count does not", () => {
  const board = boardWith([addi(A0, 0, 1), op("ecall")]);
  board.loadWords(HANDLER, [op("csrrs", { rd: A2, immediate: MINSTRET }), LOOP]);
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(1n);
  expect(board.hart.retired).toBe(3);
});

test("counters can be written and inhibited", () => {
  const board = boardWith([
    op("csrrw", { rs1: A1, immediate: MINSTRET }),
    op("csrrs", { rd: A2, immediate: MINSTRET }),
    op("csrrwi", { rs1: 4, immediate: 0x320 }),
    addi(A0, 0, 1),
    op("csrrs", { rd: A3, immediate: MINSTRET }),
    op("csrrwi", { rs1: 0, immediate: 0x320 }),
    op("csrrs", { rd: A0, immediate: MINSTRET }),
  ]);
  board.hart.writeRegister(A1, 0xffffffff_fffffff0n);
  board.hart.run(7);
  expect(board.hart.readRegister(A2)).toBe(0xffffffff_fffffff0n);
  // One for the csrrs before; the csrrwi that inhibits reads the count before itself.
  expect(board.hart.readRegister(A3)).toBe(0xffffffff_fffffff1n);
  expect(board.hart.readRegister(A0)).toBe(0xffffffff_fffffff2n);
});

test("wrong use is refused with a reason", () => {
  const board = new TestBoard();
  expect(() => board.hart.readRegister(32)).toThrow(/register 32/);
  expect(() => {
    board.hart.privilege = 2;
  }).toThrow(/privilege 2/);
  expect(() => board.hart.run(1.5)).toThrow(/1\.5/);
  expect(() => board.hart.run(Number.NaN)).toThrow(RangeError);
  expect(board.hart.readCsr(0x5c0)).toBeUndefined();
  expect(board.hart.writeCsr(0xf11, 1n)).toBe(false);
});
