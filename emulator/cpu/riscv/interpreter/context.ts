import { CodeContext, type CodeFrame } from "../codegen/context.ts";
import { LAYOUT, RECORD_BYTES } from "../hart/layout.ts";
import {
  branch,
  branchIf,
  choose,
  type F32,
  type F64,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import type { Handler } from "./records.ts";

/** What all handlers of one interpreter share; `remaining` does not count the current instruction. */
export interface InterpreterFrame extends CodeFrame {
  /** Address of the current record. */
  readonly record: Local<"i32">;
  /** pc = pcBase + (record >> 2): records are four times as far apart as the halfwords they stand for. */
  readonly pcBase: Local<"i64">;
  readonly target: Local<"i64">;
  /** Continues at the address in `target`. */
  readonly jump: Label;
  /** Executes the record at `record`, the target of a jump within the page. */
  readonly arrive: Label;
  /** Executes the record at `record`. */
  readonly next: Label;
}

/** Operands from a record, registers in memory. */
export class InterpreterContext extends CodeContext {
  private readonly loop: InterpreterFrame;
  private readonly handler: Handler;

  constructor(frame: InterpreterFrame, handler: Handler) {
    super(frame);
    this.loop = frame;
    this.handler = handler;
  }

  private field(byte: number): I32 {
    return i32.load8U(this.loop.record.value, byte);
  }

  private get rs2Field(): I32 {
    return this.field(this.handler.instruction.rd === undefined ? 2 : 4);
  }

  get rs1(): I64 {
    return i64.load(this.field(3), this.state(LAYOUT.registers));
  }

  get rs2(): I64 {
    return i64.load(this.rs2Field, this.state(LAYOUT.registers));
  }

  get rs1Word(): I32 {
    return i32.load(this.field(3), this.state(LAYOUT.registers));
  }

  get rs2Word(): I32 {
    return i32.load(this.rs2Field, this.state(LAYOUT.registers));
  }

  get immediate(): I64 {
    return i64.load32S(this.loop.record.value, 4);
  }

  get immediateWord(): I32 {
    return i32.load(this.loop.record.value, 4);
  }

  get pc(): I64 {
    const { pcBase, record } = this.loop;
    return i64.add(pcBase.value, i64.extendU(i32.shrU(record.value, i32.constant(2))));
  }

  get nextPc(): I64 {
    return i64.add(this.pc, i64.constant(this.handler.length));
  }

  get registerField(): I64 {
    return i64.extendU(i32.shrU(this.field(3), i32.constant(3)));
  }

  get remaining(): I32 {
    return i32.add(this.loop.remaining.value, i32.constant(1));
  }

  protected get csrNumber(): number | undefined {
    return this.handler.csr;
  }

  get frs1Bits(): I64 {
    return i64.load(this.field(3), this.state(LAYOUT.floatRegisters));
  }

  get frs2Bits(): I64 {
    return i64.load(this.rs2Field, this.state(LAYOUT.floatRegisters));
  }

  get frs1Double(): F64 {
    return f64.load(this.field(3), this.state(LAYOUT.floatRegisters));
  }

  get frs2Double(): F64 {
    return f64.load(this.rs2Field, this.state(LAYOUT.floatRegisters));
  }

  get frs3Double(): F64 {
    return f64.load(this.field(5), this.state(LAYOUT.floatRegisters));
  }

  get frs1Single(): F32 {
    return this.unboxed(this.field(3));
  }

  get frs2Single(): F32 {
    return this.unboxed(this.rs2Field);
  }

  get frs3Single(): F32 {
    return this.unboxed(this.field(5));
  }

  private unboxed(field: I32): F32 {
    const boxed = i32.eq(i32.load(field, this.state(LAYOUT.floatRegisters + 4)), i32.constant(-1));
    return choose(boxed, f32.load(field, this.state(LAYOUT.floatRegisters)), f32.constant(Number.NaN));
  }

  get rounding(): I32 {
    return i32.load8U(this.field(6), this.state(LAYOUT.rounding));
  }

  writeFrdBits(value: I64): Statement {
    return i64.store(this.field(2), value, this.state(LAYOUT.floatRegisters));
  }

  writeFrdDouble(value: F64): Statement {
    return f64.store(this.field(2), value, this.state(LAYOUT.floatRegisters));
  }

  writeRd(value: I64): Statement {
    return i64.store(this.field(2), value, this.state(LAYOUT.registers + 8));
  }

  /** Makes the record of the next instruction the current one. */
  private step(): Statement {
    const { record } = this.loop;
    const bytes = (this.handler.length / 2) * RECORD_BYTES;
    return record.set(i32.add(record.value, i32.constant(bytes)));
  }

  /** The whole handler: its instruction, possibly the next one, and the jump to what follows. */
  body(): Statement {
    const { loop, handler } = this;
    loop.temporaries.releaseAll();
    const { followedBy } = handler;
    const execute = sequence(handler.instruction.semantics(this), this.step());
    if (followedBy === undefined) return sequence(execute, branch(loop.next));
    const { remaining } = loop;
    return sequence(
      execute,
      branchIf(i32.eqz(remaining.value), loop.next),
      remaining.set(i32.sub(remaining.value, i32.constant(1))),
      new InterpreterContext(loop, followedBy).body(),
    );
  }

  jump(target: I64): Statement {
    return sequence(this.loop.target.set(target), branch(this.loop.jump));
  }

  jumpRelative(): Statement {
    if (!this.handler.near) return this.jump(i64.add(this.pc, this.immediate));
    const { record, arrive } = this.loop;
    return sequence(record.set(i32.add(record.value, this.immediateWord)), branch(arrive));
  }

  branch(condition: I32): Statement {
    return when(condition, this.jumpRelative());
  }
}
