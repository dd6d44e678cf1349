/**
 * Floating-point instructions (core specification, sections 5.4.6 and 5.4.7). All round to nearest, ties to even, and
 * raise no flags. Those that return NaN may choose its bits; loads, stores and reinterpretations preserve them.
 */
import { type CodeWriter, Expression, type ValueType } from "./code.ts";
import { binary, loader, storer, unary } from "./numeric.ts";

/** Bytes of a constant, as JavaScript rounds it to the type. */
function littleEndian(write: (view: DataView) => void, bytes: 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  write(view);
  return new Uint8Array(view.buffer);
}

/** Saturating conversions to integers, with zero for NaN: numbered after a prefix. */
function truncateSaturated<A extends ValueType, R extends ValueType>(result: R, number: number) {
  return (operand: Expression<A>): Expression<R> =>
    new Expression(result, (code: CodeWriter) => {
      operand.emit(code);
      code.byte(0xfc);
      code.unsigned(number);
    });
}

export const f32 = {
  constant: (value: number): Expression<"f32"> =>
    new Expression("f32", (code) => {
      code.byte(0x43);
      code.bytes(littleEndian((view) => view.setFloat32(0, value, true), 4));
    }),
  load: loader("f32", 0x2a),
  store: storer<"f32">(0x38),
  eq: binary<"f32", "i32">("i32", 0x5b),
  ne: binary<"f32", "i32">("i32", 0x5c),
  lt: binary<"f32", "i32">("i32", 0x5d),
  gt: binary<"f32", "i32">("i32", 0x5e),
  le: binary<"f32", "i32">("i32", 0x5f),
  abs: unary<"f32", "f32">("f32", 0x8b),
  neg: unary<"f32", "f32">("f32", 0x8c),
  trunc: unary<"f32", "f32">("f32", 0x8f),
  nearest: unary<"f32", "f32">("f32", 0x90),
  sqrt: unary<"f32", "f32">("f32", 0x91),
  add: binary<"f32", "f32">("f32", 0x92),
  sub: binary<"f32", "f32">("f32", 0x93),
  mul: binary<"f32", "f32">("f32", 0x94),
  div: binary<"f32", "f32">("f32", 0x95),
  min: binary<"f32", "f32">("f32", 0x96),
  max: binary<"f32", "f32">("f32", 0x97),
  fromI32S: unary<"i32", "f32">("f32", 0xb2),
  fromI32U: unary<"i32", "f32">("f32", 0xb3),
  fromI64S: unary<"i64", "f32">("f32", 0xb4),
  fromI64U: unary<"i64", "f32">("f32", 0xb5),
  demote: unary<"f64", "f32">("f32", 0xb6),
  fromBits: unary<"i32", "f32">("f32", 0xbe),
  toBits: unary<"f32", "i32">("i32", 0xbc),
  toI32S: truncateSaturated<"f32", "i32">("i32", 0),
  toI32U: truncateSaturated<"f32", "i32">("i32", 1),
  toI64S: truncateSaturated<"f32", "i64">("i64", 4),
  toI64U: truncateSaturated<"f32", "i64">("i64", 5),
} as const;

export const f64 = {
  constant: (value: number): Expression<"f64"> =>
    new Expression("f64", (code) => {
      code.byte(0x44);
      code.bytes(littleEndian((view) => view.setFloat64(0, value, true), 8));
    }),
  load: loader("f64", 0x2b),
  store: storer<"f64">(0x39),
  eq: binary<"f64", "i32">("i32", 0x61),
  ne: binary<"f64", "i32">("i32", 0x62),
  lt: binary<"f64", "i32">("i32", 0x63),
  gt: binary<"f64", "i32">("i32", 0x64),
  le: binary<"f64", "i32">("i32", 0x65),
  abs: unary<"f64", "f64">("f64", 0x99),
  neg: unary<"f64", "f64">("f64", 0x9a),
  trunc: unary<"f64", "f64">("f64", 0x9d),
  nearest: unary<"f64", "f64">("f64", 0x9e),
  sqrt: unary<"f64", "f64">("f64", 0x9f),
  add: binary<"f64", "f64">("f64", 0xa0),
  sub: binary<"f64", "f64">("f64", 0xa1),
  mul: binary<"f64", "f64">("f64", 0xa2),
  div: binary<"f64", "f64">("f64", 0xa3),
  min: binary<"f64", "f64">("f64", 0xa4),
  max: binary<"f64", "f64">("f64", 0xa5),
  fromI32S: unary<"i32", "f64">("f64", 0xb7),
  fromI32U: unary<"i32", "f64">("f64", 0xb8),
  fromI64S: unary<"i64", "f64">("f64", 0xb9),
  fromI64U: unary<"i64", "f64">("f64", 0xba),
  promote: unary<"f32", "f64">("f64", 0xbb),
  fromBits: unary<"i64", "f64">("f64", 0xbf),
  toBits: unary<"f64", "i64">("i64", 0xbd),
  toI32S: truncateSaturated<"f64", "i32">("i32", 2),
  toI32U: truncateSaturated<"f64", "i32">("i32", 3),
  toI64S: truncateSaturated<"f64", "i64">("i64", 6),
  toI64U: truncateSaturated<"f64", "i64">("i64", 7),
} as const;
