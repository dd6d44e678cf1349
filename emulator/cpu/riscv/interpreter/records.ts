/**
 * Decoded instructions as the interpreter reads them: records of eight bytes.
 *
 *     byte 0-1  operation: index of the handler, 0 where nothing is decoded
 *     byte 2    destination, or the second source of instructions that have none
 *     byte 3    first source
 *     byte 4-7  immediate, or of instructions with a destination and two sources: in byte 4 the second source, in byte 5
 *               the third; and in byte 6 the rounding mode
 *
 * Registers are byte offsets. Destinations count from x1 and use the slot after x31 for x0, so that x0 is never written
 * and both kinds fit in a byte. Floating-point registers all count from f0.
 */

import { inlineCsrs } from "../codegen/supervisor.ts";
import { compressedInstructions } from "../instructions/compressed.ts";
import type { Decoded } from "../instructions/decode.ts";
import { immediate, isFloat } from "../instructions/fields.ts";
import { formatsOf } from "../instructions/formats.ts";
import type { FullInstruction } from "../instructions/instruction.ts";
import { fullInstructions } from "../instructions/table.ts";
import { pairsOf } from "./pairs.ts";

/** One case of the interpreter's switch. */
export interface Handler {
  readonly instruction: FullInstruction;
  readonly length: 2 | 4;
  /** The target is in the same page: the immediate is the distance in bytes of records, not of guest code. */
  readonly near: boolean;
  /** Number of the control register that it accesses; undefined for those that are left to the host. */
  readonly csr?: number;
  /** Also executed, from its own record, which follows. */
  readonly followedBy?: Handler;
}

/** Stands for a word that is not an instruction. Its immediate is the word. */
const illegal: FullInstruction = formatsOf("I").exact("illegal", 0, (c) => c.host("illegal"));

export function isRelative({ immediate: format }: FullInstruction): boolean {
  return format === immediate.B || format === immediate.J;
}

const compressible = new Set(compressedInstructions.map(({ expandsTo }) => expandsTo));

function variants(instruction: FullInstruction): Handler[] {
  const lengths: readonly (2 | 4)[] = compressible.has(instruction.name) ? [4, 2] : [4];
  return lengths.flatMap((length) => {
    const general = { instruction, length, near: false };
    if (isRelative(instruction)) return [general, { instruction, length, near: true }];
    return [general, ...inlineCsrs(instruction.name).map((csr) => ({ ...general, csr }))];
  });
}

const singles: readonly Handler[] = [
  { instruction: illegal, length: 4, near: false },
  { instruction: illegal, length: 2, near: false },
  ...fullInstructions.flatMap(variants),
];

/** All handlers; the operation of handler i is i + 1. */
export const handlers: readonly Handler[] = [...singles, ...pairsOf(singles)];

/** Operations of each instruction, at `variantIndex`; 0 where there is none. */
const operations: ReadonlyMap<FullInstruction, Uint16Array> = new Map(
  [illegal, ...fullInstructions].map((instruction) => [instruction, new Uint16Array(4)]),
);
/** Operations of instructions that access a control register without the host, by instruction and register. */
const csrOperations = new Map<string, number>();
singles.forEach(({ instruction, length, near, csr }, index) => {
  const found = operations.get(instruction);
  if (csr !== undefined) csrOperations.set(csrKey(instruction, csr), index + 1);
  else if (found !== undefined) found[variantIndex(length, near)] = index + 1;
});

function csrKey({ name }: FullInstruction, csr: number): string {
  return `${name} ${csr}`;
}

function variantIndex(length: 2 | 4, near: boolean): number {
  return length - 2 + (near ? 1 : 0);
}

function operationOf(instruction: FullInstruction, length: 2 | 4, near: boolean): number {
  const operation = operations.get(instruction)?.[variantIndex(length, near)] ?? 0;
  if (operation === 0) throw new Error(`no handler for ${instruction.name} of ${length} bytes`);
  return operation;
}

/** By operation: the operation that executes only its first instruction. */
const singleOf: Uint16Array = Uint16Array.from([
  0,
  ...handlers.map((handler, index) =>
    handler.followedBy === undefined
      ? index + 1
      : operationOf(handler.instruction, handler.length, handler.near),
  ),
]);

/** The operation that executes only the first instruction of a pair; any other is returned unchanged. */
export function singleOperation(operation: number): number {
  return singleOf[operation] ?? 0;
}

/** Operations of pairs, by those of their parts. */
const pairs: ReadonlyMap<number, number> = new Map(
  handlers.flatMap(({ instruction, length, near, followedBy }, index) => {
    if (followedBy === undefined) return [];
    const first = operationOf(instruction, length, near);
    const second = operationOf(followedBy.instruction, followedBy.length, followedBy.near);
    return [[(first << 16) | second, index + 1]];
  }),
);

/** The operation that executes an instruction and the one after it, given those of both; 0 if there is none. */
export function pairOperation(first: number, second: number): number {
  return pairs.get(((singleOf[first] ?? 0) << 16) | (singleOf[second] ?? 0)) ?? 0;
}

/** Bytes of the instruction that an operation executes; of a pair, the first. */
export const operationLength: Uint8Array = Uint8Array.from([0, ...handlers.map(({ length }) => length)]);

export const sourceOffset = (register: number): number => 8 * register;
export const destinationOffset = (register: number): number => (register === 0 ? 248 : 8 * (register - 1));

/** Low and high word of a record. */
export interface Record {
  readonly low: number;
  readonly high: number;
}

export function illegalRecord(bits: number, length: 2 | 4): Record {
  return { low: operationOf(illegal, length, false), high: bits | 0 };
}

/** `pageOffset` is the instruction's offset in its page, or undefined if its targets must not be linked. */
export function recordOf(decoded: Decoded, pageOffset: number | undefined): Record {
  const { full, instruction, rd, rs1, rs2, rs3, rm } = decoded;
  const { length } = instruction;
  let { immediate: high } = decoded;
  let near = false;
  if (isRelative(full) && pageOffset !== undefined) {
    const target = pageOffset + high;
    near = target >= 0 && target < 4096;
    if (near) high *= 4;
  }
  const second = sourceOffset(rs2);
  const first = full.rd === undefined ? second : isFloat(full.rd) ? sourceOffset(rd) : destinationOffset(rd);
  if (full.rd !== undefined && full.rs2 !== undefined) high = second | (sourceOffset(rs3) << 8);
  if (full.rounds === true) high |= rm << 16;
  const operation =
    (full.immediate === immediate.csr ? csrOperations.get(csrKey(full, high)) : undefined) ??
    operationOf(full, length, near);
  return { low: operation | (first << 16) | (sourceOffset(rs1) << 24), high };
}
