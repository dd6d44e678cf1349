/**
 * The F and D extensions, version 2.2 (unprivileged ISA, chapters 13 and 14).
 *
 * WebAssembly rounds to nearest, ties to even, and raises no flags. Generated code therefore computes a result only if
 * that is the rounding mode, the inexact flag is raised already (flags are sticky), and the result shows that it raises
 * no other flag. Everything else is left to the host, which has exact arithmetic. Programs seldom clear flags, so that
 * few instructions leave generated code after the first inexact result.
 */
import {
  choose,
  type Expression,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { immediate, type RegisterOperand } from "./fields.ts";
import { OPCODE } from "./formats.ts";
import { fusedDouble, fusedSingle } from "./fused.ts";
import type { Extension, FullInstruction, InstructionContext, Operands } from "./instruction.ts";

type Context = InstructionContext;
type Semantics = (context: Context) => Statement;
type Binary<T extends "f32" | "f64"> = (left: Expression<T>, right: Expression<T>) => Expression<T>;
type Comparison<T extends "f32" | "f64"> = (left: Expression<T>, right: Expression<T>) => Expression<"i32">;
type Unary<T extends "f32" | "f64"> = (operand: Expression<T>) => Expression<T>;

/** Register operands, integer and floating-point. */
const rd = { at: 7, width: 5 } as const;
const rs1 = { at: 15, width: 5 } as const;
const rs2 = { at: 20, width: 5 } as const;
const frd = { ...rd, float: true } as const;
const frs1 = { ...rs1, float: true } as const;
const frs2 = { ...rs2, float: true } as const;
const frs3 = { at: 27, width: 5, float: true } as const;

/** A precision: its encoding, its operands and WebAssembly's instructions for it. */
interface Precision<T extends "f32" | "f64"> {
  readonly extension: Extension;
  readonly type: T;
  readonly suffix: "s" | "d";
  /** The field fmt (table 13.2). */
  readonly code: number;
  readonly bytes: 4 | 8;
  readonly smallestNormal: number;
  readonly constant: (value: number) => Expression<T>;
  readonly first: (c: Context) => Expression<T>;
  readonly second: (c: Context) => Expression<T>;
  readonly write: (c: Context, value: Expression<T>) => Statement;
  readonly fused: (c: Context, negateProduct: boolean, negateAddend: boolean) => Statement;
  readonly add: Binary<T>;
  readonly sub: Binary<T>;
  readonly mul: Binary<T>;
  readonly div: Binary<T>;
  readonly min: Binary<T>;
  readonly max: Binary<T>;
  readonly sqrt: Unary<T>;
  readonly abs: Unary<T>;
  readonly trunc: Unary<T>;
  readonly nearest: Unary<T>;
  readonly eq: Comparison<T>;
  readonly lt: Comparison<T>;
  readonly le: Comparison<T>;
  readonly gt: Comparison<T>;
  readonly toI32S: (value: Expression<T>) => Expression<"i32">;
  readonly toI32U: (value: Expression<T>) => Expression<"i32">;
  readonly toI64S: (value: Expression<T>) => Expression<"i64">;
  readonly toI64U: (value: Expression<T>) => Expression<"i64">;
  readonly fromI32S: (value: Expression<"i32">) => Expression<T>;
  readonly fromI32U: (value: Expression<"i32">) => Expression<T>;
  readonly fromI64S: (value: Expression<"i64">) => Expression<T>;
  readonly fromI64U: (value: Expression<"i64">) => Expression<T>;
}

const single: Precision<"f32"> = {
  ...f32,
  extension: "F",
  type: "f32",
  suffix: "s",
  code: 0,
  bytes: 4,
  smallestNormal: 2 ** -126,
  first: (c) => c.frs1Single,
  second: (c) => c.frs2Single,
  write: (c, value) => c.writeFrdSingle(value),
  fused: fusedSingle,
};

const double: Precision<"f64"> = {
  ...f64,
  extension: "D",
  type: "f64",
  suffix: "d",
  code: 1,
  bytes: 8,
  smallestNormal: 2 ** -1022,
  first: (c) => c.frs1Double,
  second: (c) => c.frs2Double,
  write: (c, value) => c.writeFrdDouble(value),
  fused: fusedDouble,
};

const leaveUnless = (c: Context, condition: Expression<"i32">): Statement =>
  when(i32.eqz(condition), c.host("float"));
/** Leaves unless the mode is to nearest even and generated code may round. */
const requireNearest = (c: Context): Statement => when(c.rounding, c.host("float"));
/** Leaves for a reserved rounding mode; for results that are exact in every other. */
const requireMode = (c: Context): Statement =>
  when(i32.gtU(i32.and(c.rounding, i32.constant(7)), i32.constant(4)), c.host("float"));

const permittedMode = ({ rm }: Operands): boolean => rm <= 4 || rm === 7;

const EXACT = { exact: true } as const;

interface Fields {
  readonly rd: RegisterOperand;
  readonly rs1: RegisterOperand;
  readonly rs2?: RegisterOperand;
}

/** Instructions of the major opcode OP-FP. */
function opFp(extension: Extension) {
  const common = { extension, length: 4 } as const;
  return {
    /** With a rounding mode. `selector` fills the field of the second source if there is none. */
    rounds: (
      name: string,
      funct7: number,
      fields: Fields,
      semantics: Semantics,
      selector = 0,
    ): FullInstruction => ({
      ...common,
      ...fields,
      name,
      mask: fields.rs2 === undefined ? 0xfff0007f : 0xfe00007f,
      match: ((funct7 << 25) | (selector << 20) | OPCODE.opFp) >>> 0,
      rounds: true,
      valid: permittedMode,
      syntax: fields.rs2 === undefined ? "rd,rs1" : "rd,rs1,rs2",
      semantics,
    }),
    /** With a function in place of the rounding mode. */
    plain: (
      name: string,
      funct7: number,
      funct3: number,
      fields: Fields,
      semantics: Semantics,
    ): FullInstruction => ({
      ...common,
      ...fields,
      name,
      mask: fields.rs2 === undefined ? 0xfff0707f : 0xfe00707f,
      match: ((funct7 << 25) | (funct3 << 12) | OPCODE.opFp) >>> 0,
      syntax: fields.rs2 === undefined ? "rd,rs1" : "rd,rs1,rs2",
      semantics,
    }),
  };
}

function memoryInstructions<T extends "f32" | "f64">(precision: Precision<T>): FullInstruction[] {
  const { extension, suffix, bytes } = precision;
  const letter = suffix === "s" ? "w" : "d";
  const funct3 = bytes === 4 ? 2 : 3;
  const common = { extension, length: 4, mask: 0x0000707f } as const;
  const address = (c: Context) => i64.add(c.rs1, c.immediate);
  return [
    {
      ...common,
      name: `fl${letter}`,
      match: (funct3 << 12) | OPCODE.loadFp,
      rd: frd,
      rs1,
      immediate: immediate.I,
      syntax: "rd,imm(rs1)",
      semantics: (c) => sequence(c.requireFloat("write"), c.loadFloat(bytes, address(c))),
    },
    {
      ...common,
      name: `fs${letter}`,
      match: (funct3 << 12) | OPCODE.storeFp,
      rs1,
      rs2: frs2,
      immediate: immediate.S,
      syntax: "rs2,imm(rs1)",
      semantics: (c) => sequence(c.requireFloat("read"), c.store(bytes, address(c), c.frs2Bits)),
    },
  ];
}

/** Sums, products, quotients and roots. */
function arithmeticInstructions<T extends "f32" | "f64">(precision: Precision<T>): FullInstruction[] {
  const { extension, suffix, code, type, constant, first, second, write, abs, eq, lt, gt } = precision;
  const { rounds, plain } = opFp(extension);
  const zero = constant(0);
  const isBounded = (value: Expression<T>) => lt(abs(value), constant(Number.POSITIVE_INFINITY));
  /** Whether a value is larger than any result that might be tiny. */
  const isNormal = (value: Expression<T>) => gt(abs(value), constant(precision.smallestNormal));

  /** Sums and roots, which are exact if they are tiny. */
  const withoutUnderflow =
    (compute: (c: Context) => Expression<T>): Semantics =>
    (c) => {
      const result = c.temporary(type);
      return sequence(
        requireNearest(c),
        result.set(compute(c)),
        leaveUnless(c, isBounded(result.value)),
        write(c, result.value),
      );
    };
  /** Products and quotients: a zero is no underflow if a factor or the dividend is zero. */
  const withUnderflow =
    (
      compute: (c: Context) => Expression<T>,
      hasZero: (c: Context, result: Local<T>) => Expression<"i32">,
    ): Semantics =>
    (c) => {
      const result = c.temporary(type);
      return sequence(
        requireNearest(c),
        result.set(compute(c)),
        when(
          i32.eqz(i32.and(isNormal(result.value), isBounded(result.value))),
          leaveUnless(c, i32.and(eq(result.value, zero), hasZero(c, result))),
        ),
        write(c, result.value),
      );
    };
  const bothNumbers = (c: Context) => i32.and(eq(first(c), first(c)), eq(second(c), second(c)));
  /** Minimum or maximum of two numbers: minus zero is less than zero, as in WebAssembly. */
  const extremum =
    (choice: Binary<T>): Semantics =>
    (c) =>
      sequence(
        c.requireFloat("write"),
        leaveUnless(c, bothNumbers(c)),
        write(c, choice(first(c), second(c))),
      );
  const compare =
    (comparison: Comparison<T>): Semantics =>
    (c) =>
      sequence(
        c.requireFloat("read"),
        leaveUnless(c, bothNumbers(c)),
        c.writeRd(i64.extendU(comparison(first(c), second(c)))),
      );
  const fff = { rd: frd, rs1: frs1, rs2: frs2 };
  const xff = { rd, rs1: frs1, rs2: frs2 };
  return [
    rounds(
      `fadd.${suffix}`,
      0x00 | code,
      fff,
      withoutUnderflow((c) => precision.add(first(c), second(c))),
    ),
    rounds(
      `fsub.${suffix}`,
      0x04 | code,
      fff,
      withoutUnderflow((c) => precision.sub(first(c), second(c))),
    ),
    rounds(
      `fmul.${suffix}`,
      0x08 | code,
      fff,
      withUnderflow(
        (c) => precision.mul(first(c), second(c)),
        (c) => i32.or(eq(first(c), zero), eq(second(c), zero)),
      ),
    ),
    rounds(
      `fdiv.${suffix}`,
      0x0c | code,
      fff,
      withUnderflow(
        (c) => precision.div(first(c), second(c)),
        (c) => eq(first(c), zero),
      ),
    ),
    rounds(
      `fsqrt.${suffix}`,
      0x2c | code,
      { rd: frd, rs1: frs1 },
      withoutUnderflow((c) => precision.sqrt(first(c))),
    ),
    plain(`fmin.${suffix}`, 0x14 | code, 0, fff, extremum(precision.min)),
    plain(`fmax.${suffix}`, 0x14 | code, 1, fff, extremum(precision.max)),
    plain(`feq.${suffix}`, 0x50 | code, 2, xff, compare(eq)),
    plain(`flt.${suffix}`, 0x50 | code, 1, xff, compare(lt)),
    plain(`fle.${suffix}`, 0x50 | code, 0, xff, compare(precision.le)),
    plain(`fclass.${suffix}`, 0x70 | code, 1, { rd, rs1: frs1 }, (c) => c.host("float")),
  ];
}

/** Fused multiply-add (section 13.6). */
function fusedInstructions<T extends "f32" | "f64">(precision: Precision<T>): FullInstruction[] {
  const { extension, suffix, code, fused } = precision;
  return (
    [
      ["fmadd", OPCODE.madd, false, false],
      ["fmsub", OPCODE.msub, false, true],
      ["fnmsub", OPCODE.nmsub, true, false],
      ["fnmadd", OPCODE.nmadd, true, true],
    ] as const
  ).map(([name, opcode, negateProduct, negateAddend]) => ({
    name: `${name}.${suffix}`,
    extension,
    length: 4,
    mask: 0x0600007f,
    match: (code << 25) | opcode,
    rd: frd,
    rs1: frs1,
    rs2: frs2,
    rs3: frs3,
    rounds: true,
    valid: permittedMode,
    syntax: "rd,rs1,rs2,rs3",
    semantics: (c) => fused(c, negateProduct, negateAddend),
  }));
}

/** Conversions from and to integers. */
function integerConversions<T extends "f32" | "f64">(precision: Precision<T>): FullInstruction[] {
  const { extension, suffix, code, type, constant, first, write, lt, le } = precision;
  const { rounds } = opFp(extension);
  /** To nearest even or towards zero, as casts do; the result must be in range. */
  const toInteger =
    (lowest: number, limit: number, convert: (value: Expression<T>) => Expression<"i64">): Semantics =>
    (c) => {
      const whole = c.temporary(type);
      return sequence(
        when(i32.gtU(c.rounding, i32.constant(1)), c.host("float")),
        whole.set(choose(c.rounding, precision.trunc(first(c)), precision.nearest(first(c)))),
        leaveUnless(c, i32.and(le(constant(lowest), whole.value), lt(whole.value, constant(limit)))),
        c.writeRd(convert(whole.value)),
      );
    };
  /** Doubles represent every 32-bit integer. */
  const isExact = (kind: string): boolean => suffix === "d" && kind.startsWith("w");
  const fromInteger =
    (kind: string, value: (c: Context) => Expression<T>): Semantics =>
    (c) =>
      sequence(
        ...(isExact(kind) ? [c.requireFloat("write"), requireMode(c)] : [requireNearest(c)]),
        write(c, value(c)),
      );
  const kinds = [
    [
      "w",
      toInteger(-(2 ** 31), 2 ** 31, (value) => i64.extendS(precision.toI32S(value))),
      fromInteger("w", (c) => precision.fromI32S(c.rs1Word)),
    ],
    [
      "wu",
      toInteger(0, 2 ** 32, (value) => i64.extendS(precision.toI32U(value))),
      fromInteger("wu", (c) => precision.fromI32U(c.rs1Word)),
    ],
    [
      "l",
      toInteger(-(2 ** 63), 2 ** 63, precision.toI64S),
      fromInteger("l", (c) => precision.fromI64S(c.rs1)),
    ],
    ["lu", toInteger(0, 2 ** 64, precision.toI64U), fromInteger("lu", (c) => precision.fromI64U(c.rs1))],
  ] as const;
  return kinds.flatMap(([kind, to, from], selector) => [
    rounds(`fcvt.${kind}.${suffix}`, 0x60 | code, { rd, rs1: frs1 }, to, selector),
    {
      ...rounds(`fcvt.${suffix}.${kind}`, 0x68 | code, { rd: frd, rs1 }, from, selector),
      ...(isExact(kind) ? EXACT : {}),
    },
  ]);
}

const ff = { rd: frd, rs1: frs1 };
const F = opFp("F");
const D = opFp("D");

/** Conversions between the precisions. */
const widthConversions: readonly FullInstruction[] = [
  F.rounds(
    "fcvt.s.d",
    0x20,
    ff,
    (c) => {
      const result = c.temporary("f32");
      const large = f32.gt(f32.abs(result.value), f32.constant(single.smallestNormal));
      const finite = f32.lt(f32.abs(result.value), f32.constant(Number.POSITIVE_INFINITY));
      return sequence(
        requireNearest(c),
        result.set(f32.demote(c.frs1Double)),
        when(i32.eqz(i32.and(large, finite)), leaveUnless(c, f64.eq(c.frs1Double, f64.constant(0)))),
        c.writeFrdSingle(result.value),
      );
    },
    1,
  ),
  {
    ...D.rounds("fcvt.d.s", 0x21, ff, (c) =>
      sequence(
        c.requireFloat("write"),
        requireMode(c),
        leaveUnless(c, f32.eq(c.frs1Single, c.frs1Single)),
        c.writeFrdDouble(f64.promote(c.frs1Single)),
      ),
    ),
    ...EXACT,
  },
];

/** The sign of the result of sgnj, sgnjn, sgnjx, by funct3; the magnitude is that of the first source. */
const signs32: readonly ((first: I32, second: I32) => I32)[] = [
  (_, second) => second,
  (_, second) => i32.xor(second, i32.constant(-1)),
  i32.xor,
];
const signs64: readonly ((first: I64, second: I64) => I64)[] = [
  (_, second) => second,
  (_, second) => i64.xor(second, i64.constant(-1)),
  i64.xor,
];
const SIGN_NAMES = ["fsgnj", "fsgnjn", "fsgnjx"] as const;
const MAGNITUDE_64 = i64.constant(2n ** 63n - 1n);
const SIGN_64 = i64.constant(-(2n ** 63n));

/** Moves and sign injection, which only use bits. */
const bitInstructions: readonly FullInstruction[] = [
  ...signs32.map((sign, funct3) =>
    F.plain(`${SIGN_NAMES[funct3]}.s`, 0x10, funct3, { ...ff, rs2: frs2 }, (c) => {
      const first = f32.toBits(c.frs1Single);
      const second = f32.toBits(c.frs2Single);
      const magnitude = i32.and(first, i32.constant(0x7fffffff));
      const result = i32.or(magnitude, i32.and(sign(first, second), i32.constant(0x80000000)));
      return sequence(c.requireFloat("write"), c.writeFrdSingle(f32.fromBits(result)));
    }),
  ),
  ...signs64.map((sign, funct3) =>
    D.plain(`${SIGN_NAMES[funct3]}.d`, 0x11, funct3, { ...ff, rs2: frs2 }, (c) =>
      sequence(
        c.requireFloat("write"),
        c.writeFrdBits(
          i64.or(i64.and(c.frs1Bits, MAGNITUDE_64), i64.and(sign(c.frs1Bits, c.frs2Bits), SIGN_64)),
        ),
      ),
    ),
  ),
  // The low half unchanged, boxed or not.
  F.plain("fmv.x.w", 0x70, 0, { rd, rs1: frs1 }, (c) =>
    sequence(c.requireFloat("read"), c.writeRd(i64.extendS(i32.wrap(c.frs1Bits)))),
  ),
  F.plain("fmv.w.x", 0x78, 0, { rd: frd, rs1 }, (c) =>
    sequence(c.requireFloat("write"), c.writeFrdSingle(f32.fromBits(c.rs1Word))),
  ),
  D.plain("fmv.x.d", 0x71, 0, { rd, rs1: frs1 }, (c) =>
    sequence(c.requireFloat("read"), c.writeRd(c.frs1Bits)),
  ),
  D.plain("fmv.d.x", 0x79, 0, { rd: frd, rs1 }, (c) =>
    sequence(c.requireFloat("write"), c.writeFrdBits(c.rs1)),
  ),
];

function instructionsOf<T extends "f32" | "f64">(precision: Precision<T>): FullInstruction[] {
  return [
    ...memoryInstructions(precision),
    ...arithmeticInstructions(precision),
    ...fusedInstructions(precision),
    ...integerConversions(precision),
  ];
}

export const floatInstructions: readonly FullInstruction[] = [
  ...instructionsOf(single),
  ...instructionsOf(double),
  ...widthConversions,
  ...bitInstructions,
];
