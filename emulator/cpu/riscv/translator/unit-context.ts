import { CodeContext, type CodeFrame } from "../codegen/context.ts";
import { inlineCsrs } from "../codegen/supervisor.ts";
import { LAYOUT } from "../hart/layout.ts";
import {
  choose,
  drop,
  type F32,
  type F64,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  nothing,
  type Statement,
  sequence,
} from "../wasm/index.ts";
import type { Placed } from "./region.ts";
import type { RegisterLocals } from "./registers.ts";

/** What the instructions of one unit share. */
export interface UnitFrame extends CodeFrame {
  /** Virtual address of the page. */
  readonly base: Local<"i64">;
  readonly registers: RegisterLocals;
  /** Where the unit was left: page offset of the instruction and, from bit `PLACE_UNCOUNT`, how many to uncount. */
  readonly place: Local<"i32">;
}

/** Position of the second part of `place`. */
export const PLACE_UNCOUNT = 12;

/** Operands as constants and locals. Where control goes is only noted: the unit's generator emits the branches. */
export class UnitContext extends CodeContext {
  /** Condition of a conditional branch. */
  condition: I32 | undefined;
  /** Target of a jump to an address in a register. */
  destination: I64 | undefined;
  private readonly unit: UnitFrame;
  private readonly placed: Placed;
  private readonly uncounted: number;

  /** @param uncounted instructions from this one to the end of its block, which were counted when the block began */
  constructor(unit: UnitFrame, placed: Placed, uncounted: number) {
    super(unit);
    this.unit = unit;
    this.placed = placed;
    this.uncounted = uncounted;
  }

  /** The instruction's effect, for a jump or branch without the transfer of control. */
  effect(): Statement {
    this.unit.temporaries.releaseAll();
    return this.placed.decoded.full.semantics(this);
  }

  get rs1(): I64 {
    return this.unit.registers.value(this.placed.decoded.rs1);
  }

  get rs2(): I64 {
    return this.unit.registers.value(this.placed.decoded.rs2);
  }

  get rs1Word(): I32 {
    return i32.wrap(this.rs1);
  }

  get rs2Word(): I32 {
    return i32.wrap(this.rs2);
  }

  get immediate(): I64 {
    return i64.constant(this.placed.decoded.immediate);
  }

  get immediateWord(): I32 {
    return i32.constant(this.placed.decoded.immediate);
  }

  get pc(): I64 {
    return i64.add(this.unit.base.value, i64.constant(this.placed.offset));
  }

  get nextPc(): I64 {
    const { offset, decoded } = this.placed;
    return i64.add(this.unit.base.value, i64.constant(offset + decoded.instruction.length));
  }

  get registerField(): I64 {
    return i64.constant(this.placed.decoded.rs1);
  }

  get remaining(): I32 {
    return i32.add(this.unit.remaining.value, i32.constant(this.uncounted));
  }

  protected get csrNumber(): number | undefined {
    const { full, immediate } = this.placed.decoded;
    return inlineCsrs(full.name).includes(immediate) ? immediate : undefined;
  }

  writeRd(value: I64): Statement {
    const { rd } = this.placed.decoded;
    return this.unit.registers.target(rd)?.set(value) ?? drop(value);
  }

  get frs1Bits(): I64 {
    return f64.toBits(this.frs1Double);
  }

  get frs2Bits(): I64 {
    return f64.toBits(this.frs2Double);
  }

  get frs1Double(): F64 {
    return this.unit.registers.double(this.placed.decoded.rs1).value;
  }

  get frs2Double(): F64 {
    return this.unit.registers.double(this.placed.decoded.rs2).value;
  }

  get frs3Double(): F64 {
    return this.unit.registers.double(this.placed.decoded.rs3).value;
  }

  get frs1Single(): F32 {
    return unboxed(this.frs1Bits);
  }

  get frs2Single(): F32 {
    return unboxed(this.frs2Bits);
  }

  get frs3Single(): F32 {
    return unboxed(f64.toBits(this.frs3Double));
  }

  get rounding(): I32 {
    return i32.load8U(i32.constant(0), this.state(LAYOUT.rounding) + this.placed.decoded.rm);
  }

  writeFrdBits(value: I64): Statement {
    return this.writeFrdDouble(f64.fromBits(value));
  }

  writeFrdDouble(value: F64): Statement {
    return this.unit.registers.double(this.placed.decoded.rd).set(value);
  }

  jump(target: I64): Statement {
    this.destination = target;
    return nothing;
  }

  jumpRelative(): Statement {
    return nothing;
  }

  branch(condition: I32): Statement {
    this.condition = condition;
    return nothing;
  }

  protected override leave(code: number): Statement {
    const place = this.placed.offset | (this.uncounted << PLACE_UNCOUNT);
    return sequence(this.unit.place.set(i32.constant(place)), super.leave(code));
  }
}

function unboxed(bits: I64): F32 {
  const boxed = i64.geU(bits, i64.constant(-(2n ** 32n)));
  return choose(boxed, f32.fromBits(i32.wrap(bits)), f32.constant(Number.NaN));
}
