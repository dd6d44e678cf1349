/** Where operands sit in an instruction word. One description serves extraction, insertion and random generation. */

/** A register number: `width` bits from bit `at`. Three-bit fields name x8 to x15 (unprivileged ISA, section 16.2). */
export interface RegisterField {
  readonly at: number;
  readonly width: 3 | 5;
  /** Names one of f0 to f31. */
  readonly float?: true;
}

/** A register that the encoding implies, such as `sp` in c.lwsp. */
export interface ImpliedRegister {
  readonly fixed: number;
}

export type RegisterOperand = RegisterField | ImpliedRegister;

/** Whether an operand is one of f0 to f31. */
export function isFloat(operand: RegisterOperand | undefined): boolean {
  return operand !== undefined && "at" in operand && operand.float === true;
}

/** `width` bits from bit `from` of the instruction are bits `to` and up of the immediate. */
export interface ImmediatePiece {
  readonly from: number;
  readonly width: number;
  readonly to: number;
}

/** How an immediate is assembled from pieces. Bits that no piece covers are zero. */
export interface ImmediateFormat {
  readonly pieces: readonly ImmediatePiece[];
  /** The highest bit covered is the sign. */
  readonly signed: boolean;
  /** Bits that it spans, its sign included. */
  readonly width: number;
}

const piece = (from: number, width: number, to: number): ImmediatePiece => ({ from, width, to });

function format(signed: boolean, ...pieces: ImmediatePiece[]): ImmediateFormat {
  return { signed, pieces, width: Math.max(...pieces.map((piece) => piece.to + piece.width)) };
}

/** Immediates of the 32-bit formats (unprivileged ISA, section 2.3) and of the compressed ones (section 16.8). */
export const immediate = {
  I: format(true, piece(20, 12, 0)),
  S: format(true, piece(25, 7, 5), piece(7, 5, 0)),
  B: format(true, piece(31, 1, 12), piece(25, 6, 5), piece(8, 4, 1), piece(7, 1, 11)),
  U: format(true, piece(12, 20, 12)),
  J: format(true, piece(31, 1, 20), piece(21, 10, 1), piece(20, 1, 11), piece(12, 8, 12)),
  shift64: format(false, piece(20, 6, 0)),
  shift32: format(false, piece(20, 5, 0)),
  csr: format(false, piece(20, 12, 0)),
  CI: format(true, piece(12, 1, 5), piece(2, 5, 0)),
  CIshift: format(false, piece(12, 1, 5), piece(2, 5, 0)),
  CIupper: format(true, piece(12, 1, 17), piece(2, 5, 12)),
  CI16sp: format(true, piece(12, 1, 9), piece(6, 1, 4), piece(5, 1, 6), piece(3, 2, 7), piece(2, 1, 5)),
  CI4spn: format(false, piece(11, 2, 4), piece(7, 4, 6), piece(6, 1, 2), piece(5, 1, 3)),
  CIloadWord: format(false, piece(12, 1, 5), piece(4, 3, 2), piece(2, 2, 6)),
  CIloadDouble: format(false, piece(12, 1, 5), piece(5, 2, 3), piece(2, 3, 6)),
  CSSword: format(false, piece(9, 4, 2), piece(7, 2, 6)),
  CSSdouble: format(false, piece(10, 3, 3), piece(7, 3, 6)),
  CLword: format(false, piece(10, 3, 3), piece(6, 1, 2), piece(5, 1, 6)),
  CLdouble: format(false, piece(10, 3, 3), piece(5, 2, 6)),
  CB: format(true, piece(12, 1, 8), piece(10, 2, 3), piece(5, 2, 6), piece(3, 2, 1), piece(2, 1, 5)),
  CJ: format(
    true,
    piece(12, 1, 11),
    piece(11, 1, 4),
    piece(9, 2, 8),
    piece(8, 1, 10),
    piece(7, 1, 6),
    piece(6, 1, 7),
    piece(3, 3, 1),
    piece(2, 1, 5),
  ),
} as const;

/** For widths below 32. */
const ones = (width: number): number => (1 << width) - 1;

/** The unit that every value of the format is a multiple of: 1, 2, 4, … */
export function immediateUnit(format: ImmediateFormat): number {
  return 2 ** Math.min(...format.pieces.map((piece) => piece.to));
}

export function extractImmediate(format: ImmediateFormat, bits: number): number {
  let value = 0;
  for (const { from, width, to } of format.pieces) value |= ((bits >>> from) & ones(width)) << to;
  if (!format.signed) return value;
  const unused = 32 - format.width;
  return (value << unused) >> unused;
}

/** Instruction bits that encode `value`. @throws RangeError when the format cannot encode it. */
export function insertImmediate(format: ImmediateFormat, value: number): number {
  let bits = 0;
  for (const { from, width, to } of format.pieces) bits |= ((value >> to) & ones(width)) << from;
  if (extractImmediate(format, bits) !== value) throw new RangeError(`immediate ${value} does not fit`);
  return bits;
}

export function extractRegister(operand: RegisterOperand | undefined, bits: number): number {
  if (operand === undefined) return 0;
  if ("fixed" in operand) return operand.fixed;
  const field = (bits >>> operand.at) & ones(operand.width);
  return operand.width === 3 ? field + 8 : field;
}

/** Instruction bits that name register `register`. @throws RangeError when the field cannot name it. */
export function insertRegister(operand: RegisterOperand | undefined, register: number): number {
  if (operand === undefined || "fixed" in operand) return 0;
  const bits = ((operand.width === 3 ? register - 8 : register) & ones(operand.width)) << operand.at;
  if (extractRegister(operand, bits) !== register) throw new RangeError(`no encoding for x${register}`);
  return bits;
}
