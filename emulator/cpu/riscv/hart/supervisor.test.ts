/** Supervisor features that are not compared with QEMU 7.2: expectations come from the specifications. */
import { expect, test } from "vitest";
import { PROBE_BASE, RAM_BASE, TestBoard } from "../testing/board.ts";
import { A0, A1, A2, addi, boardWith, LOOP, op, trapOf } from "../testing/small-program.ts";
import { RiscvHart } from "./hart.ts";

const SATP = 0x180;
const SENVCFG = 0x10a;
const SIE = 0x104;
const STIMECMP = 0x14d;
const MIDELEG = 0x303;
const MCOUNTEREN = 0x306;
const MENVCFG = 0x30a;
const MIP = 0x344;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const STCE = 1n << 63n;
const ADUE = 1n << 61n;
const [CBIE, CBCFE, CBZE] = [1n << 4n, 1n << 6n, 1n << 7n];
const STIP = 1n << 5n;
const [USER, SUPERVISOR, MACHINE] = [0, 1, 3];
const BLOCK = RAM_BASE + 0x4000;

function permitAll({ hart }: TestBoard): void {
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, 0x1fn);
}

/** Executes one instruction with an address in a1 and reports the trap that it took, if any. */
function attempt(name: string, privilege: number, menvcfg: bigint, senvcfg: bigint, address = BLOCK + 5) {
  const board = boardWith([op(name, { rs1: A1 }), LOOP]);
  permitAll(board);
  board.writeRam64(BLOCK - 8, -1n);
  board.writeRam64(BLOCK, -1n);
  board.writeRam64(BLOCK + 56, -1n);
  board.writeRam64(BLOCK + 64, -1n);
  board.hart.writeCsr(MENVCFG, menvcfg);
  board.hart.writeCsr(SENVCFG, senvcfg);
  board.hart.writeRegister(A1, BigInt(address));
  board.hart.privilege = privilege;
  board.hart.run(1);
  return { board, cause: trapOf(board).cause, value: trapOf(board).value };
}

const ILLEGAL = 2n;

test.each([
  ["cbo.zero", CBZE],
  ["cbo.clean", CBCFE],
  ["cbo.flush", CBCFE],
  ["cbo.inval", CBIE],
] as const)("%s must be granted by every more privileged mode", (name, field) => {
  const cause = (privilege: number, menvcfg: bigint, senvcfg: bigint) =>
    attempt(name, privilege, menvcfg, senvcfg).cause;
  expect(cause(MACHINE, 0n, 0n)).toBe(0n);
  expect(cause(SUPERVISOR, 0n, field)).toBe(ILLEGAL);
  expect(cause(SUPERVISOR, field, 0n)).toBe(0n);
  expect(cause(USER, field, 0n)).toBe(ILLEGAL);
  expect(cause(USER, 0n, field)).toBe(ILLEGAL);
  expect(cause(USER, field, field)).toBe(0n);
});

test("cbo.zero clears the 64 bytes around its address, but not in a device", () => {
  const { board } = attempt("cbo.zero", MACHINE, 0n, 0n);
  expect([-8, 0, 56, 64].map((offset) => board.readRam64(BLOCK + offset))).toEqual([
    0xffff_ffff_ffff_ffffn,
    0n,
    0n,
    0xffff_ffff_ffff_ffffn,
  ]);
  expect(attempt("cbo.zero", MACHINE, 0n, 0n, PROBE_BASE + 4)).toMatchObject({
    cause: 7n,
    value: BigInt(PROBE_BASE + 4),
  });
});

test("a cache block that may be neither read nor written is refused as a store", () => {
  const board = boardWith([op("cbo.clean", { rs1: A1 }), LOOP]);
  board.hart.writeCsr(MENVCFG, CBCFE);
  // Only execution is permitted.
  board.hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  board.hart.writeCsr(PMPCFG0, 0x1cn);
  board.hart.writeRegister(A1, BigInt(BLOCK + 9));
  board.hart.privilege = SUPERVISOR;
  board.hart.run(1);
  expect(trapOf(board)).toMatchObject({ cause: 7n, value: BigInt(BLOCK + 9) });
});

test("the supervisor's comparator raises its interrupt when time reaches it, and alone drives it", () => {
  const asked: number[] = [];
  let ticks = 100;
  const board = new TestBoard();
  const hart = new RiscvHart({
    hartId: 0,
    memory: new WebAssembly.Memory({ initial: RiscvHart.stateBytes / 65_536 }),
    stateOffset: 0,
    bus: board,
    time: () => ticks,
    onComparator: (ahead) => asked.push(ahead),
  });
  hart.writeCsr(STIMECMP, 150n);
  expect(hart.readCsr(MIP)).toBe(0n);
  hart.writeCsr(MIP, STIP);
  expect(hart.readCsr(MIP)).toBe(STIP); // while it is off, machine mode may set it
  hart.writeCsr(MENVCFG, STCE);
  expect(hart.readCsr(MIP)).toBe(0n);
  expect(asked.at(-1)).toBe(50);
  hart.writeCsr(MIP, STIP);
  expect(hart.readCsr(MIP)).toBe(0n); // read-only now
  ticks = 150;
  hart.timeReached();
  expect(hart.readCsr(MIP)).toBe(STIP);
  expect(asked.at(-1)).toBe(0);
  hart.writeCsr(STIMECMP, 0xffff_ffff_ffff_ffffn);
  expect(hart.readCsr(MIP)).toBe(0n);
  expect(asked.at(-1)).toBe(Number.POSITIVE_INFINITY);
});

test("the supervisor may use stimecmp if machine mode grants both the comparator and time", () => {
  const cause = (menvcfg: bigint, mcounteren: bigint) => {
    const board = boardWith([op("csrrs", { rd: A0, immediate: STIMECMP }), LOOP]);
    permitAll(board);
    board.hart.writeCsr(MENVCFG, menvcfg);
    board.hart.writeCsr(MCOUNTEREN, mcounteren);
    board.hart.writeCsr(MIDELEG, STIP);
    board.hart.writeCsr(SIE, 0n);
    board.hart.privilege = SUPERVISOR;
    board.hart.run(1);
    return trapOf(board).cause;
  };
  expect([cause(0n, 2n), cause(STCE, 0n), cause(STCE, 5n)]).toEqual([ILLEGAL, ILLEGAL, ILLEGAL]);
  expect(cause(STCE, 2n)).toBe(0n);
});

const [ROOT, MIDDLE, LEAF] = [RAM_BASE + 0x10000, RAM_BASE + 0x11000, RAM_BASE + 0x12000];
const pointer = (table: number): bigint => (BigInt(table) >> 2n) | 1n;
const page = (address: number, flags: bigint): bigint => (BigInt(address) >> 2n) | flags;

/** Sv39: code identity-mapped by a gigabyte page, and 0x40000000 mapped through three levels. */
function paged(words: readonly number[]): TestBoard {
  const board = boardWith(words);
  permitAll(board);
  board.writeRam64(ROOT + 8, pointer(MIDDLE));
  board.writeRam64(ROOT + 16, page(RAM_BASE, 0xcfn));
  board.writeRam64(MIDDLE, pointer(LEAF));
  board.writeRam64(LEAF, page(BLOCK, 0xc7n));
  board.writeRam64(LEAF + 8, page(BLOCK, 0x07n)); // neither accessed nor dirty
  board.hart.writeCsr(SATP, (8n << 60n) | (BigInt(ROOT) >> 12n));
  board.hart.privilege = SUPERVISOR;
  return board;
}

test("accessed and dirty bits are set by hardware, or fault if menvcfg.ADUE is off", () => {
  const store = [op("sd", { rs1: A1, rs2: A0 }), LOOP];
  const board = paged(store);
  board.hart.writeRegister(A1, 0x40001000n);
  board.hart.run(1);
  expect(board.readRam64(LEAF + 8)).toBe(page(BLOCK, 0xc7n));
  const strict = paged(store);
  strict.hart.writeCsr(MENVCFG, 0n);
  strict.hart.writeRegister(A1, 0x40001000n);
  strict.hart.run(1);
  expect(trapOf(strict)).toMatchObject({ cause: 15n, value: 0x40001000n });
  expect(strict.readRam64(LEAF + 8)).toBe(page(BLOCK, 0x07n));
  expect(strict.hart.writeCsr(MENVCFG, ADUE)).toBe(true);
});

test.each(["sfence.vma", "sinval.vma"])("%s of an address drops its page, whatever its size", (fence) => {
  const other = BLOCK + 0x1000;
  const load = op("ld", { rd: A0, rs1: A1 });
  const board = paged([load, op(fence, { rs1: A2 }), load, op("jal", { immediate: -12 })]);
  const { hart } = board;
  board.writeRam64(BLOCK, 1n);
  board.writeRam64(other, 2n);
  hart.writeRegister(A1, 0x40000000n);
  hart.writeRegister(A2, 0x40000000n);
  hart.run(1);
  expect(hart.readRegister(A0)).toBe(1n);
  board.writeRam64(LEAF, page(other, 0xc7n));
  hart.run(2);
  expect(hart.readRegister(A0)).toBe(2n);
  // A page of two megabytes, accessed at one address and fenced at another.
  board.writeRam64(MIDDLE, page(RAM_BASE, 0xc7n));
  hart.writeRegister(A1, 0x40004000n);
  hart.run(2);
  expect(hart.readRegister(A0)).toBe(1n);
  board.writeRam64(LEAF + 32, page(other, 0xc7n));
  board.writeRam64(MIDDLE, pointer(LEAF));
  hart.run(2);
  expect(hart.readRegister(A0)).toBe(2n);
});

const satp = (mode: bigint, asid: bigint): bigint => (mode << 60n) | (asid << 44n) | (BigInt(ROOT) >> 12n);

/**
 * A page is read, its entry is changed without notice, an instruction is executed with `operand` in a2, and the page is read again.
 * Returns what the second load saw: 1 for the old page, 2 for the new one.
 */
function seenAfter(
  instruction: number,
  operand: bigint,
  flags: bigint,
  prepare: (board: TestBoard) => void,
): bigint {
  const other = BLOCK + 0x1000;
  const load = op("ld", { rd: A0, rs1: A1 });
  const board = paged([load, instruction, load, LOOP]);
  const { hart } = board;
  board.writeRam64(BLOCK, 1n);
  board.writeRam64(other, 2n);
  board.writeRam64(LEAF, page(BLOCK, flags));
  prepare(board);
  hart.writeRegister(A1, 0x40000000n);
  hart.writeRegister(A2, operand);
  hart.run(1);
  expect(hart.readRegister(A0)).toBe(1n);
  board.writeRam64(LEAF, page(other, flags));
  hart.run(2);
  return hart.readRegister(A0);
}

test.each([
  ["a page that is not global", 0xc7n, 0n, 2n],
  ["a global page", 0xe7n, 0n, 1n],
  ["a page of a global table", 0xc7n, 0x20n, 1n],
])("a new address space without a fence: %s", (_, flags, tableFlags, expected) => {
  const change = op("csrrw", { rd: 0, rs1: A2, immediate: SATP });
  expect(
    seenAfter(change, satp(8n, 1n), flags, (board) => {
      board.writeRam64(MIDDLE, pointer(LEAF) | tableFlags);
    }),
  ).toBe(expected);
});

test.each([
  ["this space", 1n, 0xc7n, 2n],
  ["this space, of a global page", 1n, 0xe7n, 1n],
  ["another space", 2n, 0xc7n, 1n],
  ["this space, with more bits than an ASID has", 0x7_0001n, 0xc7n, 2n],
])("a fence of all addresses of %s", (_, asid, flags, expected) => {
  const fence = op("sfence.vma", { rs1: 0, rs2: A2 });
  expect(
    seenAfter(fence, asid, flags, ({ hart }) => {
      hart.writeCsr(SATP, satp(8n, 1n));
    }),
  ).toBe(expected);
});

test("writing the current value to satp drops nothing", () => {
  const load = op("ld", { rd: A0, rs1: A1 });
  const board = paged([load, op("csrrw", { rd: 0, rs1: A2, immediate: SATP }), load, LOOP]);
  const { hart } = board;
  board.writeRam64(BLOCK, 1n);
  board.writeRam64(LEAF, page(BLOCK, 0xc7n));
  hart.writeCsr(SATP, satp(8n, 1n));
  hart.writeRegister(A1, 0x40000000n);
  hart.writeRegister(A2, satp(8n, 1n));
  hart.run(1);
  board.writeRam64(LEAF, 0n);
  hart.run(2);
  expect(hart.readRegister(A0)).toBe(1n);
  expect(trapOf(board).cause).toBe(0n);
});

test("without translation, global translations are not used", () => {
  const load = op("ld", { rd: A0, rs1: A1 });
  const board = paged([load, op("csrrw", { rd: 0, rs1: A2, immediate: SATP }), load, LOOP]);
  board.writeRam64(LEAF, page(BLOCK, 0xe7n));
  board.hart.writeRegister(A1, 0x40000000n);
  board.hart.writeRegister(A2, satp(0n, 0n));
  board.hart.run(3);
  expect(trapOf(board)).toMatchObject({ cause: 5n, value: 0x40000000n, from: BigInt(RAM_BASE + 8) });
});

test("an instruction across two pages changes with the second page", () => {
  const [second, third] = [BLOCK + 0x1000, BLOCK + 0x2000];
  const board = paged([LOOP]);
  const { hart } = board;
  const rest = [op("sfence.vma", { rs1: A2 }), op("jal", { immediate: -8 })];
  for (const [index, address] of [second, third].entries()) {
    const halves = new DataView(new ArrayBuffer(10));
    const crossing = addi(A0, A0, index + 1);
    halves.setUint16(0, crossing >>> 16, true);
    rest.forEach((word, at) => {
      halves.setUint32(2 + 4 * at, word, true);
    });
    board.load(address, new Uint8Array(halves.buffer));
    board.load(BLOCK + 0xffe, new Uint8Array([crossing & 0xff, (crossing >>> 8) & 0xff]));
  }
  board.writeRam64(LEAF, page(BLOCK, 0xcfn));
  board.writeRam64(LEAF + 8, page(second, 0xcfn));
  hart.writeRegister(A2, 0x40001000n);
  hart.pc = 0x40000ffen;
  hart.run(4);
  expect(hart.readRegister(A0)).toBe(2n); // twice one
  board.writeRam64(LEAF + 8, page(third, 0xcfn));
  hart.run(3);
  expect(hart.readRegister(A0)).toBe(4n); // and two
});

test("fences of svinval are for supervisors and above", () => {
  for (const name of ["sfence.w.inval", "sfence.inval.ir"]) {
    for (const [privilege, cause] of [
      [USER, ILLEGAL],
      [SUPERVISOR, 0n],
      [MACHINE, 0n],
    ] as const) {
      const board = boardWith([op(name), addi(A0, 0, 1), LOOP]);
      permitAll(board);
      board.hart.privilege = privilege ?? MACHINE;
      board.hart.run(2);
      expect(trapOf(board).cause, `${name} at ${privilege}`).toBe(cause);
    }
  }
});
