/** The two binary formats (IEEE 754-2019, table 3.5), as constants of generated code. */

/** Accrued exceptions, as in fflags (unprivileged ISA, section 13.2). */
export const Flag = { inexact: 1, underflow: 2, overflow: 4, divideByZero: 8, invalid: 16 } as const;

/** Rounding modes, as in frm (unprivileged ISA, table 13.1). */
export const Mode = {
  nearestEven: 0,
  towardsZero: 1,
  down: 2,
  up: 3,
  nearestAway: 4,
} as const;

/** Bit of the leading one of significands in computations, so that a carry still fits. */
export const LEADING_BIT = 62;

/** A format. Its values are in the low bits of 64, the others are zero. */
export interface Format {
  readonly bits: 32 | 64;
  /** Digits of the significand after the leading one. */
  readonly fractionBits: number;
  readonly bias: number;
  /** Exponents of the smallest normal and the largest finite number. */
  readonly minExponent: number;
  readonly maxExponent: number;
  /** Bits of a significand in computations that do not fit in the format. */
  readonly extraBits: number;
  readonly sign: bigint;
  readonly magnitude: bigint;
  readonly infinity: bigint;
  readonly quietBit: bigint;
  readonly canonicalNan: bigint;
}

function format(bits: 32 | 64, fractionBits: number): Format {
  const maxExponent = 2 ** (bits - fractionBits - 2) - 1;
  const sign = 1n << BigInt(bits - 1);
  const infinity = sign - (1n << BigInt(fractionBits));
  const quietBit = 1n << BigInt(fractionBits - 1);
  return {
    bits,
    fractionBits,
    bias: maxExponent,
    minExponent: 1 - maxExponent,
    maxExponent,
    extraBits: LEADING_BIT - fractionBits,
    sign,
    magnitude: sign - 1n,
    infinity,
    quietBit,
    canonicalNan: infinity | quietBit,
  };
}

export const single: Format = format(32, 23);
export const double: Format = format(64, 52);
