/** Minimum, maximum, comparisons and classification (unprivileged ISA, sections 13.6, 13.8 and 13.9). */
import {
  choose,
  type I32,
  type I64,
  i32,
  i64,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { Flag, type Format } from "./format.ts";
import {
  constant32,
  constant64,
  isInfinite,
  isNan,
  isSignaling,
  isZero,
  magnitude,
  type Operation,
  type SoftFloatKit,
  signOf,
} from "./kit.ts";

export function defineComparisons(kit: SoftFloatKit, format: Format, suffix: string): void {
  kit.define(`fmin.${suffix}`, (operation) => extremum(kit, format, operation, i64.ltS, i64.or));
  kit.define(`fmax.${suffix}`, (operation) => extremum(kit, format, operation, i64.gtS, i64.and));
  kit.define(`feq.${suffix}`, (operation) => comparison(kit, format, operation, i64.eq, false));
  kit.define(`flt.${suffix}`, (operation) => comparison(kit, format, operation, i64.ltS, true));
  kit.define(`fle.${suffix}`, (operation) =>
    comparison(kit, format, operation, (x, y) => i32.eqz(i64.gtS(x, y)), true),
  );
  kit.define(`fclass.${suffix}`, (operation) => classification(format, operation));
}

/** Maps a number to a signed integer, in the order of the numbers; both zeros become 0. */
const order = (format: Format, value: I64): I64 =>
  choose(signOf(format, value), i64.sub(constant64(0), magnitude(format, value)), magnitude(format, value));

/** `ofZeros` decides between zeros by their signs, and leaves other equal numbers unchanged. */
function extremum(
  kit: SoftFloatKit,
  format: Format,
  { a, b }: Operation,
  better: (x: I64, y: I64) => I32,
  ofZeros: (x: I64, y: I64) => I64,
): Statement {
  const [first, second] = [order(format, a.value), order(format, b.value)];
  return sequence(
    kit.raiseSignaling(format, a.value, b.value),
    when(
      isNan(format, a.value),
      returnValue(choose(isNan(format, b.value), constant64(format.canonicalNan), b.value)),
    ),
    when(isNan(format, b.value), returnValue(a.value)),
    when(i64.eq(first, second), returnValue(ofZeros(a.value, b.value))),
    returnValue(choose(better(first, second), a.value, b.value)),
  );
}

/** A signaling comparison is invalid with any NaN, a quiet one with signaling NaNs only. */
function comparison(
  kit: SoftFloatKit,
  format: Format,
  { a, b }: Operation,
  holds: (x: I64, y: I64) => I32,
  signaling: boolean,
): Statement {
  return sequence(
    when(
      i32.or(isNan(format, a.value), isNan(format, b.value)),
      sequence(
        signaling ? kit.raise(Flag.invalid) : kit.raiseSignaling(format, a.value, b.value),
        returnValue(constant64(0)),
      ),
    ),
    returnValue(i64.extendU(holds(order(format, a.value), order(format, b.value)))),
  );
}

/** One bit of ten: from minus infinity to plus infinity, then the NaNs (table 13.5). */
function classification(format: Format, { a }: Operation): Statement {
  const value = a.value;
  const negative = signOf(format, value);
  const isSubnormal = i64.ltU(magnitude(format, value), constant64(1n << BigInt(format.fractionBits)));
  /** Bit of a positive number; that of a negative one mirrors it. */
  const positive = choose(
    isInfinite(format, value),
    constant32(7),
    choose(isZero(format, value), constant32(4), choose(isSubnormal, constant32(5), constant32(6))),
  );
  const bit = choose(negative, i32.sub(constant32(7), positive), positive);
  const nan = choose(isSignaling(format, value), constant32(8), constant32(9));
  return returnValue(i64.shl(constant64(1), i64.extendU(choose(isNan(format, value), nan, bit))));
}
