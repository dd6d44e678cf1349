/** The C extension, version 2.0, for RV64 (unprivileged ISA, chapter 16). */
import { type ImmediateFormat, immediate, type RegisterOperand } from "./fields.ts";
import type { CompressedInstruction, Operands } from "./instruction.ts";

const ZERO = { fixed: 0 } as const;
const RA = { fixed: 1 } as const;
const SP = { fixed: 2 } as const;
/** The full-width fields, which may be destination and first source at once. */
const register = { at: 7, width: 5 } as const;
const second = { at: 2, width: 5 } as const;
/** The three-bit fields: first source (or first source and destination), and the other register. */
const high3 = { at: 7, width: 3 } as const;
const low3 = { at: 2, width: 3 } as const;

interface Fields {
  readonly rd?: RegisterOperand;
  readonly rs1?: RegisterOperand;
  readonly rs2?: RegisterOperand;
  readonly immediate?: ImmediateFormat;
}

function compressed(
  name: string,
  mask: number,
  match: number,
  expandsTo: string,
  syntax: string,
  fields: Fields,
  valid?: (operands: Operands) => boolean,
): CompressedInstruction {
  const instruction = { name, extension: "C", length: 2, mask, match, expandsTo, syntax, ...fields } as const;
  return valid === undefined ? instruction : { ...instruction, valid };
}

const destinationNotZero = ({ rd }: Operands) => rd !== 0;
const immediateNotZero = (operands: Operands) => operands.immediate !== 0;
/** With zero in these fields, the bits encode another instruction of the same quadrant. */
const firstNotZero = ({ rs1 }: Operands) => rs1 !== 0;
const secondNotZero = ({ rs2 }: Operands) => rs2 !== 0;

const arithmetic = { rd: high3, rs1: high3, rs2: low3 } as const;
const loadFromStack = { rd: register, rs1: SP } as const;
const load = { rd: low3, rs1: high3 } as const;
const store = { rs1: high3, rs2: low3 } as const;

/** The same fields for floating-point registers. */
const loadFloat = { rd: { ...low3, float: true }, rs1: high3 } as const;
const storeFloat = { rs1: high3, rs2: { ...low3, float: true } } as const;
const loadFloatFromStack = { rd: { ...register, float: true }, rs1: SP } as const;

/** Where masks overlap, the first match counts, so special cases come before general ones. */
export const compressedInstructions: readonly CompressedInstruction[] = [
  compressed(
    "c.addi4spn",
    0xe003,
    0x0000,
    "addi",
    "rd,sp,imm",
    { rd: low3, rs1: SP, immediate: immediate.CI4spn },
    immediateNotZero,
  ),
  compressed("c.fld", 0xe003, 0x2000, "fld", "rd,imm(rs1)", {
    ...loadFloat,
    immediate: immediate.CLdouble,
  }),
  compressed("c.fsd", 0xe003, 0xa000, "fsd", "rs2,imm(rs1)", {
    ...storeFloat,
    immediate: immediate.CLdouble,
  }),
  compressed("c.lw", 0xe003, 0x4000, "lw", "rd,imm(rs1)", { ...load, immediate: immediate.CLword }),
  compressed("c.ld", 0xe003, 0x6000, "ld", "rd,imm(rs1)", { ...load, immediate: immediate.CLdouble }),
  compressed("c.sw", 0xe003, 0xc000, "sw", "rs2,imm(rs1)", { ...store, immediate: immediate.CLword }),
  compressed("c.sd", 0xe003, 0xe000, "sd", "rs2,imm(rs1)", { ...store, immediate: immediate.CLdouble }),

  compressed("c.addi", 0xe003, 0x0001, "addi", "rd,imm", {
    rd: register,
    rs1: register,
    immediate: immediate.CI,
  }),
  compressed(
    "c.addiw",
    0xe003,
    0x2001,
    "addiw",
    "rd,imm",
    { rd: register, rs1: register, immediate: immediate.CI },
    destinationNotZero,
  ),
  compressed("c.li", 0xe003, 0x4001, "addi", "rd,imm", { rd: register, rs1: ZERO, immediate: immediate.CI }),
  compressed(
    "c.addi16sp",
    0xef83,
    0x6101,
    "addi",
    "rd,imm",
    { rd: SP, rs1: SP, immediate: immediate.CI16sp },
    immediateNotZero,
  ),
  compressed(
    "c.lui",
    0xe003,
    0x6001,
    "lui",
    "rd,upper",
    { rd: register, immediate: immediate.CIupper },
    (operands) => immediateNotZero(operands) && operands.rd !== 2,
  ),
  compressed("c.srli", 0xec03, 0x8001, "srli", "rd,hex", {
    rd: high3,
    rs1: high3,
    immediate: immediate.CIshift,
  }),
  compressed("c.srai", 0xec03, 0x8401, "srai", "rd,hex", {
    rd: high3,
    rs1: high3,
    immediate: immediate.CIshift,
  }),
  compressed("c.andi", 0xec03, 0x8801, "andi", "rd,imm", {
    rd: high3,
    rs1: high3,
    immediate: immediate.CI,
  }),
  compressed("c.sub", 0xfc63, 0x8c01, "sub", "rd,rs2", arithmetic),
  compressed("c.xor", 0xfc63, 0x8c21, "xor", "rd,rs2", arithmetic),
  compressed("c.or", 0xfc63, 0x8c41, "or", "rd,rs2", arithmetic),
  compressed("c.and", 0xfc63, 0x8c61, "and", "rd,rs2", arithmetic),
  compressed("c.subw", 0xfc63, 0x9c01, "subw", "rd,rs2", arithmetic),
  compressed("c.addw", 0xfc63, 0x9c21, "addw", "rd,rs2", arithmetic),
  compressed("c.j", 0xe003, 0xa001, "jal", "target", { rd: ZERO, immediate: immediate.CJ }),
  compressed("c.beqz", 0xe003, 0xc001, "beq", "rs1,target", {
    rs1: high3,
    rs2: ZERO,
    immediate: immediate.CB,
  }),
  compressed("c.bnez", 0xe003, 0xe001, "bne", "rs1,target", {
    rs1: high3,
    rs2: ZERO,
    immediate: immediate.CB,
  }),

  compressed("c.slli", 0xe003, 0x0002, "slli", "rd,hex", {
    rd: register,
    rs1: register,
    immediate: immediate.CIshift,
  }),
  compressed(
    "c.lwsp",
    0xe003,
    0x4002,
    "lw",
    "rd,imm(sp)",
    { ...loadFromStack, immediate: immediate.CIloadWord },
    destinationNotZero,
  ),
  compressed(
    "c.ldsp",
    0xe003,
    0x6002,
    "ld",
    "rd,imm(sp)",
    { ...loadFromStack, immediate: immediate.CIloadDouble },
    destinationNotZero,
  ),
  compressed("c.fldsp", 0xe003, 0x2002, "fld", "rd,imm(sp)", {
    ...loadFloatFromStack,
    immediate: immediate.CIloadDouble,
  }),
  compressed("c.jr", 0xf07f, 0x8002, "jalr", "rs1", { rd: ZERO, rs1: register }, firstNotZero),
  compressed(
    "c.mv",
    0xf003,
    0x8002,
    "add",
    "rd,rs2",
    { rd: register, rs1: ZERO, rs2: second },
    secondNotZero,
  ),
  compressed("c.ebreak", 0xffff, 0x9002, "ebreak", "", {}),
  compressed("c.jalr", 0xf07f, 0x9002, "jalr", "rs1", { rd: RA, rs1: register }, firstNotZero),
  compressed(
    "c.add",
    0xf003,
    0x9002,
    "add",
    "rd,rs2",
    { rd: register, rs1: register, rs2: second },
    secondNotZero,
  ),
  compressed("c.fsdsp", 0xe003, 0xa002, "fsd", "rs2,imm(sp)", {
    rs1: SP,
    rs2: { ...second, float: true },
    immediate: immediate.CSSdouble,
  }),
  compressed("c.swsp", 0xe003, 0xc002, "sw", "rs2,imm(sp)", {
    rs1: SP,
    rs2: second,
    immediate: immediate.CSSword,
  }),
  compressed("c.sdsp", 0xe003, 0xe002, "sd", "rs2,imm(sp)", {
    rs1: SP,
    rs2: second,
    immediate: immediate.CSSdouble,
  }),
];
