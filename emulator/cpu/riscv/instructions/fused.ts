/**
 * Fused multiply-add with WebAssembly's operations, which round after each, where that can be made exact cheaply
 * enough. As elsewhere, the mode must be to nearest even and the inexact flag raised already; what might raise another
 * flag is left to the host.
 */
import { type F64, f32, f64, i32, i64, type Statement, sequence, when } from "../wasm/index.ts";
import type { InstructionContext } from "./instruction.ts";

const INFINITY_64 = f64.constant(Number.POSITIVE_INFINITY);

/**
 * In double precision, the product of singles is exact and the sum is rounded once. Rounding that again is wrong only
 * if the sum is halfway between two singles: otherwise, sum and exact value are on the same side of every halfway
 * point.
 */
export function fusedSingle(c: InstructionContext, negateProduct: boolean, negateAddend: boolean): Statement {
  const sum = c.temporary("f64");
  const result = c.temporary("f32");
  const product = f64.mul(f64.promote(c.frs1Single), f64.promote(c.frs2Single));
  const addend = f64.promote(c.frs3Single);
  const middle = i64.eq(i64.and(f64.toBits(sum.value), i64.constant(0x1fffffff)), i64.constant(0x10000000));
  const large = f32.gt(f32.abs(result.value), f32.constant(2 ** -126));
  const finite = f32.lt(f32.abs(result.value), f32.constant(Number.POSITIVE_INFINITY));
  return sequence(
    when(c.rounding, c.host("float")),
    sum.set((negateAddend ? f64.sub : f64.add)(negateProduct ? f64.neg(product) : product, addend)),
    result.set(f32.demote(sum.value)),
    when(
      i32.or(middle, i32.eqz(i32.and(large, finite))),
      // A sum of zero is exact.
      when(f64.ne(sum.value, f64.constant(0)), c.host("float")),
    ),
    c.writeFrdSingle(result.value),
  );
}

/** Veltkamp's constant: splits 53 bits into two halves whose products are exact. */
const SPLITTER = f64.constant(2 ** 27 + 1);
/** For products of at least this, neither the error nor the partial products that it is made of are subnormal. */
const SMALLEST_PRODUCT = f64.constant(2 ** -900);

/**
 * Computes the exact product as two numbers (T. J. Dekker, A floating-point technique for extending the available
 * precision, Numerische Mathematik 18, 1971), and the sum of the larger one and the addend as two (Knuth's TwoSum).
 * What lies below the sum, `tail`, is rounded before it is added. That spoils the last rounding only if `tail` was
 * inexact and now puts the result halfway between two doubles: rounding is monotonic, and such a `tail` is itself a
 * double, so that any other value stays on its side of the halfway point.
 *
 * An inexact `tail` is at most one and a half units in the last place of the sum: where high product and addend cancel,
 * their sum is exact, and `tail` is the low product. The halfway points in its reach are multiples of a quarter of that
 * unit, short enough for the lower half of their bits to be zero. Such values are detected and left to the host.
 *
 * So are intermediate overflows, which end as NaN, and all other special cases.
 */
export function fusedDouble(c: InstructionContext, negateProduct: boolean, negateAddend: boolean): Statement {
  const take = () => c.temporary("f64");
  const [a, b, addend, high, low] = [take(), take(), take(), take(), take()];
  const [aHigh, aLow, bHigh, bLow] = [take(), take(), take(), take()];
  const [sum, sumError, tail, tailError, result] = [take(), take(), take(), take(), take()];
  const split = (value: F64, into: typeof high, rest: typeof low): Statement =>
    sequence(
      rest.set(f64.mul(value, SPLITTER)),
      into.set(f64.sub(rest.value, f64.sub(rest.value, value))),
      rest.set(f64.sub(value, into.value)),
    );
  /** Sets `error` to what the sum of `x` and `y` has lost by being rounded to `total`. */
  const setLost = (error: typeof low, x: F64, y: F64, total: F64): Statement =>
    sequence(
      error.set(f64.sub(total, x)),
      error.set(f64.add(f64.sub(x, f64.sub(total, error.value)), f64.sub(y, error.value))),
    );
  const roundedOnce = sequence(
    split(a.value, aHigh, aLow),
    split(b.value, bHigh, bLow),
    low.set(f64.sub(f64.mul(aHigh.value, bHigh.value), high.value)),
    low.set(f64.add(low.value, f64.mul(aHigh.value, bLow.value))),
    low.set(f64.add(low.value, f64.mul(aLow.value, bHigh.value))),
    low.set(f64.add(low.value, f64.mul(aLow.value, bLow.value))),
    sum.set(f64.add(high.value, addend.value)),
    setLost(sumError, high.value, addend.value, sum.value),
    tail.set(f64.add(sumError.value, low.value)),
    when(
      i32.eqz(i32.wrap(f64.toBits(tail.value))),
      sequence(
        setLost(tailError, sumError.value, low.value, tail.value),
        when(f64.ne(tailError.value, f64.constant(0)), c.host("float")),
      ),
    ),
    result.set(f64.add(sum.value, tail.value)),
  );
  const plain = i32.and(
    f64.gt(f64.abs(result.value), f64.constant(2 ** -1022)),
    f64.lt(f64.abs(result.value), INFINITY_64),
  );
  return sequence(
    when(c.rounding, c.host("float")),
    a.set(negateProduct ? f64.neg(c.frs1Double) : c.frs1Double),
    b.set(c.frs2Double),
    addend.set(negateAddend ? f64.neg(c.frs3Double) : c.frs3Double),
    high.set(f64.mul(a.value, b.value)),
    when(
      f64.lt(f64.abs(high.value), SMALLEST_PRODUCT),
      // A factor of zero makes the sum exact; any other such product is left to the host.
      sequence(
        when(
          i32.eqz(i32.or(f64.eq(a.value, f64.constant(0)), f64.eq(b.value, f64.constant(0)))),
          c.host("float"),
        ),
        result.set(f64.add(high.value, addend.value)),
        when(i32.eqz(f64.lt(f64.abs(result.value), INFINITY_64)), c.host("float")),
      ),
      sequence(
        roundedOnce,
        // Only an exact zero is rounded to zero.
        when(i32.eqz(plain), when(f64.ne(result.value, f64.constant(0)), c.host("float"))),
      ),
    ),
    c.writeFrdDouble(result.value),
  );
}
