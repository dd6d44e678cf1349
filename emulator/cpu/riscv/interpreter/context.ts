import { CACHE_BLOCK_BYTES, LAYOUT, RECORD_BYTES, TLB_ENTRIES } from "../hart/layout.ts";
import { FLOAT_DIRTY } from "../hart/state.ts";
import type { HostCall, InstructionContext, LoadKind } from "../instructions/instruction.ts";
import {
  branch,
  branchIf,
  choose,
  type Expression,
  type FunctionBuilder,
  f32,
  f64,
  i32,
  i64,
  type Label,
  type Local,
  type Statement,
  sequence,
  type ValueType,
  when,
} from "../wasm/index.ts";
import { ACCESS_SIGNED, Exit, hostExit } from "./exits.ts";
import type { Handler } from "./records.ts";

type I32 = Expression<"i32">;
type I64 = Expression<"i64">;
type F32 = Expression<"f32">;
type F64 = Expression<"f64">;

/** Temporaries of a function, handed out anew for every handler. */
export class TemporaryPool {
  private readonly locals: Record<ValueType, Local<ValueType>[]> = { i32: [], i64: [], f32: [], f64: [] };
  private readonly used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0 };
  private readonly builder: FunctionBuilder;

  constructor(builder: FunctionBuilder) {
    this.builder = builder;
  }

  releaseAll(): void {
    for (const type of ["i32", "i64", "f32", "f64"] as const) this.used[type] = 0;
  }

  take<T extends ValueType>(type: T): Local<T> {
    const pool = this.locals[type];
    const index = this.used[type]++;
    const local = pool[index] ?? this.builder.local(type);
    pool[index] = local;
    return local as Local<ValueType> as Local<T>; // the pool was chosen by `type`
  }
}

/** What all handlers of one interpreter share. */
export interface InterpreterFrame {
  /** WebAssembly address of the hart's block. */
  readonly stateOffset: number;
  /** Address of the current record. */
  readonly record: Local<"i32">;
  /** pc = pcBase + (record >> 2): records are four times as far apart as the halfwords they stand for. */
  readonly pcBase: Local<"i64">;
  /** Instructions that may still be executed, the current one not counted. */
  readonly remaining: Local<"i32">;
  readonly dataMode: Local<"i64">;
  readonly target: Local<"i64">;
  readonly exitCode: Local<"i32">;
  readonly temporaries: TemporaryPool;
  /** Continues at the address in `target`. */
  readonly jump: Label;
  /** Executes the record at `record`, where a jump within the page leads. */
  readonly arrive: Label;
  /** Executes the record at `record`. */
  readonly next: Label;
  /** Leaves with `exitCode`, the current instruction not executed. */
  readonly exit: Label;
}

const AT_ZERO = i32.constant(0);

const boxed = (single: I64): I64 => i64.or(single, i64.constant(-(2n ** 32n)));

/** Operands from a record, registers in memory, the translation buffers inline. */
export class InterpreterContext implements InstructionContext {
  protected readonly frame: InterpreterFrame;
  protected readonly handler: Handler;

  constructor(frame: InterpreterFrame, handler: Handler) {
    this.frame = frame;
    this.handler = handler;
  }

  private field(byte: number): I32 {
    return i32.load8U(this.frame.record.value, byte);
  }

  protected state(offset: number): number {
    return this.frame.stateOffset + offset;
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
    return i64.load32S(this.frame.record.value, 4);
  }

  get immediateWord(): I32 {
    return i32.load(this.frame.record.value, 4);
  }

  get pc(): I64 {
    const { pcBase, record } = this.frame;
    return i64.add(pcBase.value, i64.extendU(i32.shrU(record.value, i32.constant(2))));
  }

  get nextPc(): I64 {
    return i64.add(this.pc, i64.constant(this.handler.length));
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

  requireFloat(access: "read" | "write"): Statement {
    const status = i32.load(AT_ZERO, this.state(LAYOUT.floatStatus));
    return when(
      access === "read" ? i32.eqz(status) : i32.ne(status, i32.constant(FLOAT_DIRTY)),
      this.host("float"),
    );
  }

  writeFrdBits(value: I64): Statement {
    return i64.store(this.field(2), value, this.state(LAYOUT.floatRegisters));
  }

  writeFrdDouble(value: F64): Statement {
    return f64.store(this.field(2), value, this.state(LAYOUT.floatRegisters));
  }

  writeFrdSingle(value: F32): Statement {
    return this.writeFrdBits(boxed(i64.extendU(f32.toBits(value))));
  }

  temporary<T extends ValueType>(type: T): Local<T> {
    return this.frame.temporaries.take(type);
  }

  writeRd(value: I64): Statement {
    return i64.store(this.field(2), value, this.state(LAYOUT.registers + 8));
  }

  /** Makes the record of the next instruction the current one. */
  private step(): Statement {
    const { record } = this.frame;
    const bytes = (this.handler.length / 2) * RECORD_BYTES;
    return record.set(i32.add(record.value, i32.constant(bytes)));
  }

  /** All that the handler does: its instruction, perhaps the next one, and the way on. */
  body(): Statement {
    const { frame, handler } = this;
    frame.temporaries.releaseAll();
    const { followedBy } = handler;
    const execute = sequence(handler.instruction.semantics(this), this.step());
    if (followedBy === undefined) return sequence(execute, branch(frame.next));
    const { remaining } = frame;
    return sequence(
      execute,
      branchIf(i32.eqz(remaining.value), frame.next),
      remaining.set(i32.sub(remaining.value, i32.constant(1))),
      new InterpreterContext(frame, followedBy).body(),
    );
  }

  jump(target: I64): Statement {
    return sequence(this.frame.target.set(target), branch(this.frame.jump));
  }

  jumpRelative(): Statement {
    if (!this.handler.near) return this.jump(i64.add(this.pc, this.immediate));
    const { record, arrive } = this.frame;
    return sequence(record.set(i32.add(record.value, this.immediateWord)), branch(arrive));
  }

  branch(condition: I32): Statement {
    return when(condition, this.jumpRelative());
  }

  host(call: HostCall): Statement {
    return this.leave(hostExit[call]);
  }

  protected leave(code: number): Statement {
    return sequence(this.frame.exitCode.set(i32.constant(code)), branch(this.frame.exit));
  }

  /** Leaves for an access that must be helped; the address is in `address`. */
  protected leaveForAccess(address: Local<"i64">, code: number): Statement {
    return sequence(i64.store(AT_ZERO, address.value, this.state(LAYOUT.address)), this.leave(code));
  }

  /**
   * Looks the page of an access up and answers the WebAssembly address. The tag is compared with the page of the last
   * byte, the entry chosen by that of the first one: an access that crosses pages always misses, any other may be
   * misaligned at no cost.
   */
  private translated(
    address: Local<"i64">,
    bytes: number,
    buffer: number,
    exitCode: number,
    missed: Statement = this.leaveForAccess(address, exitCode | bytes),
  ): { check: Statement; location: I32 } {
    const low = i32.wrap(address.value);
    const entry = this.temporary("i32");
    const lastByte = bytes === 1 ? address.value : i64.add(address.value, i64.constant(bytes - 1));
    const tag = i64.or(i64.and(lastByte, i64.constant(-4096)), this.frame.dataMode.value);
    return {
      check: sequence(
        entry.set(i32.and(i32.shrU(low, i32.constant(8)), i32.constant((TLB_ENTRIES - 1) << 4))),
        when(i64.ne(i64.load(entry.value, this.state(buffer)), tag), missed),
      ),
      location: i32.add(i32.load(entry.value, this.state(buffer + 8)), low),
    };
  }

  load({ bytes, signed }: LoadKind, address: I64): Statement {
    const effective = this.temporary("i64");
    const exitCode = Exit.Load | (signed ? ACCESS_SIGNED : 0);
    const { check, location } = this.translated(effective, bytes, LAYOUT.readTlb, exitCode);
    return sequence(effective.set(address), check, this.writeRd(loadFrom(location, bytes, signed)));
  }

  loadFloat(bytes: 4 | 8, address: I64): Statement {
    const effective = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.readTlb, Exit.Load);
    const value = loadFrom(location, bytes, false);
    return sequence(effective.set(address), check, this.writeFrdBits(bytes === 4 ? boxed(value) : value));
  }

  store(bytes: 1 | 2 | 4 | 8, address: I64, value: I64): Statement {
    const effective = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.writeTlb, Exit.Store);
    return sequence(effective.set(address), check, storeTo(location, bytes, value));
  }

  zeroBlock(): Statement {
    const block = this.temporary("i64");
    const where = this.temporary("i32");
    const byHost = this.host("cacheBlockZero");
    const { check, location } = this.translated(
      block,
      CACHE_BLOCK_BYTES,
      LAYOUT.writeTlb,
      Exit.Store,
      byHost,
    );
    return sequence(
      when(i32.eqz(i32.load(AT_ZERO, this.state(LAYOUT.blockZeroing))), byHost),
      block.set(i64.and(this.rs1, i64.constant(-CACHE_BLOCK_BYTES))),
      check,
      where.set(location),
      ...Array.from({ length: CACHE_BLOCK_BYTES / 8 }, (_, index) =>
        i64.store(where.value, i64.constant(0), 8 * index),
      ),
    );
  }

  /** Leaves unless the address is a multiple of `bytes`. */
  private requireAlignment(address: Local<"i64">, bytes: number, exitCode: number): Statement {
    const misaligned = i32.and(i32.wrap(address.value), i32.constant(bytes - 1));
    return when(misaligned, this.leaveForAccess(address, exitCode | bytes));
  }

  atomic(bytes: 4 | 8, combine: (old: I64, operand: I64) => I64): Statement {
    const effective = this.temporary("i64");
    const where = this.temporary("i32");
    const old = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.writeTlb, Exit.Atomic);
    return sequence(
      effective.set(this.rs1),
      this.requireAlignment(effective, bytes, Exit.Atomic),
      check,
      where.set(location),
      old.set(loadFrom(where.value, bytes, true)),
      storeTo(where.value, bytes, combine(old.value, this.rs2)),
      this.writeRd(old.value),
    );
  }

  loadReserved(bytes: 4 | 8): Statement {
    const effective = this.temporary("i64");
    const value = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.readTlb, Exit.LoadReserved);
    return sequence(
      effective.set(this.rs1),
      this.requireAlignment(effective, bytes, Exit.LoadReserved),
      check,
      value.set(loadFrom(location, bytes, true)),
      i64.store(AT_ZERO, effective.value, this.state(LAYOUT.reservation)),
      i64.store(AT_ZERO, value.value, this.state(LAYOUT.reservationValue)),
      this.writeRd(value.value),
    );
  }

  /** Succeeds where the latest load-reserved read, if that still holds what it read; faults only if it would store. */
  storeConditional(bytes: 4 | 8): Statement {
    const effective = this.temporary("i64");
    const where = this.temporary("i32");
    const failed = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.writeTlb, Exit.Atomic);
    const reserved = i64.load(AT_ZERO, this.state(LAYOUT.reservation));
    // A word may be stored where a doubleword was reserved; then its half of the value counts.
    const expected = loadFrom(i32.constant(this.state(LAYOUT.reservationValue)), bytes, true);
    return sequence(
      effective.set(this.rs1),
      failed.set(i64.constant(1)),
      when(
        i64.eq(reserved, effective.value),
        sequence(
          check,
          where.set(location),
          when(
            i64.eq(loadFrom(where.value, bytes, true), expected),
            sequence(storeTo(where.value, bytes, this.rs2), failed.set(i64.constant(0))),
          ),
        ),
      ),
      i64.store(AT_ZERO, i64.constant(-1), this.state(LAYOUT.reservation)),
      this.writeRd(failed.value),
    );
  }
}

function loadFrom(location: I32, bytes: 1 | 2 | 4 | 8, signed: boolean): I64 {
  switch (bytes) {
    case 1:
      return signed ? i64.load8S(location) : i64.load8U(location);
    case 2:
      return signed ? i64.load16S(location) : i64.load16U(location);
    case 4:
      return signed ? i64.load32S(location) : i64.load32U(location);
    case 8:
      return i64.load(location);
  }
}

function storeTo(location: I32, bytes: 1 | 2 | 4 | 8, value: I64): Statement {
  switch (bytes) {
    case 1:
      return i64.store8(location, value);
    case 2:
      return i64.store16(location, value);
    case 4:
      return i64.store32(location, value);
    case 8:
      return i64.store(location, value);
  }
}
