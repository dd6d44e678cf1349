import { LAYOUT } from "../hart/layout.ts";
import type { Decoded } from "../instructions/decode.ts";
import { isFloat, type RegisterOperand } from "../instructions/fields.ts";
import {
  type Expression,
  type FunctionBuilder,
  f64,
  i32,
  i64,
  type Local,
  type Statement,
  sequence,
} from "../wasm/index.ts";

/** A set of guest registers, one bit each: integer registers (never x0) and floating-point registers. */
export interface RegisterSet {
  readonly x: number;
  readonly f: number;
}

export const NO_REGISTERS: RegisterSet = { x: 0, f: 0 };

export function union(left: RegisterSet, right: RegisterSet): RegisterSet {
  return { x: left.x | right.x, f: left.f | right.f };
}

export function includes(set: RegisterSet, subset: RegisterSet): boolean {
  return (subset.x & ~set.x) === 0 && (subset.f & ~set.f) === 0;
}

function only(operand: RegisterOperand | undefined, number: number): RegisterSet {
  if (operand === undefined) return NO_REGISTERS;
  const bit = 1 << number;
  return isFloat(operand) ? { x: 0, f: bit } : { x: bit & ~1, f: 0 };
}

export function writtenBy({ full, rd }: Decoded): RegisterSet {
  return only(full.rd, rd);
}

export function readBy({ full, rs1, rs2, rs3 }: Decoded): RegisterSet {
  return union(union(only(full.rs1, rs1), only(full.rs2, rs2)), only(full.rs3, rs3));
}

const AT_ZERO = i32.constant(0);

/** Guest registers as a function's local variables. */
export class RegisterLocals {
  private readonly integer: readonly (Local<"i64"> | undefined)[];
  private readonly float: readonly (Local<"f64"> | undefined)[];
  private readonly stateOffset: number;

  constructor(builder: FunctionBuilder, used: RegisterSet, stateOffset: number) {
    this.stateOffset = stateOffset;
    const numbers = Array.from({ length: 32 }, (_, number) => number);
    this.integer = numbers.map((number) => (has(used.x, number) ? builder.local("i64") : undefined));
    this.float = numbers.map((number) => (has(used.f, number) ? builder.local("f64") : undefined));
  }

  /** The value of an integer register; that of x0 is zero. */
  value(number: number): Expression<"i64"> {
    return this.integer[number]?.value ?? i64.constant(0);
  }

  /** Local of an integer register to write to; undefined for x0. */
  target(number: number): Local<"i64"> | undefined {
    return this.integer[number];
  }

  /** A floating-point register, as a double whatever it holds. @throws Error if it is not among those used. */
  double(number: number): Local<"f64"> {
    const local = this.float[number];
    if (local === undefined)
      throw new Error(`f${number} is used, but not counted among the unit's registers`);
    return local;
  }

  load(): Statement {
    return sequence(
      ...this.integer.map((local, number) =>
        local === undefined ? sequence() : local.set(i64.load(AT_ZERO, this.at(LAYOUT.registers, number))),
      ),
      ...this.float.map((local, number) =>
        local === undefined
          ? sequence()
          : local.set(f64.load(AT_ZERO, this.at(LAYOUT.floatRegisters, number))),
      ),
    );
  }

  store(set: RegisterSet): Statement {
    return sequence(
      ...this.integer.map((local, number) =>
        local === undefined || !has(set.x, number)
          ? sequence()
          : i64.store(AT_ZERO, local.value, this.at(LAYOUT.registers, number)),
      ),
      ...this.float.map((local, number) =>
        local === undefined || !has(set.f, number)
          ? sequence()
          : f64.store(AT_ZERO, local.value, this.at(LAYOUT.floatRegisters, number)),
      ),
    );
  }

  private at(registers: number, number: number): number {
    return this.stateOffset + registers + 8 * number;
  }
}

function has(bits: number, number: number): boolean {
  return ((bits >>> number) & 1) === 1;
}
