import { expect, test } from "vitest";
import { encode } from "../instructions/decode.ts";
import type { Operands } from "../instructions/instruction.ts";
import { PROBE_BASE, RAM_BASE, TestBoard } from "../testing/board.ts";
import { Interrupt } from "./causes.ts";

const [A0, A1, A2, A3] = [10, 11, 12, 13] as const;
const MSTATUS = 0x300;
const MEDELEG = 0x302;
const MIDELEG = 0x303;
const MIE = 0x304;
const MTVEC = 0x305;
const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
const MIP = 0x344;
const STVEC = 0x105;
const SCAUSE = 0x142;
const SATP = 0x180;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const MINSTRET = 0xb02;
const HANDLER = RAM_BASE + 0x8000;

const op = (name: string, operands: Partial<Operands> = {}): number => encode(name, operands);
const addi = (rd: number, rs1: number, immediate: number): number => op("addi", { rd, rs1, immediate });
const LOOP = op("jal", { rd: 0, immediate: 0 });

/** A board with a program at the start of RAM, and traps that stop in a loop of their own. */
function boardWith(words: readonly number[], start = RAM_BASE): TestBoard {
  const board = new TestBoard();
  board.loadWords(start, words);
  board.loadWords(HANDLER, [LOOP]);
  board.hart.reset(start);
  board.hart.writeCsr(MTVEC, BigInt(HANDLER));
  return board;
}

const trapOf = ({ hart }: TestBoard) => ({
  at: hart.pc,
  cause: hart.readCsr(MCAUSE),
  from: hart.readCsr(MEPC),
  value: hart.readCsr(MTVAL),
});

test("run executes exactly as many instructions as it may", () => {
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

test("wfi waits for an interrupt that is enabled, even where it is masked", () => {
  const board = boardWith([op("wfi"), addi(A0, 0, 1), LOOP]);
  const { hart } = board;
  expect(hart.run(10)).toBe("wfi");
  expect(hart.waiting).toBe(true);
  expect(hart.retired).toBe(1);
  hart.setInterrupt(Interrupt.MachineTimer, true);
  expect(hart.run(10)).toBe("wfi");
  hart.writeCsr(MIE, 1n << 7n);
  expect(hart.waiting).toBe(false);
  // mstatus.MIE is clear: execution goes on behind the instruction, without a trap.
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

test("of several interrupts the most urgent is taken: external, software, timer; machine before supervisor", () => {
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

// QEMU 7.2 reports these as faults of loads; the specification (unprivileged ISA, section 8.4) says store/AMO.
test.for([
  ["misaligned", RAM_BASE + 0x1002, 6n],
  ["in a device", PROBE_BASE, 7n],
  ["where nothing is", 0x70000000, 7n],
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

// QEMU 7.2 answers with page faults; the specification (privileged ISA, section 4.3.2, step 2) says access faults.
test("a page table where nothing is makes an access fault of the original kind", () => {
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
  // The probe answers with its address: its low half must look negative.
  board.read = () => 0xffff9234;
  board.hart.writeRegister(A1, BigInt(PROBE_BASE + 2048));
  board.hart.run(3);
  expect(board.hart.readRegister(A0)).toBe(BigInt.asUintN(64, -0x6dccn));
  expect(board.hart.readRegister(A2)).toBe(0x9234n);
  expect(board.hart.readRegister(A3)).toBe(BigInt.asUintN(64, -0x6dccn));
});

test("a store that changes the next instruction is seen at once, without fence.i", () => {
  const board = boardWith([
    addi(A2, A2, 1),
    op("sw", { rs1: A1, rs2: A0, immediate: 8 }),
    addi(A2, A2, 1), // becomes addi a2, a2, 100
    LOOP,
  ]);
  // Executed once as it is, so that it is decoded; then changed.
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 0x1000));
  board.hart.run(10);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.writeRegister(A1, BigInt(RAM_BASE));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 100)));
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(2n + 1n + 100n);
});

test("a store that overwrites itself still retires once", () => {
  const board = boardWith([op("sd", { rs1: A1, rs2: A0 }), LOOP, LOOP]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 1)) | (BigInt(addi(A2, A2, 5)) << 32n));
  board.hart.run(2);
  expect(board.hart.readRegister(A2)).toBe(5n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 8));
});

test("an atomic may change code too", () => {
  const board = boardWith([
    op("amoswap.w", { rd: A0, rs1: A1, rs2: A0 }),
    addi(A2, A2, 1),
    addi(A2, A2, 1),
    LOOP,
  ]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 8));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 50)));
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(51n);
  expect(board.hart.readRegister(A0)).toBe(BigInt(addi(A2, A2, 1)));
});

test("the second of two instructions that execute together may change", () => {
  const pair = [op("slli", { rd: A2, rs1: A0, immediate: 1 }), addi(A2, A2, 1)];
  const board = boardWith([...pair, LOOP]);
  board.hart.writeRegister(A0, 21n);
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(43n);
  board.loadWords(RAM_BASE + 4, [addi(A2, A2, 2)]);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(44n);
  // And either may be the last one of a run.
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.writeRegister(A0, 1n);
  board.hart.run(1);
  expect(board.hart.readRegister(A2)).toBe(2n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 4));
});

test("code that something else overwrites is decoded anew", () => {
  const board = boardWith([addi(A2, A2, 1), LOOP]);
  board.hart.run(5);
  board.loadWords(RAM_BASE, [addi(A2, A2, 10)]);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(1);
  expect(board.hart.readRegister(A2)).toBe(11n);
});

test("an instruction that crosses pages is fetched from both", () => {
  const board = boardWith([], RAM_BASE + 0xffe);
  const word = addi(A0, 0, 77);
  board.load(RAM_BASE + 0xffe, Uint8Array.of(word, word >> 8, word >> 16, word >> 24, 0x01, 0xa0)); // c.j .
  board.hart.run(2);
  expect(board.hart.readRegister(A0)).toBe(77n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 0x1002));
  // The second half changes: nothing of the old instruction may remain.
  const other = addi(A0, 0, 78);
  board.load(RAM_BASE + 0x1000, Uint8Array.of(other >> 16, other >> 24));
  board.hart.pc = BigInt(RAM_BASE + 0xffe);
  board.hart.run(1);
  expect(board.hart.readRegister(A0)).toBe(78n);
});

test("code runs where every fetch goes over the bus", () => {
  const board = new TestBoard();
  board.direct = false;
  board.loadWords(RAM_BASE, [
    addi(A0, 0, 10),
    addi(A1, A1, 3),
    addi(A0, A0, -1),
    op("bne", { rs1: A0, rs2: 0, immediate: -8 }),
    op("jal", { rd: A2, immediate: 8 }),
    addi(A1, 0, 0),
    LOOP,
  ]);
  board.hart.reset(RAM_BASE);
  board.hart.run(100);
  expect(board.hart.readRegister(A1)).toBe(30n);
  expect(board.hart.readRegister(A2)).toBe(BigInt(RAM_BASE + 20));
});

test("a page that protection divides is executed and accessed as far as it is allowed", () => {
  const board = boardWith([
    op("ld", { rd: A0, rs1: A1, immediate: 0 }),
    op("amoadd.d", { rd: A2, rs1: A1, rs2: A1 }),
    op("ld", { rd: A0, rs1: A1, immediate: 8 }),
    LOOP,
  ]);
  const { hart } = board;
  board.writeRam64(RAM_BASE + 0x100, 5n);
  hart.writeCsr(MEDELEG, 0n);
  // Entry 0: the first 0x108 bytes, everything; no other entry, so supervisor mode may no more.
  hart.writeCsr(PMPADDR0, BigInt((RAM_BASE + 0x108) / 4));
  hart.writeCsr(PMPCFG0, 0x0fn);
  hart.writeRegister(A1, BigInt(RAM_BASE + 0x100));
  hart.privilege = 1;
  hart.run(3);
  expect(hart.readRegister(A0)).toBe(5n);
  expect(hart.readRegister(A2)).toBe(5n);
  expect(board.readRam64(RAM_BASE + 0x100)).toBe(5n + BigInt(RAM_BASE + 0x100));
  expect(trapOf(board)).toMatchObject({
    cause: 5n,
    from: BigInt(RAM_BASE + 8),
    value: BigInt(RAM_BASE + 0x108),
  });
});

test("minstret leaves out what traps, the hart's own count does not", () => {
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

test("a change of the memory map is seen by accesses and fetches", () => {
  const board = boardWith([op("ld", { rd: A0, rs1: A1 }), LOOP]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 0x2000));
  board.writeRam64(RAM_BASE + 0x2000, 1n);
  board.hart.run(1);
  board.direct = false;
  board.mapChanged();
  const read = board.read.bind(board);
  const seen: number[] = [];
  board.read = (address, size) => {
    seen.push(address);
    return read(address, size);
  };
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(1);
  expect(seen).toEqual([RAM_BASE, RAM_BASE + 2, RAM_BASE + 0x2000]);
});

test("a change of the memory map keeps decoded code, but not if its page has other contents", () => {
  const board = boardWith([addi(A2, A2, 1), LOOP]);
  board.hart.run(5);
  const again = (): bigint => {
    board.mapChanged();
    board.hart.pc = BigInt(RAM_BASE);
    board.hart.run(2);
    return board.hart.readRegister(A2);
  };
  expect(again()).toBe(2n);
  // As flash changes while it is not in the map: nobody tells the hart.
  new DataView(board.memory.buffer).setUint32(board.ramOffset, addi(A2, A2, 10), true);
  expect(again()).toBe(12n);
  expect(again()).toBe(22n);
  // A change that was told of is not mistaken for another.
  board.loadWords(RAM_BASE, [addi(A2, A2, 100)]);
  expect(again()).toBe(122n);
});

test("two harts of two machines know nothing of each other", () => {
  const one = boardWith([addi(A0, A0, 1), LOOP]);
  const two = boardWith([addi(A0, A0, 2), LOOP]);
  one.hart.run(5);
  two.hart.run(5);
  expect(one.hart.readRegister(A0)).toBe(1n);
  expect(two.hart.readRegister(A0)).toBe(2n);
});

test("wrong use is refused with a reason", () => {
  const board = new TestBoard();
  expect(() => board.hart.readRegister(32)).toThrow(/register 32/);
  expect(() => {
    board.hart.privilege = 2;
  }).toThrow(/privilege 2/);
  expect(board.hart.readCsr(0x5c0)).toBeUndefined();
  expect(board.hart.writeCsr(0xf11, 1n)).toBe(false);
});
