import { atomicInstructions } from "./atomic.ts";
import { baseInstructions } from "./base.ts";
import { bitManipulationInstructions } from "./bit-manipulation.ts";
import { cacheBlockInstructions } from "./cache-block.ts";
import { compressedInstructions } from "./compressed.ts";
import { floatInstructions } from "./float.ts";
import type { CompressedInstruction, FullInstruction, Instruction } from "./instruction.ts";
import { multiplyInstructions } from "./multiply.ts";
import { systemInstructions } from "./system.ts";

/** Every instruction with semantics. Where two match, the first counts: the special case stands before the general one. */
export const fullInstructions: readonly FullInstruction[] = [
  ...baseInstructions,
  ...multiplyInstructions,
  ...atomicInstructions,
  ...bitManipulationInstructions,
  ...cacheBlockInstructions,
  ...floatInstructions,
  ...systemInstructions,
];

/** The table: decoder, interpreter, disassembler, assembler and random tests are all made from it. */
export const instructionTable: readonly Instruction[] = [...compressedInstructions, ...fullInstructions];

const byName: ReadonlyMap<string, Instruction> = new Map(
  instructionTable.map((instruction) => [instruction.name, instruction]),
);

/** The instruction called `name` in assembler; an error when there is none. */
export function instructionNamed(name: string): Instruction {
  const instruction = byName.get(name);
  if (instruction === undefined) throw new Error(`no instruction is called "${name}"`);
  return instruction;
}

/** The instruction whose semantics a compressed one has. */
export function expansionOf(instruction: CompressedInstruction): FullInstruction {
  const full = instructionNamed(instruction.expandsTo);
  if (full.length !== 4) throw new Error(`${instruction.name} expands to ${full.name}, which is compressed`);
  return full;
}
