/** The A extension, version 2.1 (unprivileged ISA, chapter 8). */
import { choose, type I64, i32, i64 } from "../wasm/index.ts";
import { formatsOf } from "./formats.ts";
import type { FullInstruction } from "./instruction.ts";

const { A } = formatsOf("A");

const combinations: readonly (readonly [
  name: string,
  funct5: number,
  combine: (old: I64, operand: I64) => I64,
])[] = [
  ["amoswap", 0x01, (_, operand) => operand],
  ["amoadd", 0x00, i64.add],
  ["amoxor", 0x04, i64.xor],
  ["amoand", 0x0c, i64.and],
  ["amoor", 0x08, i64.or],
];

/** Minimum and maximum compare words as words: for w both operands are narrowed first. */
const comparisons = [
  ["amomin", 0x10, i32.ltS, i64.ltS, false],
  ["amomax", 0x14, i32.ltS, i64.ltS, true],
  ["amominu", 0x18, i32.ltU, i64.ltU, false],
  ["amomaxu", 0x1c, i32.ltU, i64.ltU, true],
] as const;

const widths = [
  { suffix: "w", funct3: 2, bytes: 4 },
  { suffix: "d", funct3: 3, bytes: 8 },
] as const;

export const atomicInstructions: readonly FullInstruction[] = widths.flatMap(({ suffix, funct3, bytes }) => [
  {
    ...withoutRs2(A(`lr.${suffix}`, funct3, 0x02, (c) => c.loadReserved(bytes))),
    syntax: "rd,(rs1)",
  },
  A(`sc.${suffix}`, funct3, 0x03, (c) => c.storeConditional(bytes)),
  ...combinations.map(([name, funct5, combine]) =>
    A(`${name}.${suffix}`, funct3, funct5, (c) => c.atomic(bytes, combine)),
  ),
  ...comparisons.map(([name, funct5, less32, less64, maximum]) =>
    A(`${name}.${suffix}`, funct3, funct5, (c) =>
      c.atomic(bytes, (old, operand) => {
        const oldIsLess = bytes === 4 ? less32(i32.wrap(old), i32.wrap(operand)) : less64(old, operand);
        return maximum ? choose(oldIsLess, operand, old) : choose(oldIsLess, old, operand);
      }),
    ),
  ),
]);

/** Load-reserved has no second source: its field must be zero. */
function withoutRs2({ rs2: _, ...instruction }: FullInstruction): FullInstruction {
  return { ...instruction, mask: (instruction.mask | (0x1f << 20)) >>> 0 };
}
