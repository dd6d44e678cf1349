/** Conversions between integers and the formats, and between the formats. */
import {
  choose,
  type Expression,
  type I32,
  type I64,
  i32,
  i64,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { double, Flag, type Format, Mode, single } from "./format.ts";
import {
  constant32,
  constant64,
  halveSticky,
  isNan,
  isSpecial,
  isZero,
  type Operation,
  type SoftFloatKit,
  signOf,
} from "./kit.ts";

/** An integer type: w and l, and the unsigned wu and lu. */
interface IntegerKind {
  readonly name: "w" | "wu" | "l" | "lu";
  readonly minimum: bigint;
  readonly maximum: bigint;
}

const kinds: readonly IntegerKind[] = [
  { name: "w", minimum: -(2n ** 31n), maximum: 2n ** 31n - 1n },
  { name: "wu", minimum: 0n, maximum: 2n ** 32n - 1n },
  { name: "l", minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n },
  { name: "lu", minimum: 0n, maximum: 2n ** 64n - 1n },
];

const isWord = ({ name }: IntegerKind): boolean => name.startsWith("w");
/** As a register holds it: words sign-extended, unsigned ones too. */
const inRegister = (kind: IntegerKind, value: bigint): bigint =>
  isWord(kind) ? BigInt.asIntN(32, value) : BigInt.asIntN(64, value);

export function defineConversions(kit: SoftFloatKit): void {
  for (const [format, suffix] of [
    [single, "s"],
    [double, "d"],
  ] as const) {
    for (const kind of kinds) {
      kit.define(`fcvt.${kind.name}.${suffix}`, (operation) => toInteger(kit, format, kind, operation));
      kit.define(`fcvt.${suffix}.${kind.name}`, (operation) => fromInteger(kit, format, kind, operation));
    }
  }
  kit.define("fcvt.s.d", (operation) => convert(kit, double, single, operation));
  kit.define("fcvt.d.s", (operation) => convert(kit, single, double, operation));
}

/** Whether the mode, up or down, rounds numbers of this sign away from zero. */
const awayFromZero = (mode: I32, negative: I32): I32 => i32.eq(mode, i32.sub(constant32(Mode.up), negative));

/** A value out of range is invalid, and becomes the nearest one in range; NaN becomes the largest (table 13.4). */
function toInteger(kit: SoftFloatKit, format: Format, kind: IntegerKind, operation: Operation): Statement {
  const { a, mode } = operation;
  const x = operation.unpacked();
  const whole = operation.local("i64");
  /** The fraction that is cut off, in units of 2^-64, with a sticky bit. */
  const cut = operation.local("i64");
  const places = operation.local("i32");
  const negative = signOf(format, a.value);
  const answer = (value: bigint): Statement => returnValue(constant64(inRegister(kind, value)));
  const saturated = sequence(
    kit.raise(Flag.invalid),
    when(i32.and(negative, i32.eqz(isNan(format, a.value))), answer(kind.minimum)),
    answer(kind.maximum),
  );
  const half = constant64(-(2n ** 63n));
  const isMode = (number: number): I32 => i32.eq(mode.value, constant32(number));
  const inexact = i64.ne(cut.value, constant64(0));
  const aboveHalf = i64.gtU(cut.value, half);
  const tie = i64.eq(cut.value, half);
  const odd = i32.and(i32.wrap(whole.value), constant32(1));
  const increment = choose(
    isMode(Mode.nearestEven),
    i32.or(aboveHalf, i32.and(tie, odd)),
    choose(
      isMode(Mode.nearestAway),
      i32.or(aboveHalf, tie),
      i32.and(inexact, awayFromZero(mode.value, negative)),
    ),
  );
  const limit = choose(negative, constant64(-kind.minimum), constant64(kind.maximum));
  const signed = choose(negative, i64.sub(constant64(0), whole.value), whole.value);
  return sequence(
    when(isSpecial(format, a.value), saturated),
    when(isZero(format, a.value), answer(0n)),
    kit.unpack(format, a.value, x),
    when(i32.gtS(x.exponent.value, constant32(63)), saturated),
    places.set(i32.sub(constant32(62), x.exponent.value)),
    when(
      i32.gtS(constant32(1), places.value),
      whole.set(i64.shl(x.significand.value, i64.extendU(i32.sub(constant32(0), places.value)))),
      when(
        i32.gtS(places.value, constant32(63)),
        cut.set(constant64(1)),
        sequence(
          whole.set(i64.shrU(x.significand.value, i64.extendU(places.value))),
          cut.set(i64.shl(x.significand.value, i64.sub(constant64(64), i64.extendU(places.value)))),
        ),
      ),
    ),
    whole.set(i64.add(whole.value, i64.extendU(increment))),
    when(i64.gtU(whole.value, limit), saturated),
    when(inexact, kit.raise(Flag.inexact)),
    returnValue(isWord(kind) ? i64.extendS(i32.wrap(signed)) : signed),
  );
}

function fromInteger(kit: SoftFloatKit, format: Format, kind: IntegerKind, operation: Operation): Statement {
  const { a, mode } = operation;
  const value = operation.local("i64");
  const sign = operation.local("i32");
  const zeros = operation.local("i32");
  const source: I64 =
    kind.name === "w"
      ? i64.extendS(i32.wrap(a.value))
      : kind.name === "wu"
        ? i64.extendU(i32.wrap(a.value))
        : a.value;
  const negative: Expression<"i32"> = kind.minimum < 0n ? i64.ltS(value.value, constant64(0)) : constant32(0);
  return sequence(
    value.set(source),
    when(i64.eqz(value.value), returnValue(constant64(0))),
    sign.set(negative),
    when(sign.value, value.set(i64.sub(constant64(0), value.value))),
    zeros.set(i32.wrap(i64.clz(value.value))),
    value.set(
      choose(
        zeros.value,
        i64.shl(value.value, i64.extendU(i32.sub(zeros.value, constant32(1)))),
        halveSticky(value.value),
      ),
    ),
    returnValue(kit.round(format, sign.value, i32.sub(constant32(63), zeros.value), value.value, mode.value)),
  );
}

function convert(kit: SoftFloatKit, from: Format, to: Format, operation: Operation): Statement {
  const { a, mode } = operation;
  const x = operation.unpacked();
  const raised = i64.extendU(signOf(from, a.value));
  const signed = (value: bigint): I64 => i64.or(i64.shl(raised, constant64(to.bits - 1)), constant64(value));
  return sequence(
    when(
      isSpecial(from, a.value),
      sequence(
        when(
          isNan(from, a.value),
          sequence(kit.raiseSignaling(from, a.value), returnValue(constant64(to.canonicalNan))),
        ),
        returnValue(signed(to.infinity)),
      ),
    ),
    when(isZero(from, a.value), returnValue(signed(0n))),
    kit.unpack(from, a.value, x),
    returnValue(kit.round(to, x.sign.value, x.exponent.value, x.significand.value, mode.value)),
  );
}
