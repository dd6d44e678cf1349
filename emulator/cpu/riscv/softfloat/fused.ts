/** Fused multiply-add: one rounding, of the exact value. */
import {
  call,
  type I32,
  i32,
  i64,
  type Local,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { productSign, takeCarry, wideProduct } from "./arithmetic.ts";
import type { Format } from "./format.ts";
import {
  any,
  cancelled,
  constant32,
  constant64,
  isInfinite,
  isSpecial,
  isZero,
  type Operation,
  type SoftFloatKit,
  sticky,
} from "./kit.ts";

export function defineFused(kit: SoftFloatKit, format: Format, suffix: string): void {
  const fused = kit.define(`fmadd.${suffix}`, (operation) => multiplyAdd(kit, format, operation));
  const variants = [
    ["fmsub", 0n, format.sign],
    ["fnmsub", format.sign, 0n],
    ["fnmadd", format.sign, format.sign],
  ] as const;
  for (const [name, product, addend] of variants) {
    kit.define(`${name}.${suffix}`, ({ a, b, c, mode }) =>
      returnValue(
        call(
          fused,
          "i64",
          i64.xor(a.value, constant64(product)),
          b.value,
          i64.xor(c.value, constant64(addend)),
          mode.value,
        ),
      ),
    );
  }
}

/** A 128-bit number. */
interface Wide {
  readonly upper: Local<"i64">;
  readonly lower: Local<"i64">;
}

function multiplyAdd(kit: SoftFloatKit, format: Format, operation: Operation): Statement {
  const { a, b, c, mode } = operation;
  const [x, y, z] = [operation.unpacked(), operation.unpacked(), operation.unpacked()];
  const product: Wide = { upper: operation.local("i64"), lower: operation.local("i64") };
  const addend: Wide = { upper: operation.local("i64"), lower: operation.local("i64") };
  const distance = operation.local("i32");
  const sign = productSign(format, a.value, b.value);
  const infiniteByZero = (one: typeof a, other: typeof b): I32 =>
    i32.and(isInfinite(format, one.value), isZero(format, other.value));

  const special = sequence(
    // Invalid even if the addend is a quiet NaN (unprivileged ISA, section 13.6).
    when(i32.or(infiniteByZero(a, b), infiniteByZero(b, a)), kit.invalid(format)),
    kit.answerNan(format, a.value, b.value, c.value),
    when(
      i32.or(isInfinite(format, a.value), isInfinite(format, b.value)),
      sequence(
        when(
          i32.and(isInfinite(format, c.value), i64.ne(i64.and(c.value, constant64(format.sign)), sign)),
          kit.invalid(format),
        ),
        returnValue(i64.or(sign, constant64(format.infinity))),
      ),
    ),
    returnValue(c.value),
  );
  const zeroProduct = sequence(
    when(i32.and(isZero(format, c.value), i64.ne(c.value, sign)), returnValue(cancelled(format, mode.value))),
    returnValue(c.value),
  );

  const shiftRight = ({ upper, lower }: Wide, count: I32): Statement => {
    const places = i64.extendU(count);
    const others = i64.sub(constant64(64), places);
    return when(
      i32.gtS(count, constant32(63)),
      sequence(
        lower.set(
          i64.or(kit.shiftRightSticky(upper.value, i32.sub(count, constant32(64))), sticky(lower.value)),
        ),
        upper.set(constant64(0)),
      ),
      when(
        count,
        sequence(
          lower.set(
            i64.or(
              i64.or(i64.shl(upper.value, others), i64.shrU(lower.value, places)),
              sticky(i64.shl(lower.value, others)),
            ),
          ),
          upper.set(i64.shrU(upper.value, places)),
        ),
      ),
    );
  };
  /** Shifts the sum left until bit 62 of the upper half is the leading one. */
  const normalize = sequence(
    when(
      i64.eqz(product.upper.value),
      sequence(
        product.upper.set(i64.shrU(product.lower.value, constant64(1))),
        product.lower.set(i64.shl(product.lower.value, constant64(63))),
        x.exponent.set(i32.sub(x.exponent.value, constant32(63))),
      ),
    ),
    distance.set(i32.sub(i32.wrap(i64.clz(product.upper.value)), constant32(1))),
    when(
      distance.value,
      sequence(
        product.upper.set(
          i64.or(
            i64.shl(product.upper.value, i64.extendU(distance.value)),
            i64.shrU(product.lower.value, i64.sub(constant64(64), i64.extendU(distance.value))),
          ),
        ),
        product.lower.set(i64.shl(product.lower.value, i64.extendU(distance.value))),
        x.exponent.set(i32.sub(x.exponent.value, distance.value)),
      ),
    ),
  );
  const smaller = (one: Wide, other: Wide): I32 =>
    i32.or(
      i64.ltU(one.upper.value, other.upper.value),
      i32.and(i64.eq(one.upper.value, other.upper.value), i64.ltU(one.lower.value, other.lower.value)),
    );
  const exchange = [product.upper, product.lower].map((local, index) => {
    const other = index === 0 ? addend.upper : addend.lower;
    return sequence(y.significand.set(local.value), local.set(other.value), other.set(y.significand.value));
  });
  const subtract = sequence(
    when(smaller(product, addend), sequence(...exchange, x.sign.set(z.sign.value))),
    product.upper.set(
      i64.sub(
        i64.sub(product.upper.value, addend.upper.value),
        i64.extendU(i64.ltU(product.lower.value, addend.lower.value)),
      ),
    ),
    product.lower.set(i64.sub(product.lower.value, addend.lower.value)),
    when(
      i64.eqz(i64.or(product.upper.value, product.lower.value)),
      returnValue(cancelled(format, mode.value)),
    ),
    normalize,
  );
  const add = sequence(
    product.lower.set(i64.add(product.lower.value, addend.lower.value)),
    product.upper.set(
      i64.add(
        i64.add(product.upper.value, addend.upper.value),
        i64.extendU(i64.ltU(product.lower.value, addend.lower.value)),
      ),
    ),
  );
  return sequence(
    when(any(isSpecial(format, a.value), isSpecial(format, b.value), isSpecial(format, c.value)), special),
    when(i32.or(isZero(format, a.value), isZero(format, b.value)), zeroProduct),
    kit.unpack(format, a.value, x),
    kit.unpack(format, b.value, y),
    x.sign.set(i32.xor(x.sign.value, y.sign.value)),
    x.exponent.set(i32.add(x.exponent.value, y.exponent.value)),
    // As far left as it fits: the leading one is bit 62 or 61 of the upper half.
    wideProduct(
      operation,
      x.significand.value,
      i64.shl(y.significand.value, constant64(1)),
      product.upper,
      product.lower,
    ),
    when(
      i64.ltU(product.upper.value, constant64(1n << 62n)),
      sequence(
        product.upper.set(
          i64.or(i64.shl(product.upper.value, constant64(1)), i64.shrU(product.lower.value, constant64(63))),
        ),
        product.lower.set(i64.shl(product.lower.value, constant64(1))),
      ),
      x.exponent.set(i32.add(x.exponent.value, constant32(1))),
    ),
    when(
      i32.eqz(isZero(format, c.value)),
      sequence(
        kit.unpack(format, c.value, z),
        addend.upper.set(z.significand.value),
        distance.set(i32.sub(x.exponent.value, z.exponent.value)),
        when(
          i32.ltS(distance.value, constant32(0)),
          sequence(
            shiftRight(product, i32.sub(constant32(0), distance.value)),
            x.exponent.set(z.exponent.value),
          ),
          shiftRight(addend, distance.value),
        ),
        when(i32.eq(x.sign.value, z.sign.value), add, subtract),
      ),
    ),
    x.significand.set(i64.or(product.upper.value, sticky(product.lower.value))),
    takeCarry(x),
    returnValue(kit.round(format, x.sign.value, x.exponent.value, x.significand.value, mode.value)),
  );
}
