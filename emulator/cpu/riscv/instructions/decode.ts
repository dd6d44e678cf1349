import { extractImmediate, extractRegister, insertImmediate, insertRegister } from "./fields.ts";
import type { FullInstruction, Instruction, Operands } from "./instruction.ts";
import { expansionOf, instructionNamed, instructionTable } from "./table.ts";

/** A decoded instruction word. */
export interface Decoded extends Operands {
  /** The instruction as encoded, compressed or not. */
  readonly instruction: Instruction;
  /** The instruction that defines its semantics. */
  readonly full: FullInstruction;
}

/** An instruction that a word may encode. */
interface Candidate {
  readonly instruction: Instruction;
  readonly full: FullInstruction;
}

/** The key of a word: quadrant and bits 13 to 15 of a 16-bit one, opcode and funct3 of a 32-bit one. */
const KEY_BITS = { 2: 0xe003, 4: 0x707f } as const;
/** Position of the rounding mode, if there is one. */
const ROUNDING_SHIFT = 12;

/** By key, in table order; created when a word with that key is first seen. */
const candidates = new Map<number, readonly Candidate[]>();

function candidatesFor(bits: number): readonly Candidate[] {
  const bytes = instructionLength(bits);
  const key = bits & KEY_BITS[bytes];
  const known = candidates.get(key);
  if (known !== undefined) return known;
  const found = instructionTable
    .filter(({ length, mask, match }) => length === bytes && ((key ^ match) & mask & KEY_BITS[bytes]) === 0)
    .map((instruction) => ({
      instruction,
      full: instruction.length === 2 ? expansionOf(instruction) : instruction,
    }));
  candidates.set(key, found);
  return found;
}

/** Bytes of the instruction whose first halfword is given (unprivileged ISA, section 1.5). */
export function instructionLength(halfword: number): 2 | 4 {
  return (halfword & 3) === 3 ? 4 : 2;
}

/** Decodes an instruction word; undefined if it is illegal. Of a 16-bit instruction, only the low half counts. */
export function decode(word: number): Decoded | undefined {
  const bits = instructionLength(word) === 2 ? word & 0xffff : word >>> 0;
  for (const { instruction, full } of candidatesFor(bits)) {
    if ((bits & instruction.mask) >>> 0 !== instruction.match) continue;
    const decoded: Decoded = {
      instruction,
      full,
      rd: extractRegister(instruction.rd, bits),
      rs1: extractRegister(instruction.rs1, bits),
      rs2: extractRegister(instruction.rs2, bits),
      rs3: extractRegister(instruction.rs3, bits),
      rm: instruction.rounds === true ? (bits >>> ROUNDING_SHIFT) & 7 : 0,
      immediate: instruction.immediate === undefined ? 0 : extractImmediate(instruction.immediate, bits),
    };
    return instruction.valid === undefined || instruction.valid(decoded) ? decoded : undefined;
  }
  return undefined;
}

/** Encodes an instruction. @throws RangeError when it cannot have these operands. */
export function encode(name: string, operands: Partial<Operands> = {}): number {
  const instruction = instructionNamed(name);
  const all: Operands = { rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, immediate: 0, ...operands };
  if (instruction.valid?.(all) === false) throw new RangeError(`${name}: operands are reserved`);
  const immediateBits =
    instruction.immediate === undefined ? 0 : insertImmediate(instruction.immediate, all.immediate);
  return (
    (instruction.match |
      insertRegister(instruction.rd, all.rd) |
      insertRegister(instruction.rs1, all.rs1) |
      insertRegister(instruction.rs2, all.rs2) |
      insertRegister(instruction.rs3, all.rs3) |
      (instruction.rounds === true ? all.rm << ROUNDING_SHIFT : 0) |
      immediateBits) >>>
    0
  );
}
