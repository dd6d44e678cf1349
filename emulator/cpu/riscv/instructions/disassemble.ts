import type { Decoded } from "./decode.ts";
import { decode, instructionLength } from "./decode.ts";
import { isFloat, type RegisterOperand } from "./fields.ts";

/** ABI names of the integer registers (RISC-V psABI, table 1). */
export const registerNames: readonly string[] =
  "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(
    " ",
  );

/** ABI names of the floating-point registers (RISC-V psABI, table 2). */
export const floatRegisterNames: readonly string[] =
  "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11".split(
    " ",
  );

/** Rounding modes by number (unprivileged ISA, table 13.1). */
const roundingNames: readonly string[] = ["rne", "rtz", "rdn", "rup", "rmm", "5", "6", "dyn"];
const DYNAMIC = 7;

const name = (register: number, operand: RegisterOperand | undefined): string =>
  (isFloat(operand) ? floatRegisterNames : registerNames)[register] ?? `register ${register}`;
const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Letters of the predecessor and successor sets of a fence (unprivileged ISA, section 2.7). */
const fenceSet = (bits: number): string =>
  [..."iorw"].filter((_, index) => ((bits >> (3 - index)) & 1) === 1).join("") || "0";

/** The text that a word of an instruction's `syntax` stands for. */
function operandText(token: string, decoded: Decoded, pc: bigint): string {
  switch (token) {
    case "rd":
      return name(decoded.rd, decoded.instruction.rd);
    case "rs1":
      return name(decoded.rs1, decoded.instruction.rs1);
    case "rs2":
      return name(decoded.rs2, decoded.instruction.rs2);
    case "rs3":
      return name(decoded.rs3, decoded.instruction.rs3);
    case "imm":
      return String(decoded.immediate);
    case "hex":
      return hex(decoded.immediate);
    case "upper":
      return hex((decoded.immediate >>> 12) & 0xfffff);
    case "csr":
      return csrNames.get(decoded.immediate) ?? hex(decoded.immediate);
    case "zimm":
      return String(decoded.rs1);
    case "target":
      return `0x${BigInt.asUintN(64, pc + BigInt(decoded.immediate)).toString(16)}`;
    case "fence":
      return `${fenceSet((decoded.immediate >> 4) & 15)},${fenceSet(decoded.immediate & 15)}`;
    default:
      return token;
  }
}

/** Names of the control and status registers that the processor implements (privileged ISA 1.12, section 2.2). */
export const csrNames: ReadonlyMap<number, string> = new Map([
  ...Object.entries({
    fflags: 0x001,
    frm: 0x002,
    fcsr: 0x003,
    sstatus: 0x100,
    sie: 0x104,
    stvec: 0x105,
    scounteren: 0x106,
    senvcfg: 0x10a,
    sscratch: 0x140,
    sepc: 0x141,
    scause: 0x142,
    stval: 0x143,
    sip: 0x144,
    stimecmp: 0x14d,
    satp: 0x180,
    mstatus: 0x300,
    misa: 0x301,
    medeleg: 0x302,
    mideleg: 0x303,
    mie: 0x304,
    mtvec: 0x305,
    mcounteren: 0x306,
    menvcfg: 0x30a,
    mcountinhibit: 0x320,
    mscratch: 0x340,
    mepc: 0x341,
    mcause: 0x342,
    mtval: 0x343,
    mip: 0x344,
    mcycle: 0xb00,
    minstret: 0xb02,
    cycle: 0xc00,
    time: 0xc01,
    instret: 0xc02,
    mvendorid: 0xf11,
    marchid: 0xf12,
    mimpid: 0xf13,
    mhartid: 0xf14,
    mconfigptr: 0xf15,
  }).map(([name, number]): [number, string] => [number, name]),
  ...numbered("pmpaddr", 0x3b0, 0, 16),
  ...numbered("pmpcfg", 0x3a0, 0, 4),
  ...numbered("mhpmevent", 0x320, 3, 32),
  ...numbered("mhpmcounter", 0xb00, 3, 32),
  ...numbered("hpmcounter", 0xc00, 3, 32),
]);

function numbered(prefix: string, base: number, first: number, end: number): [number, string][] {
  return Array.from({ length: end - first }, (_, index) => [
    base + first + index,
    `${prefix}${first + index}`,
  ]);
}

/**
 * Disassembles one instruction, without aliases (`c.li a0,1`, not `li a0,1`), as objdump -M no-aliases does. `pc` is
 * its address, for branch targets. An illegal word is shown as data.
 */
export function disassemble(word: number, pc: bigint): string {
  const decoded = decode(word);
  if (decoded === undefined) {
    return instructionLength(word) === 2 ? `.2byte\t${hex(word & 0xffff)}` : `.4byte\t${hex(word)}`;
  }
  const { instruction } = decoded;
  if (instruction.syntax === "") return instruction.name;
  const operands = instruction.syntax.replace(/[a-z]+[0-9]?/g, (token) => operandText(token, decoded, pc));
  return `${instruction.name}${orderingSuffix(decoded, word)}\t${operands}${roundingSuffix(decoded)}`;
}

/** The rounding mode, unless it is the assembler's default: dynamic, or the first if it makes no difference. */
function roundingSuffix({ full, rm }: Decoded): string {
  if (full.rounds !== true || rm === (full.exact === true ? 0 : DYNAMIC)) return "";
  return `,${roundingNames[rm]}`;
}

/** Acquire and release bits of an atomic. */
function orderingSuffix({ full }: Decoded, word: number): string {
  if (full.extension !== "A") return "";
  return ["", ".rl", ".aq", ".aqrl"][(word >>> 25) & 3] ?? "";
}
