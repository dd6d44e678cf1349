import { atomicInstructions } from "./atomic.ts";
import { baseInstructions } from "./base.ts";
import { bitManipulationInstructions } from "./bit-manipulation.ts";
import { cacheBlockInstructions } from "./cache-block.ts";
import { compressedInstructions } from "./compressed.ts";
import { floatInstructions } from "./float.ts";
import type { CompressedInstruction, FullInstruction, Instruction } from "./instruction.ts";
import { multiplyInstructions } from "./multiply.ts";
import { systemInstructions } from "./system.ts";

/** Every instruction with semantics. Where two match, the first counts: special cases come before general ones. */
export const fullInstructions: readonly FullInstruction[] = [
  ...baseInstructions,
  ...multiplyInstructions,
  ...atomicInstructions,
  ...bitManipulationInstructions,
  ...cacheBlockInstructions,
  ...floatInstructions,
  ...systemInstructions,
];

/** The table from which decoder, interpreter, disassembler, assembler and random tests are all derived. */
export const instructionTable: readonly Instruction[] = [...compressedInstructions, ...fullInstructions];

const byName: ReadonlyMap<string, Instruction> = new Map(
  instructionTable.map((instruction) => [instruction.name, instruction]),
);

/** The instruction called `name` in assembler. @throws Error when there is none. */
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
