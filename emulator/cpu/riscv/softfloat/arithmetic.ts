/** Addition, subtraction, multiplication, division and square root. */
import {
  block,
  branch,
  branchIf,
  call,
  choose,
  type I64,
  i32,
  i64,
  type Local,
  loop,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { Flag, type Format } from "./format.ts";
import {
  cancelled,
  constant32,
  constant64,
  halveSticky,
  isInfinite,
  isSpecial,
  isZero,
  magnitude,
  type Operation,
  type SoftFloatKit,
  sticky,
  type Unpacked,
} from "./kit.ts";

export function defineArithmetic(kit: SoftFloatKit, format: Format, suffix: string): void {
  const add = kit.define(`fadd.${suffix}`, (operation) => addition(kit, format, operation));
  kit.define(`fsub.${suffix}`, ({ a, b, c, mode }) =>
    returnValue(call(add, "i64", a.value, i64.xor(b.value, constant64(format.sign)), c.value, mode.value)),
  );
  kit.define(`fmul.${suffix}`, (operation) => multiplication(kit, format, operation));
  kit.define(`fdiv.${suffix}`, (operation) => division(kit, format, operation));
  kit.define(`fsqrt.${suffix}`, (operation) => squareRoot(kit, format, operation));
}

/** Makes bit 62 the leading one again after a carry into bit 63. */
export function takeCarry({ exponent, significand }: Unpacked): Statement {
  return when(
    i64.ltS(significand.value, constant64(0)),
    sequence(
      significand.set(halveSticky(significand.value)),
      exponent.set(i32.add(exponent.value, constant32(1))),
    ),
  );
}

function addition(kit: SoftFloatKit, format: Format, operation: Operation): Statement {
  const { a, b, mode } = operation;
  const [x, y] = [operation.unpacked(), operation.unpacked()];
  const other = operation.local("i64");
  const shift = operation.local("i32");
  const special = sequence(
    kit.answerNan(format, a.value, b.value),
    when(i32.eqz(isInfinite(format, b.value)), returnValue(a.value)),
    when(i32.eqz(isInfinite(format, a.value)), returnValue(b.value)),
    when(i64.eq(a.value, b.value), returnValue(a.value)),
    kit.invalid(format),
  );
  return sequence(
    when(i32.or(isSpecial(format, a.value), isSpecial(format, b.value)), special),
    // Now |a| >= |b|.
    when(
      i64.ltU(magnitude(format, a.value), magnitude(format, b.value)),
      sequence(other.set(a.value), a.set(b.value), b.set(other.value)),
    ),
    when(
      isZero(format, b.value),
      sequence(
        when(
          i32.and(isZero(format, a.value), i64.ne(a.value, b.value)),
          returnValue(cancelled(format, mode.value)),
        ),
        returnValue(a.value),
      ),
    ),
    kit.unpack(format, a.value, x),
    kit.unpack(format, b.value, y),
    y.significand.set(kit.shiftRightSticky(y.significand.value, i32.sub(x.exponent.value, y.exponent.value))),
    when(
      i32.eq(x.sign.value, y.sign.value),
      sequence(x.significand.set(i64.add(x.significand.value, y.significand.value)), takeCarry(x)),
      sequence(
        x.significand.set(i64.sub(x.significand.value, y.significand.value)),
        when(i64.eqz(x.significand.value), returnValue(cancelled(format, mode.value))),
        shift.set(i32.sub(i32.wrap(i64.clz(x.significand.value)), constant32(1))),
        x.significand.set(i64.shl(x.significand.value, i64.extendU(shift.value))),
        x.exponent.set(i32.sub(x.exponent.value, shift.value)),
      ),
    ),
    returnValue(kit.round(format, x.sign.value, x.exponent.value, x.significand.value, mode.value)),
  );
}

const LOW_HALF = constant64(0xffffffffn);
const low = (value: I64): I64 => i64.and(value, LOW_HALF);
const high = (value: I64): I64 => i64.shrU(value, constant64(32));

/** The product of two 64-bit numbers, in halves: schoolbook multiplication with 32-bit digits. */
export function wideProduct(
  operation: Operation,
  x: I64,
  y: I64,
  upper: Local<"i64">,
  lower: Local<"i64">,
): Statement {
  const cross = operation.local("i64");
  const middle = operation.local("i64");
  return sequence(
    cross.set(i64.add(i64.mul(high(x), low(y)), high(i64.mul(low(x), low(y))))),
    middle.set(i64.add(i64.mul(low(x), high(y)), low(cross.value))),
    upper.set(i64.add(i64.mul(high(x), high(y)), i64.add(high(cross.value), high(middle.value)))),
    lower.set(i64.mul(x, y)),
  );
}

/** The sign of a product or quotient. */
export const productSign = ({ sign }: Format, x: I64, y: I64): I64 =>
  i64.and(i64.xor(x, y), constant64(sign));

function multiplication(kit: SoftFloatKit, format: Format, operation: Operation): Statement {
  const { a, b, mode } = operation;
  const [x, y] = [operation.unpacked(), operation.unpacked()];
  const [upper, lower] = [operation.local("i64"), operation.local("i64")];
  const sign = productSign(format, a.value, b.value);
  const doubled = (value: I64): I64 => i64.shl(value, constant64(1));
  return sequence(
    when(
      i32.or(isSpecial(format, a.value), isSpecial(format, b.value)),
      sequence(
        kit.answerNan(format, a.value, b.value),
        when(i32.or(isZero(format, a.value), isZero(format, b.value)), kit.invalid(format)),
        returnValue(i64.or(sign, constant64(format.infinity))),
      ),
    ),
    when(i32.or(isZero(format, a.value), isZero(format, b.value)), returnValue(sign)),
    kit.unpack(format, a.value, x),
    kit.unpack(format, b.value, y),
    wideProduct(operation, doubled(x.significand.value), doubled(y.significand.value), upper, lower),
    x.significand.set(i64.or(upper.value, sticky(lower.value))),
    x.exponent.set(i32.add(x.exponent.value, y.exponent.value)),
    takeCarry(x),
    returnValue(
      kit.round(
        format,
        i32.xor(x.sign.value, y.sign.value),
        x.exponent.value,
        x.significand.value,
        mode.value,
      ),
    ),
  );
}

function division(kit: SoftFloatKit, format: Format, operation: Operation): Statement {
  const { a, b, mode } = operation;
  const [x, y] = [operation.unpacked(), operation.unpacked()];
  const [divisor, remainder, quotient, digit] = [
    operation.local("i64"),
    operation.local("i64"),
    operation.local("i64"),
    operation.local("i64"),
  ];
  const sign = productSign(format, a.value, b.value);
  const special = sequence(
    kit.answerNan(format, a.value, b.value),
    when(
      isInfinite(format, b.value),
      sequence(when(isInfinite(format, a.value), kit.invalid(format)), returnValue(sign)),
    ),
    returnValue(i64.or(sign, constant64(format.infinity))),
  );
  const byZero = sequence(
    when(isZero(format, a.value), kit.invalid(format)),
    kit.raise(Flag.divideByZero),
    returnValue(i64.or(sign, constant64(format.infinity))),
  );
  /** The next 32 digits of the quotient: estimated from the divisor's upper half, at most two too large. */
  const rest = operation.local("i64");
  const nextDigit = sequence(
    digit.set(i64.divU(remainder.value, high(divisor.value))),
    rest.set(i64.remU(remainder.value, high(divisor.value))),
    block("exact", (exact) =>
      loop("correct", (correct) =>
        sequence(
          branchIf(i64.gtU(rest.value, LOW_HALF), exact),
          branchIf(
            i32.and(
              i64.eqz(high(digit.value)),
              i64.geU(i64.shl(rest.value, constant64(32)), i64.mul(digit.value, low(divisor.value))),
            ),
            exact,
          ),
          digit.set(i64.sub(digit.value, constant64(1))),
          rest.set(i64.add(rest.value, high(divisor.value))),
          branch(correct),
        ),
      ),
    ),
    remainder.set(i64.sub(i64.shl(remainder.value, constant64(32)), i64.mul(digit.value, divisor.value))),
    quotient.set(i64.or(i64.shl(quotient.value, constant64(32)), digit.value)),
  );
  return sequence(
    when(i32.or(isSpecial(format, a.value), isSpecial(format, b.value)), special),
    when(isZero(format, b.value), byZero),
    when(isZero(format, a.value), returnValue(sign)),
    kit.unpack(format, a.value, x),
    kit.unpack(format, b.value, y),
    divisor.set(i64.shl(y.significand.value, constant64(1))),
    remainder.set(x.significand.value),
    nextDigit,
    nextDigit,
    x.significand.set(i64.or(quotient.value, sticky(remainder.value))),
    x.exponent.set(i32.sub(i32.sub(x.exponent.value, y.exponent.value), constant32(1))),
    takeCarry(x),
    returnValue(
      kit.round(
        format,
        i32.xor(x.sign.value, y.sign.value),
        x.exponent.value,
        x.significand.value,
        mode.value,
      ),
    ),
  );
}

/** Computes the root digit by digit, each from two digits of the radicand. */
function squareRoot(kit: SoftFloatKit, format: Format, operation: Operation): Statement {
  const { a, mode } = operation;
  const x = operation.unpacked();
  const [root, remainder, trial] = [operation.local("i64"), operation.local("i64"), operation.local("i64")];
  const left = operation.local("i32");
  /** Digits of the root: enough for the format, two more to round, and for all digits of the radicand. */
  const digits = Math.max(33, format.fractionBits + 3);
  const pair = i64.shrU(x.significand.value, constant64(62));
  const isOdd = i32.and(x.exponent.value, constant32(1));
  return sequence(
    kit.answerNan(format, a.value),
    when(isZero(format, a.value), returnValue(a.value)),
    when(i64.ne(i64.and(a.value, constant64(format.sign)), constant64(0)), kit.invalid(format)),
    when(isInfinite(format, a.value), returnValue(a.value)),
    kit.unpack(format, a.value, x),
    x.significand.set(i64.shl(x.significand.value, choose(isOdd, constant64(1), constant64(0)))),
    left.set(constant32(digits)),
    loop("digit", (next) =>
      sequence(
        remainder.set(i64.or(i64.shl(remainder.value, constant64(2)), pair)),
        x.significand.set(i64.shl(x.significand.value, constant64(2))),
        trial.set(i64.or(i64.shl(root.value, constant64(2)), constant64(1))),
        root.set(i64.shl(root.value, constant64(1))),
        when(
          i64.geU(remainder.value, trial.value),
          sequence(
            remainder.set(i64.sub(remainder.value, trial.value)),
            root.set(i64.or(root.value, constant64(1))),
          ),
        ),
        left.set(i32.sub(left.value, constant32(1))),
        branchIf(left.value, next),
      ),
    ),
    returnValue(
      kit.round(
        format,
        constant32(0),
        i32.shrS(x.exponent.value, constant32(1)),
        i64.or(i64.shl(root.value, constant64(63 - digits)), sticky(remainder.value)),
        mode.value,
      ),
    ),
  );
}
