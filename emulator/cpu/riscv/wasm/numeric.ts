/** Integer and memory instructions (core specification, sections 5.4.6 and 5.4.7). */
import { type CodeWriter, Expression, type I32, type I64, type Statement, type ValueType } from "./code.ts";

/** An instruction of one operand. */
export function unary<A extends ValueType, R extends ValueType>(result: R, opcode: number) {
  return (operand: Expression<A>): Expression<R> =>
    new Expression(result, (code) => {
      operand.emit(code);
      code.byte(opcode);
    });
}

/** An instruction of two operands of one type. */
export function binary<A extends ValueType, R extends ValueType>(result: R, opcode: number) {
  return (left: Expression<A>, right: Expression<A>): Expression<R> =>
    new Expression(result, (code) => {
      left.emit(code);
      right.emit(code);
      code.byte(opcode);
    });
}

/** Memory operand: no alignment promised, a constant offset added to the address. */
function memoryOperand(code: CodeWriter, opcode: number, offset: number): void {
  code.byte(opcode);
  code.unsigned(0);
  code.unsigned(offset);
}

export function loader<R extends ValueType>(result: R, opcode: number) {
  return (address: I32, offset = 0): Expression<R> =>
    new Expression(result, (code) => {
      address.emit(code);
      memoryOperand(code, opcode, offset);
    });
}

export function storer<A extends ValueType>(opcode: number) {
  return (address: I32, value: Expression<A>, offset = 0): Statement =>
    new Expression("none", (code) => {
      address.emit(code);
      value.emit(code);
      memoryOperand(code, opcode, offset);
    });
}

export const i32 = {
  constant: (value: number): I32 =>
    new Expression("i32", (code) => {
      code.byte(0x41);
      code.signed32(value);
    }),
  load: loader("i32", 0x28),
  load8U: loader("i32", 0x2d),
  load16S: loader("i32", 0x2e),
  load16U: loader("i32", 0x2f),
  store: storer<"i32">(0x36),
  store8: storer<"i32">(0x3a),
  store16: storer<"i32">(0x3b),
  eqz: unary<"i32", "i32">("i32", 0x45),
  eq: binary<"i32", "i32">("i32", 0x46),
  ne: binary<"i32", "i32">("i32", 0x47),
  ltS: binary<"i32", "i32">("i32", 0x48),
  ltU: binary<"i32", "i32">("i32", 0x49),
  gtS: binary<"i32", "i32">("i32", 0x4a),
  gtU: binary<"i32", "i32">("i32", 0x4b),
  geS: binary<"i32", "i32">("i32", 0x4e),
  geU: binary<"i32", "i32">("i32", 0x4f),
  clz: unary<"i32", "i32">("i32", 0x67),
  ctz: unary<"i32", "i32">("i32", 0x68),
  popcnt: unary<"i32", "i32">("i32", 0x69),
  add: binary<"i32", "i32">("i32", 0x6a),
  sub: binary<"i32", "i32">("i32", 0x6b),
  mul: binary<"i32", "i32">("i32", 0x6c),
  divS: binary<"i32", "i32">("i32", 0x6d),
  divU: binary<"i32", "i32">("i32", 0x6e),
  remS: binary<"i32", "i32">("i32", 0x6f),
  remU: binary<"i32", "i32">("i32", 0x70),
  and: binary<"i32", "i32">("i32", 0x71),
  or: binary<"i32", "i32">("i32", 0x72),
  xor: binary<"i32", "i32">("i32", 0x73),
  shl: binary<"i32", "i32">("i32", 0x74),
  shrS: binary<"i32", "i32">("i32", 0x75),
  shrU: binary<"i32", "i32">("i32", 0x76),
  rotl: binary<"i32", "i32">("i32", 0x77),
  rotr: binary<"i32", "i32">("i32", 0x78),
  wrap: unary<"i64", "i32">("i32", 0xa7),
} as const;

export const i64 = {
  constant: (value: bigint | number): I64 =>
    new Expression("i64", (code) => {
      code.byte(0x42);
      code.signed64(value);
    }),
  load: loader("i64", 0x29),
  load8S: loader("i64", 0x30),
  load8U: loader("i64", 0x31),
  load16S: loader("i64", 0x32),
  load16U: loader("i64", 0x33),
  load32S: loader("i64", 0x34),
  load32U: loader("i64", 0x35),
  store: storer<"i64">(0x37),
  store8: storer<"i64">(0x3c),
  store16: storer<"i64">(0x3d),
  store32: storer<"i64">(0x3e),
  eqz: unary<"i64", "i32">("i32", 0x50),
  eq: binary<"i64", "i32">("i32", 0x51),
  ne: binary<"i64", "i32">("i32", 0x52),
  ltS: binary<"i64", "i32">("i32", 0x53),
  ltU: binary<"i64", "i32">("i32", 0x54),
  gtS: binary<"i64", "i32">("i32", 0x55),
  gtU: binary<"i64", "i32">("i32", 0x56),
  geS: binary<"i64", "i32">("i32", 0x59),
  geU: binary<"i64", "i32">("i32", 0x5a),
  clz: unary<"i64", "i64">("i64", 0x79),
  ctz: unary<"i64", "i64">("i64", 0x7a),
  popcnt: unary<"i64", "i64">("i64", 0x7b),
  add: binary<"i64", "i64">("i64", 0x7c),
  sub: binary<"i64", "i64">("i64", 0x7d),
  mul: binary<"i64", "i64">("i64", 0x7e),
  divS: binary<"i64", "i64">("i64", 0x7f),
  divU: binary<"i64", "i64">("i64", 0x80),
  remS: binary<"i64", "i64">("i64", 0x81),
  remU: binary<"i64", "i64">("i64", 0x82),
  and: binary<"i64", "i64">("i64", 0x83),
  or: binary<"i64", "i64">("i64", 0x84),
  xor: binary<"i64", "i64">("i64", 0x85),
  shl: binary<"i64", "i64">("i64", 0x86),
  shrS: binary<"i64", "i64">("i64", 0x87),
  shrU: binary<"i64", "i64">("i64", 0x88),
  rotl: binary<"i64", "i64">("i64", 0x89),
  rotr: binary<"i64", "i64">("i64", 0x8a),
  extendS: unary<"i32", "i64">("i64", 0xac),
  extendU: unary<"i32", "i64">("i64", 0xad),
  /** Sign extension of the low bits of a value of the same type. */
  extend8S: unary<"i64", "i64">("i64", 0xc2),
  extend16S: unary<"i64", "i64">("i64", 0xc3),
} as const;
