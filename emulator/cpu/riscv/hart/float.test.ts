import { expect, test } from "vitest";
import { RAM_BASE } from "../testing/board.ts";
import { A0, A1, addi, boardWith, HANDLER, LOOP, op, trapOf } from "../testing/small-program.ts";

const [FFLAGS, FRM, FCSR, SSTATUS, MSTATUS, MISA] = [0x001, 0x002, 0x003, 0x100, 0x300, 0x301];
const FS = { initial: 1n << 13n, clean: 2n << 13n, dirty: 3n << 13n };
const FS_MASK = FS.dirty;
const SD = 1n << 63n;
const ILLEGAL_INSTRUCTION = 2n;
/** 1.0 in double precision. */
const ONE = 0x3ff0000000000000n;

const fadd = (rm: number) => op("fadd.d", { rd: 1, rs1: 2, rs2: 3, rm });

test("misa reports F and D", () => {
  const misa = boardWith([LOOP]).hart.readCsr(MISA) ?? 0n;
  for (const letter of ["F", "D"]) expect((misa >> BigInt(letter.charCodeAt(0) - 65)) & 1n).toBe(1n);
});

/** An instruction for every way in which generated code uses floating point, and accesses to the control registers. */
const users: readonly (readonly [string, number])[] = [
  ["fld", op("fld", { rd: 1, rs1: A1 })],
  ["flw", op("flw", { rd: 1, rs1: A1 })],
  ["fsd", op("fsd", { rs1: A1, rs2: 1 })],
  ["fadd.d", fadd(7)],
  ["fmadd.s", op("fmadd.s", { rd: 1, rs1: 1, rs2: 1, rs3: 1 })],
  ["fsgnj.d", op("fsgnj.d", { rd: 1, rs1: 1, rs2: 1 })],
  ["feq.d", op("feq.d", { rd: A0, rs1: 1, rs2: 1 })],
  ["fclass.d", op("fclass.d", { rd: A0, rs1: 1 })],
  ["fcvt.d.w", op("fcvt.d.w", { rd: 1, rs1: A0 })],
  ["fcvt.w.d", op("fcvt.w.d", { rd: A0, rs1: 1 })],
  ["fmv.x.d", op("fmv.x.d", { rd: A0, rs1: 1 })],
  ["c.fldsp", op("c.fldsp", { rd: 1, rs1: 2 })],
  ...[FFLAGS, FRM, FCSR].map((csr) => [`csr ${csr}`, op("csrrs", { rd: A0, immediate: csr })] as const),
];

test.for(users)("while floating point is off %s is illegal, whatever its operands", ([, word]) => {
  // x11 is zero: the loads would fault.
  const board = boardWith([word, LOOP]);
  board.hart.run(2);
  expect(trapOf(board)).toEqual({
    at: BigInt(HANDLER),
    cause: ILLEGAL_INSTRUCTION,
    from: BigInt(RAM_BASE),
    value: BigInt((word & 3) === 3 ? word : word & 0xffff),
  });
});

test.for([5, 6, 7])("with %i in frm, dynamic rounding is illegal and static rounding is not", (frm) => {
  for (const dynamic of [fadd(7), op("fcvt.d.w", { rd: 1, rs1: A0, rm: 7 })]) {
    const board = boardWith([fadd(0), dynamic, LOOP]);
    board.hart.writeCsr(FCSR, BigInt((frm << 5) | 1));
    expect(board.hart.readCsr(FRM)).toBe(BigInt(frm));
    board.hart.run(3);
    expect(trapOf(board)).toMatchObject({ cause: ILLEGAL_INSTRUCTION, from: BigInt(RAM_BASE + 4) });
  }
});

test("instructions that change registers or flags make them dirty, those that read them do not", () => {
  const reads = [
    op("fsd", { rs1: A1, rs2: 1 }),
    op("fmv.x.d", { rd: A0, rs1: 1 }),
    op("feq.d", { rd: A0, rs1: 1, rs2: 1 }),
  ];
  for (const before of [FS.initial, FS.clean]) {
    const board = boardWith([...reads, op("fmv.d.x", { rd: 1, rs1: A0 }), LOOP]);
    const { hart } = board;
    hart.writeRegister(A1, BigInt(RAM_BASE + 0x100));
    hart.writeCsr(MSTATUS, before);
    hart.run(reads.length);
    expect((hart.readCsr(MSTATUS) ?? 0n) & (FS_MASK | SD)).toBe(before);
    expect(hart.retired).toBe(reads.length);
    hart.run(1);
    for (const status of [MSTATUS, SSTATUS]) {
      expect((hart.readCsr(status) ?? 0n) & (FS_MASK | SD)).toBe(FS.dirty | SD);
    }
    expect(hart.retired).toBe(reads.length + 1);
  }
});

test("a comparison with a NaN raises a flag, which makes the state dirty", () => {
  const { hart } = boardWith([op("flt.d", { rd: A0, rs1: 1, rs2: 2 }), LOOP]);
  hart.writeCsr(MSTATUS, FS.clean);
  hart.writeFloatRegister(1, 0x7ff8000000000000n);
  hart.run(1);
  expect(hart.readCsr(FFLAGS)).toBe(0x10n);
  expect((hart.readCsr(MSTATUS) ?? 0n) & FS_MASK).toBe(FS.dirty);
});

test("writing a floating-point control register makes the state dirty", () => {
  const { hart } = boardWith([op("csrrwi", { rs1: 3, immediate: FRM }), LOOP]);
  hart.writeCsr(MSTATUS, FS.clean);
  hart.run(1);
  expect(hart.readCsr(FCSR)).toBe(3n << 5n);
  expect((hart.readCsr(MSTATUS) ?? 0n) & FS_MASK).toBe(FS.dirty);
});

test("flags and mode are parts of one register, and sticky", () => {
  const { hart } = boardWith([LOOP]);
  hart.writeCsr(FCSR, 0xffffn);
  expect(hart.readCsr(FCSR)).toBe(0xffn);
  hart.writeCsr(FFLAGS, 0x05n);
  expect(hart.readCsr(FCSR)).toBe(0xe5n);
  hart.writeCsr(FRM, 2n);
  expect(hart.readCsr(FCSR)).toBe(0x45n);
  expect(hart.readCsr(FFLAGS)).toBe(0x05n);
});

test("a load that misses the translation buffer boxes a single and writes to the right register file", () => {
  const { hart } = boardWith([
    op("flw", { rd: A0, rs1: A1, immediate: 2 }),
    op("fld", { rd: A1, rs1: A1, immediate: 2 }),
    op("fsd", { rs1: A1, rs2: A0, immediate: 10 }),
    op("fld", { rd: 0, rs1: A1, immediate: 10 }),
    LOOP,
  ]);
  // Misaligned and across pages: TypeScript does all of it.
  const address = RAM_BASE + 0x1000 - 4;
  hart.writeCsr(MSTATUS, FS.dirty);
  hart.writeRegister(A0, 0x1234n);
  hart.writeRegister(A1, BigInt(address));
  hart.run(4);
  expect(hart.readFloatRegister(A0)).toBe(0xffffffff00000000n);
  expect(hart.readFloatRegister(A1)).toBe(0n);
  expect(hart.readFloatRegister(0)).toBe(0xffffffff00000000n);
  expect(hart.readRegister(A0)).toBe(0x1234n);
  expect(hart.readRegister(A1)).toBe(BigInt(address));
});

test("generated code computes what it may, and the first inexact result raises the flag", () => {
  const third = op("fdiv.d", { rd: 3, rs1: 1, rs2: 2 });
  const { hart } = boardWith([third, third, addi(A0, A0, 1), LOOP]);
  hart.writeCsr(MSTATUS, FS.dirty);
  hart.writeFloatRegister(1, ONE);
  hart.writeFloatRegister(2, 0x4008000000000000n);
  hart.run(1);
  expect(hart.readCsr(FFLAGS)).toBe(1n);
  // 1/3 is 0.5555... in hexadecimal.
  expect(hart.readFloatRegister(3)).toBe(0x3fd5555555555555n);
  hart.writeFloatRegister(3, 0n);
  hart.run(2);
  expect(hart.readFloatRegister(3)).toBe(0x3fd5555555555555n);
  expect(hart.readCsr(FFLAGS)).toBe(1n);
  expect(hart.readRegister(A0)).toBe(1n);
});
