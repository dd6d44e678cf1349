/** What all operations are built from: unpacking numbers, rounding, and raising flags. */
import {
  call,
  choose,
  type FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  ModuleBuilder,
  returnValue,
  type Statement,
  sequence,
  type ValueType,
  when,
} from "../wasm/index.ts";
import { double, Flag, type Format, Mode, single } from "./format.ts";

export const constant32 = i32.constant;
export const constant64 = i64.constant;
/** A sticky bit: 1 if the value is not zero. */
export const sticky = (value: I64): I64 => i64.extendU(i64.ne(value, constant64(0)));
/** Shifts right by one; the bit that is shifted out is kept as a sticky bit. */
export const halveSticky = (value: I64): I64 =>
  i64.or(i64.shrU(value, constant64(1)), i64.and(value, constant64(1)));

/** A finite number other than zero: (-1)^sign * significand * 2^(exponent - 62), bit 62 the leading one. */
export interface Unpacked {
  readonly sign: Local<"i32">;
  readonly exponent: Local<"i32">;
  readonly significand: Local<"i64">;
}

/** An operation under construction: three operands, even if it uses fewer, and the rounding mode. */
export class Operation {
  readonly a: Local<"i64">;
  readonly b: Local<"i64">;
  readonly c: Local<"i64">;
  readonly mode: Local<"i32">;
  private readonly builder: FunctionBuilder;

  constructor(builder: FunctionBuilder) {
    this.builder = builder;
    this.a = builder.parameter(0, "i64");
    this.b = builder.parameter(1, "i64");
    this.c = builder.parameter(2, "i64");
    this.mode = builder.parameter(3, "i32");
  }

  local<T extends ValueType>(type: T): Local<T> {
    return this.builder.local(type);
  }

  unpacked(): Unpacked {
    return { sign: this.local("i32"), exponent: this.local("i32"), significand: this.local("i64") };
  }
}

/** Tests of an operand's bits. */
export const magnitude = ({ magnitude }: Format, value: I64): I64 => i64.and(value, constant64(magnitude));
export const isZero = (format: Format, value: I64): I32 => i64.eqz(magnitude(format, value));
export const isNan = (format: Format, value: I64): I32 =>
  i64.gtU(magnitude(format, value), constant64(format.infinity));
export const isInfinite = (format: Format, value: I64): I32 =>
  i64.eq(magnitude(format, value), constant64(format.infinity));
/** Infinite or NaN. */
export const isSpecial = (format: Format, value: I64): I32 =>
  i64.geU(magnitude(format, value), constant64(format.infinity));
export const isSignaling = (format: Format, value: I64): I32 =>
  i32.and(isNan(format, value), i64.eqz(i64.and(value, constant64(format.quietBit))));
/** 0 or 1. */
export const signOf = ({ bits }: Format, value: I64): I32 => i32.wrap(i64.shrU(value, constant64(bits - 1)));
export const any = (first: I32, ...others: readonly I32[]): I32 => others.reduce(i32.or, first);

export class SoftFloatKit {
  readonly module = new ModuleBuilder();
  /** Operations defined so far, by name. */
  readonly operations = new Map<string, FunctionBuilder>();
  private readonly flagsAddress: number;
  private readonly shiftFunction: FunctionBuilder;
  private readonly roundFunctions: ReadonlyMap<Format, FunctionBuilder>;

  /** Flags accrue in the 32-bit word at `flagsAddress`. */
  constructor(flagsAddress: number) {
    this.flagsAddress = flagsAddress;
    this.module.importMemory("guest", "memory", 1);
    this.shiftFunction = this.buildShift();
    this.roundFunctions = new Map([single, double].map((format) => [format, this.buildRound(format)]));
  }

  raise(flags: number | I32): Statement {
    const zero = constant32(0);
    const more = typeof flags === "number" ? constant32(flags) : flags;
    return i32.store(zero, i32.or(i32.load(zero, this.flagsAddress), more), this.flagsAddress);
  }

  /** Adds an operation under the name of its instruction. */
  define(name: string, build: (operation: Operation) => Statement): FunctionBuilder {
    const builder = this.module.exportFunction(name, ["i64", "i64", "i64", "i32"], ["i64"]);
    builder.setBody(build(new Operation(builder)));
    this.operations.set(name, builder);
    return builder;
  }

  /** Raises invalid, and returns the canonical NaN. */
  invalid({ canonicalNan }: Format): Statement {
    return sequence(this.raise(Flag.invalid), returnValue(constant64(canonicalNan)));
  }

  /** Returns the canonical NaN if an operand is any NaN; a signaling one raises invalid. */
  answerNan(format: Format, first: I64, ...others: readonly I64[]): Statement {
    const rest = others.map((value) => isNan(format, value));
    return when(
      any(isNan(format, first), ...rest),
      sequence(this.raiseSignaling(format, first, ...others), returnValue(constant64(format.canonicalNan))),
    );
  }

  raiseSignaling(format: Format, first: I64, ...others: readonly I64[]): Statement {
    const rest = others.map((value) => isSignaling(format, value));
    return when(any(isSignaling(format, first), ...rest), this.raise(Flag.invalid));
  }

  /** Unpacks a number, which must be finite and not zero. */
  unpack(format: Format, value: I64, { sign, exponent, significand }: Unpacked): Statement {
    const { fractionBits, bias, minExponent, extraBits } = format;
    const hidden = 1n << BigInt(fractionBits);
    const leadingZeros = i64.clz(significand.value);
    return sequence(
      sign.set(signOf(format, value)),
      exponent.set(i32.wrap(i64.shrU(magnitude(format, value), constant64(fractionBits)))),
      significand.set(i64.and(value, constant64(hidden - 1n))),
      when(
        exponent.value,
        sequence(
          exponent.set(i32.sub(exponent.value, constant32(bias))),
          significand.set(i64.shl(i64.or(significand.value, constant64(hidden)), constant64(extraBits))),
        ),
        sequence(
          exponent.set(i32.sub(constant32(minExponent + extraBits + 1), i32.wrap(leadingZeros))),
          significand.set(i64.shl(significand.value, i64.sub(leadingZeros, constant64(1)))),
        ),
      ),
    );
  }

  /** Shifts `value` right; bits that are shifted out are kept as a sticky bit. The count must not be negative. */
  shiftRightSticky(value: I64, count: I32): I64 {
    return call(this.shiftFunction, "i64", value, count);
  }

  private buildShift(): FunctionBuilder {
    const builder = this.module.exportFunction("shiftRightSticky", ["i64", "i32"], ["i64"]);
    const value = builder.parameter(0, "i64").value;
    const count = builder.parameter(1, "i32").value;
    const distance = i64.extendU(count);
    builder.setBody(
      sequence(
        when(i32.eqz(count), returnValue(value)),
        when(i32.gtS(count, constant32(63)), returnValue(sticky(value))),
        returnValue(
          i64.or(i64.shrU(value, distance), sticky(i64.shl(value, i64.sub(constant64(64), distance)))),
        ),
      ),
    );
    return builder;
  }

  /** Rounds a number in the form of `Unpacked`, its lowest bit sticky, and returns its bits. */
  round(format: Format, sign: I32, exponent: I32, significand: I64, mode: I32): I64 {
    const callee = this.roundFunctions.get(format);
    if (callee === undefined) throw new Error(`no rounding to ${format.bits} bits`);
    return call(callee, "i64", sign, exponent, significand, mode);
  }

  /** Tininess is detected after rounding (unprivileged ISA, section 13.3). */
  private buildRound(format: Format): FunctionBuilder {
    const { bits, fractionBits, bias, minExponent, maxExponent, extraBits, infinity } = format;
    const ones = (1n << BigInt(extraBits)) - 1n;
    const half = 1n << BigInt(extraBits - 1);
    const parameters = ["i32", "i32", "i64", "i32"] as const;
    const builder = this.module.exportFunction(`round${bits}`, parameters, ["i64"]);
    const sign = builder.parameter(0, "i32").value;
    const exponent = builder.parameter(1, "i32");
    const significand = builder.parameter(2, "i64");
    const mode = builder.parameter(3, "i32").value;
    const increment = builder.local("i64");
    const tiny = builder.local("i32");
    const extra = builder.local("i64");
    /** Whether rounding carries into the next power of two. */
    const carries = i64.ltS(i64.add(significand.value, increment.value), constant64(0));
    const signed = (value: I64): I64 => i64.or(i64.shl(i64.extendU(sign), constant64(bits - 1)), value);
    const toNearest = i32.eqz(i32.and(mode, constant32(3)));
    const awayFromZero = i32.eq(mode, i32.sub(constant32(Mode.up), sign));
    builder.setBody(
      sequence(
        increment.set(
          choose(toNearest, constant64(half), choose(awayFromZero, constant64(ones), constant64(0))),
        ),
        when(
          i32.ltS(exponent.value, constant32(minExponent)),
          sequence(
            tiny.set(i32.or(i32.ltS(exponent.value, constant32(minExponent - 1)), i32.eqz(carries))),
            significand.set(
              this.shiftRightSticky(significand.value, i32.sub(constant32(minExponent), exponent.value)),
            ),
            exponent.set(constant32(minExponent)),
          ),
        ),
        when(
          i32.or(
            i32.gtS(exponent.value, constant32(maxExponent)),
            i32.and(i32.eq(exponent.value, constant32(maxExponent)), carries),
          ),
          sequence(
            this.raise(Flag.overflow | Flag.inexact),
            returnValue(signed(i64.sub(constant64(infinity), i64.extendU(i64.eqz(increment.value))))),
          ),
        ),
        extra.set(i64.and(significand.value, constant64(ones))),
        when(
          i64.ne(extra.value, constant64(0)),
          this.raise(choose(tiny.value, constant32(Flag.inexact | Flag.underflow), constant32(Flag.inexact))),
        ),
        significand.set(i64.shrU(i64.add(significand.value, increment.value), constant64(extraBits))),
        when(
          i32.and(i32.eq(mode, constant32(Mode.nearestEven)), i64.eq(extra.value, constant64(half))),
          significand.set(i64.and(significand.value, constant64(-2))),
        ),
        // The leading one, if there is one, adds 1 to the exponent's field; so does a carry.
        returnValue(
          signed(
            i64.add(
              i64.shl(i64.extendS(i32.add(exponent.value, constant32(bias - 1))), constant64(fractionBits)),
              significand.value,
            ),
          ),
        ),
      ),
    );
    return builder;
  }
}

/** Zero as the sum of two numbers that cancel: negative only when rounding down (IEEE 754-2019, section 6.3). */
export const cancelled = ({ sign }: Format, mode: I32): I64 =>
  choose(i32.eq(mode, constant32(Mode.down)), constant64(sign), constant64(0));
