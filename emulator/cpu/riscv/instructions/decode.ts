import { extractImmediate, extractRegister, insertImmediate, insertRegister } from "./fields.ts";
import type { FullInstruction, Instruction, Operands } from "./instruction.ts";
import { expansionOf, instructionNamed, instructionTable } from "./table.ts";

/** An instruction word taken apart. */
export interface Decoded extends Operands {
  /** The instruction as spelled, compressed or not. */
  readonly instruction: Instruction;
  /** The instruction that says what it does. */
  readonly full: FullInstruction;
}

/** Instructions of one bucket, in table order. */
interface Candidate {
  readonly instruction: Instruction;
  readonly full: FullInstruction;
}

/** What a word is sorted by: quadrant and bits 13 to 15 of a 16-bit one, opcode and funct3 of a 32-bit one. */
const KEY_BITS = { 2: 0xe003, 4: 0x707f } as const;
/** Where the rounding mode stands, if there is one. */
const ROUNDING_SHIFT = 12;
const WIDE_BUCKETS = 32;
const BUCKETS = WIDE_BUCKETS + 256;

function bucketOf(bits: number): number {
  return (bits & 3) === 3
    ? WIDE_BUCKETS + (((bits >>> 2) & 0x1f) << 3) + ((bits >>> 12) & 7)
    : (((bits >>> 13) & 7) << 2) | (bits & 3);
}

/** The word with nothing but the key of a bucket. */
function keyOf(bucket: number): number {
  if (bucket < WIDE_BUCKETS) return ((bucket >>> 2) << 13) | (bucket & 3);
  const index = bucket - WIDE_BUCKETS;
  return ((index & 7) << 12) | ((index >>> 3) << 2) | 3;
}

const buckets: readonly (readonly Candidate[])[] = Array.from({ length: BUCKETS }, (_, bucket) =>
  instructionTable
    .filter(({ length, mask, match }) => {
      const key = keyOf(bucket);
      return instructionLength(key) === length && ((key ^ match) & mask & KEY_BITS[length]) === 0;
    })
    .map((instruction) => ({
      instruction,
      full: instruction.length === 2 ? expansionOf(instruction) : instruction,
    })),
);

/** Bytes of the instruction whose first halfword is given (unprivileged ISA, section 1.5). */
export function instructionLength(halfword: number): 2 | 4 {
  return (halfword & 3) === 3 ? 4 : 2;
}

/** Takes an instruction word apart; undefined when it is illegal. Of a 16-bit instruction only the low half counts. */
export function decode(word: number): Decoded | undefined {
  const bits = instructionLength(word) === 2 ? word & 0xffff : word >>> 0;
  for (const { instruction, full } of buckets[bucketOf(bits)] ?? []) {
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

/** The word of an instruction; a RangeError when it cannot say these operands. */
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
