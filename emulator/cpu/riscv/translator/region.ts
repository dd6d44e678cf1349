import { inlineCsrs } from "../codegen/supervisor.ts";
import { type Decoded, decode, instructionLength } from "../instructions/decode.ts";
import type { FullInstruction } from "../instructions/instruction.ts";
import { isRelative } from "../interpreter/records.ts";

/** An instruction of a region, and its offset in the page. */
export interface Placed {
  readonly decoded: Decoded;
  readonly offset: number;
}

/** How a block ends. Offsets are relative to the page; targets outside it are below 0, or 4096 and up. */
export type BlockEnd =
  | { readonly kind: "next"; readonly offset: number }
  | { readonly kind: "jump"; readonly offset: number }
  | { readonly kind: "branch"; readonly taken: number; readonly next: number }
  /** To an address in a register. */
  | { readonly kind: "indirect" }
  /** In TypeScript: the last instruction is not executed here. */
  | { readonly kind: "host" };

/** Instructions that are executed one after another. */
export interface Block {
  readonly offset: number;
  readonly instructions: readonly Placed[];
  readonly end: BlockEnd;
}

/** What a translated unit covers: blocks of a page that can be reached from its entry without leaving the page. */
export interface Region {
  readonly entry: number;
  /** By offset. */
  readonly blocks: ReadonlyMap<number, Block>;
  readonly instructions: number;
}

/** The page as the region's builder sees it. */
export interface CodeSource {
  /** Halfword of the page at a byte offset. */
  halfword(offset: number): number;
  /** Whether execution has reached this place, as far as is known. */
  reached(offset: number): boolean;
}

/** More would cost more compile time than it gains: the engine's register allocation is superlinear. */
const MOST_INSTRUCTIONS = 400;
const LONGEST_BLOCK = 100;
const PAGE_BYTES = 4096;

/** Finds the region that begins at a page offset; undefined if its first instruction cannot be translated. */
export function findRegion(entry: number, source: CodeSource): Region | undefined {
  const starts = findStarts(entry, source);
  const blocks = new Map<number, Block>();
  let instructions = 0;
  for (const start of starts) {
    const block = readBlock(start, starts, source);
    if (block.instructions.length === 0) continue;
    blocks.set(start, block);
    instructions += block.instructions.length;
  }
  return blocks.has(entry) ? { entry, blocks, instructions } : undefined;
}

/** Offsets where blocks begin, nearest to the entry first, as many as fit. */
function findStarts(entry: number, source: CodeSource): ReadonlySet<number> {
  const starts = new Set<number>([entry]);
  const none: ReadonlySet<number> = new Set();
  let instructions = 0;
  for (const start of starts) {
    const block = readBlock(start, none, source);
    instructions += block.instructions.length;
    if (instructions > MOST_INSTRUCTIONS) break;
    for (const offset of successors(block.end)) {
      if (offset >= 0 && offset < PAGE_BYTES && source.reached(offset)) starts.add(offset);
    }
  }
  return starts;
}

/** Reads until something ends the block, or another one begins. */
function readBlock(start: number, starts: ReadonlySet<number>, source: CodeSource): Block {
  const instructions: Placed[] = [];
  for (let offset = start; ; ) {
    const decoded = readInstruction(offset, source);
    if (
      decoded === undefined ||
      instructions.length === LONGEST_BLOCK ||
      (offset !== start && starts.has(offset))
    ) {
      return { offset: start, instructions, end: { kind: "next", offset } };
    }
    instructions.push({ decoded, offset });
    const end = endAt(decoded, offset);
    if (end !== undefined) return { offset: start, instructions, end };
    offset += decoded.instruction.length;
  }
}

/** Undefined for an illegal instruction, and for one that crosses the end of the page. */
function readInstruction(offset: number, source: CodeSource): Decoded | undefined {
  if (offset >= PAGE_BYTES) return undefined;
  const halfword = source.halfword(offset);
  if (instructionLength(halfword) === 2) return decode(halfword);
  return offset + 4 > PAGE_BYTES ? undefined : decode(halfword | (source.halfword(offset + 2) << 16));
}

function endAt({ full, instruction, immediate }: Decoded, offset: number): BlockEnd | undefined {
  if (INDIRECT.has(full.name)) return { kind: "indirect" };
  if (full.name === "jal") return { kind: "jump", offset: offset + immediate };
  if (isRelative(full)) {
    return { kind: "branch", taken: offset + immediate, next: offset + instruction.length };
  }
  return alwaysLeaves(full, immediate) ? { kind: "host" } : undefined;
}

/** Jumps to an address in a register; ecall and sret where generated code executes them. */
const INDIRECT = new Set(["jalr", "ecall", "sret"]);

/** Instructions that always return to TypeScript, in addition to privileged ones. */
const HOST_ONLY = new Set(["ebreak", "cbo.inval", "cbo.clean", "cbo.flush", "pause"]);

function alwaysLeaves({ extension, name }: FullInstruction, immediate: number): boolean {
  if (extension === "Zicsr") return !inlineCsrs(name).includes(immediate);
  return extension === "Privileged" || HOST_ONLY.has(name);
}

/** Offsets where the block may continue. Calls end a region: what they return to has an entry of its own. */
export function successors(end: BlockEnd): readonly number[] {
  switch (end.kind) {
    case "next":
    case "jump":
      return [end.offset];
    case "branch":
      return [end.next, end.taken];
    case "indirect":
    case "host":
      return [];
  }
}
