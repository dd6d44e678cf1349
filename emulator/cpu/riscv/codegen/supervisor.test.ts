/**
 * Control registers and traps in generated code, held against a naive model of the privileged specification, version
 * 1.12: sections 3.1.6 to 3.1.9, 3.3.2 and 4.1.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { WORD } from "../hart/layout.ts";
import { RAM_BASE, type TestBoard } from "../testing/board.ts";
import { A0, A1, boardWith, LOOP, op } from "../testing/small-program.ts";

const CSR = {
  ...{ fflags: 0x001, frm: 0x002 }, // before mstatus, as writing them sets its FS field
  ...{
    sscratch: 0x140,
    sepc: 0x141,
    scause: 0x142,
    stval: 0x143,
    stvec: 0x105,
    mstatus: 0x300,
    medeleg: 0x302,
  },
  ...{ mideleg: 0x303, mie: 0x304, mtvec: 0x305, menvcfg: 0x30a, senvcfg: 0x10a, mepc: 0x341, mcause: 0x342 },
  ...{ mtval: 0x343, pmpcfg0: 0x3a0, pmpaddr0: 0x3b0, mcounteren: 0x306, scounteren: 0x106 },
} as const;
type Name = keyof typeof CSR;
const SSTATUS = 0x100;
const TIME = 0xc01;
const TIME_GRANTED = 2n;

const bit = (index: number): bigint => 1n << BigInt(index);
const [SIE, SPIE, SPP, SUM, MXR] = [bit(1), bit(5), bit(8), bit(18), bit(19)];
const [MIE, MPIE, MPRV, TSR] = [bit(3), bit(7), bit(17), bit(22)];
const MPP = 3n << 11n;
const FS = 3n << 13n;
const SSTATUS_BITS = SIE | SPIE | SPP | FS | SUM | MXR;
const UXL = 2n << 32n;
const [USER, SUPERVISOR, MACHINE] = [0, 1, 3];
/** In descending priority; lines that the test drives. */
const INTERRUPTS = [11n, 3n, 7n, 9n, 1n, 5n];
const ILLEGAL = 2n;

const CODE = RAM_BASE + 0x100;
const VECTORS = { stvec: BigInt(RAM_BASE + 0x800), mtvec: BigInt(RAM_BASE + 0xc00) };

interface State {
  pc: bigint;
  privilege: number;
  /** Instructions that ended in an exception. */
  exceptions: number;
  /** Lines of mip. */
  readonly lines: bigint;
  a0: bigint;
  readonly a1: bigint;
  readonly csr: Record<Name, bigint>;
}

/** Enters a trap. */
function trap(state: State, cause: bigint, interrupt: boolean, value: bigint): void {
  const { csr } = state;
  const delegated = (((interrupt ? csr.mideleg : csr.medeleg) >> cause) & 1n) === 1n;
  const code = interrupt ? bit(63) | cause : cause;
  const { mstatus } = csr;
  if (!interrupt) state.exceptions++;
  if (delegated && state.privilege !== MACHINE) {
    Object.assign(csr, { sepc: state.pc, scause: code, stval: value });
    csr.mstatus = mstatus & ~(SIE | SPIE | SPP);
    if ((mstatus & SIE) !== 0n) csr.mstatus |= SPIE;
    if (state.privilege === SUPERVISOR) csr.mstatus |= SPP;
    Object.assign(state, { privilege: SUPERVISOR, pc: csr.stvec });
  } else {
    Object.assign(csr, { mepc: state.pc, mcause: code, mtval: value });
    csr.mstatus = (mstatus & ~(MIE | MPIE | MPP)) | (BigInt(state.privilege) << 11n);
    if ((mstatus & MIE) !== 0n) csr.mstatus |= MPIE;
    Object.assign(state, { privilege: MACHINE, pc: csr.mtvec });
  }
}

/** Takes the interrupt of highest priority, if any may be taken. */
function deliver(state: State): boolean {
  const { csr, privilege, lines } = state;
  const machineOn = privilege < MACHINE || (csr.mstatus & MIE) !== 0n;
  const supervisorOn = privilege < SUPERVISOR || (privilege === SUPERVISOR && (csr.mstatus & SIE) !== 0n);
  const ready = lines & csr.mie;
  const cause =
    INTERRUPTS.find((one) => machineOn && ((ready & ~csr.mideleg) >> one) % 2n === 1n) ??
    INTERRUPTS.find((one) => supervisorOn && ((ready & csr.mideleg) >> one) % 2n === 1n);
  if (cause === undefined) return false;
  trap(state, cause, true, 0n);
  return true;
}

const ACCESSES = ["csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"] as const;
type Access = (typeof ACCESSES)[number];

function access(state: State, name: Access, number: number, field: number, word: bigint): void {
  const { csr } = state;
  if (state.privilege < SUPERVISOR) {
    trap(state, ILLEGAL, false, word);
    return;
  }
  const register = (["sscratch", "sepc", "scause", "stval"] as const).find((one) => CSR[one] === number);
  const dirty = (csr.mstatus & FS) === FS ? bit(63) : 0n;
  const old = register === undefined ? (csr.mstatus & SSTATUS_BITS) | UXL | dirty : csr[register];
  const operand = name.endsWith("i") ? BigInt(field) : field === A1 ? state.a1 : 0n;
  const next = name.includes("w") ? operand : name.includes("s", 3) ? old | operand : old & ~operand;
  if (register === undefined) csr.mstatus = (csr.mstatus & ~SSTATUS_BITS) | (next & SSTATUS_BITS);
  else csr[register] = BigInt.asUintN(64, register === "sepc" ? next & ~1n : next);
  Object.assign(state, { a0: old, pc: state.pc + 4n });
}

/** Section 3.1.11 and 4.1.5 (counter-enable registers); the counter itself is read-only. */
function readTime(state: State, field: number, time: bigint, word: bigint): void {
  const { csr, privilege } = state;
  const granted =
    privilege === MACHINE ||
    ((csr.mcounteren & TIME_GRANTED) !== 0n &&
      (privilege === SUPERVISOR || (csr.scounteren & TIME_GRANTED) !== 0n));
  if (granted && field === 0) Object.assign(state, { a0: time, pc: state.pc + 4n });
  else trap(state, ILLEGAL, false, word);
}

function supervisorReturn(state: State, word: bigint): void {
  const { csr, privilege } = state;
  if (privilege === USER || (privilege === SUPERVISOR && (csr.mstatus & TSR) !== 0n)) {
    trap(state, ILLEGAL, false, word);
    return;
  }
  const previous = (csr.mstatus & SPP) === 0n ? USER : SUPERVISOR;
  const enabled = (csr.mstatus & SPIE) === 0n ? 0n : SIE;
  csr.mstatus = (csr.mstatus & ~(SIE | SPP | MPRV)) | SPIE | enabled;
  Object.assign(state, { privilege: previous, pc: csr.sepc });
}

type Instruction =
  | { readonly kind: "csr"; readonly name: Access; readonly number: number; readonly field: number }
  | { readonly kind: "sret" | "ecall" };

const instructions: fc.Arbitrary<Instruction> = fc.oneof(
  { weight: 6, arbitrary: accesses() },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, 0, 0, A1)
      .map((field) => ({ kind: "csr" as const, name: "csrrs" as const, number: TIME, field })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "sret" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "ecall" as const }) },
);

function accesses(): fc.Arbitrary<Instruction> {
  const number = fc.constantFrom(SSTATUS, SSTATUS, CSR.sscratch, CSR.sepc, CSR.scause, CSR.stval);
  return fc
    .tuple(fc.constantFrom(...ACCESSES), number, fc.constantFrom(0, A1, 2, 31))
    .map(([name, number, field]) => ({
      ...{ kind: "csr" as const, name, number },
      field: name.endsWith("i") || field === 0 ? field : A1,
    }));
}

function encode(instruction: Instruction): number {
  if (instruction.kind !== "csr") return op(instruction.kind, {});
  return op(instruction.name, { rd: A0, rs1: instruction.field, immediate: instruction.number });
}

const words = fc.bigInt(0n, bit(64) - 1n);
const some = (mask: bigint): fc.Arbitrary<bigint> => words.map((value) => value & mask);
/** Mostly nothing, since a pending interrupt leaves everything to the host. */
const seldom = (mask: bigint): fc.Arbitrary<bigint> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 2, arbitrary: some(mask) });

const states = fc.record({
  privilege: fc.constantFrom(USER, SUPERVISOR, SUPERVISOR, MACHINE),
  lines: seldom(0xaaan),
  a1: fc.oneof(words, fc.constantFrom(SIE, SUM, SPIE, SPP, SUM | SIE, 0n)),
  mstatus: some(SSTATUS_BITS | MIE | MPIE | MPP | TSR),
  mie: fc.oneof(some(0xaaan), fc.constant(0xaaan)),
  mideleg: some(0x222n),
  medeleg: some(0xb3ffn),
  sepc: fc.constantFrom(BigInt(RAM_BASE + 0x400), BigInt(RAM_BASE + 0x1002)),
  storage: fc.tuple(words, words, words),
  environment: fc.tuple(fc.boolean(), fc.boolean()),
  counters: fc.tuple(fc.constantFrom(0n, 2n, 5n, 7n), fc.constantFrom(0n, 2n, 5n, 7n)),
  float: fc.tuple(fc.bigInt(0n, 31n), fc.bigInt(0n, 7n)),
  idle: fc.nat(2 ** 40),
  timeOffset: fc.oneof(fc.constantFrom(0, 2 ** 33, 2 ** 52, 2 ** 54), fc.nat(2 ** 40)),
});

const CBZE = bit(7);

/** Loads, stores and fetches look these up; `setPrivilege` computes them. */
const DERIVED = [WORD.fetchMode, WORD.dataMode, WORD.floatStatus, WORD.rounding, WORD.blockZeroing];

function derived({ memory }: TestBoard): readonly (number | undefined)[] {
  const block = new Int32Array(memory.buffer);
  return DERIVED.flatMap((word) => [block[word], word === WORD.blockZeroing ? 0 : block[word + 1]]);
}

test("an access to a control register, a return or a system call has the effects of the specification", () => {
  const board = boardWith([LOOP]);
  const { hart } = board;
  let byInterrupt = 0;
  let executed = 0;
  const property = fc.property(states, instructions, (drawn, instruction) => {
    const word = encode(instruction);
    hart.reset(CODE);
    board.loadWords(CODE, [word, LOOP]);
    // Privilege 2 does not exist.
    const mstatus = (drawn.mstatus & MPP) === 2n << 11n ? drawn.mstatus & ~MPP : drawn.mstatus;
    const [sscratch, scause, stval] = drawn.storage;
    const state: State = {
      ...{
        pc: BigInt(CODE),
        privilege: drawn.privilege,
        lines: drawn.lines,
        a0: 0n,
        a1: drawn.a1,
        exceptions: hart.exceptions,
      },
      csr: {
        ...{ sscratch, sepc: drawn.sepc, scause, stval, ...VECTORS, mstatus, medeleg: drawn.medeleg },
        ...{ mideleg: drawn.mideleg, mie: drawn.mie, mepc: 0n, mcause: 0n, mtval: 0n },
        ...{ menvcfg: drawn.environment[0] ? CBZE : 0n, senvcfg: drawn.environment[1] ? CBZE : 0n },
        ...{ pmpcfg0: 0x1fn, pmpaddr0: bit(54) - 1n },
        ...{ fflags: drawn.float[0], frm: drawn.float[1] },
        ...{ mcounteren: drawn.counters[0], scounteren: drawn.counters[1] },
      },
    };
    for (const name of Object.keys(CSR) as Name[])
      expect(hart.writeCsr(CSR[name], state.csr[name])).toBe(true);
    hart.privilege = state.privilege;
    hart.writeRegister(A0, 0n);
    hart.writeRegister(A1, state.a1);
    hart.pc = state.pc;
    for (const cause of [1, 3, 5, 7, 9, 11] as const)
      hart.setInterrupt(cause, ((state.lines >> BigInt(cause)) & 1n) === 1n);
    // An interrupt that comes before the instruction is another test's.
    fc.pre(!deliver(structuredClone(state)));

    Object.assign(board, { idle: drawn.idle, timeOffset: drawn.timeOffset });
    const time = BigInt(Math.floor((7 * hart.retired + drawn.idle) / 7) + drawn.timeOffset); // rounded from 2^53 on
    hart.run(1);
    if (instruction.kind === "csr" && instruction.number === TIME)
      readTime(state, instruction.field, time, BigInt(word >>> 0));
    else if (instruction.kind === "csr")
      access(state, instruction.name, instruction.number, instruction.field, BigInt(word >>> 0));
    else if (instruction.kind === "sret") supervisorReturn(state, BigInt(word >>> 0));
    else trap(state, 8n + BigInt(state.privilege), false, 0n);
    if (deliver(state)) byInterrupt++;
    executed++;

    expect({ pc: hart.pc, privilege: hart.privilege, a0: hart.readRegister(A0) }).toEqual({
      ...{ pc: state.pc, privilege: state.privilege, a0: BigInt.asUintN(64, state.a0) },
    });
    expect(hart.exceptions).toBe(state.exceptions);
    for (const name of Object.keys(CSR) as Name[]) {
      const bits = BigInt.asUintN(64, hart.readCsr(CSR[name]) ?? 0n);
      expect([name, name === "mstatus" ? bits & 0x7fffffn : bits]).toEqual([name, state.csr[name]]);
    }
    const seen = derived(board);
    hart.privilege = state.privilege; // computes them again
    expect(seen).toEqual(derived(board));
  });
  fc.assert(property, { numRuns: 6000 });
  expect(executed).toBeGreaterThan(4000);
  expect(byInterrupt).toBeGreaterThan(50);
});
