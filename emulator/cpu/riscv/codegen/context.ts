import { CACHE_BLOCK_BYTES, LAYOUT, TLB_ENTRIES } from "../hart/layout.ts";
import { FLOAT_DIRTY } from "../hart/state.ts";
import type {
  CsrOperand,
  CsrOperation,
  HostCall,
  InstructionContext,
  LoadKind,
} from "../instructions/instruction.ts";
import {
  branch,
  type F32,
  type F64,
  f32,
  type I32,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
  nothing,
  type Statement,
  sequence,
  type ValueType,
  when,
} from "../wasm/index.ts";
import { ACCESS_SIGNED, Exit, hostExit } from "./exits.ts";
import { SupervisorCode } from "./supervisor.ts";
import type { TemporaryPool } from "./temporaries.ts";

/** What all instructions of a generated function share. */
export interface CodeFrame {
  /** WebAssembly address of the hart's block. */
  readonly stateOffset: number;
  /** Instructions that may still be executed. */
  readonly remaining: Local<"i32">;
  /** Low bits of the tags that data accesses match. */
  readonly dataMode: Local<"i64">;
  /** The same for fetches, where a function keeps that. */
  readonly fetchMode?: Local<"i64">;
  readonly exitCode: Local<"i32">;
  readonly temporaries: TemporaryPool;
  /** Leaves with `exitCode`, before the current instruction is executed. */
  readonly exit: Label;
}

const AT_ZERO = i32.constant(0);

const boxed = (single: I64): I64 => i64.or(single, i64.constant(-(2n ** 32n)));

/**
 * What generated code does in the same way wherever its operands are: inline memory accesses through the translation
 * buffers, and exits to the host for what it cannot do.
 */
export abstract class CodeContext implements InstructionContext {
  private readonly frame: CodeFrame;

  constructor(frame: CodeFrame) {
    this.frame = frame;
  }

  abstract get rs1(): I64;
  abstract get rs2(): I64;
  abstract get rs1Word(): I32;
  abstract get rs2Word(): I32;
  abstract get immediate(): I64;
  abstract get immediateWord(): I32;
  abstract get pc(): I64;
  abstract get nextPc(): I64;
  abstract get frs1Bits(): I64;
  abstract get frs2Bits(): I64;
  abstract get frs1Double(): F64;
  abstract get frs2Double(): F64;
  abstract get frs3Double(): F64;
  abstract get frs1Single(): F32;
  abstract get frs2Single(): F32;
  abstract get frs3Single(): F32;
  abstract get rounding(): I32;
  abstract writeRd(value: I64): Statement;
  abstract writeFrdBits(value: I64): Statement;
  abstract writeFrdDouble(value: F64): Statement;
  abstract jump(target: I64): Statement;
  abstract jumpRelative(): Statement;
  abstract branch(condition: I32): Statement;
  /** The field of the first source register, as a value. */
  abstract get registerField(): I64;
  /** Instructions that may still be executed, this one among them. */
  abstract get remaining(): I32;
  /** Number of the control register that the instruction accesses, if it is known here. */
  protected abstract get csrNumber(): number | undefined;

  /** Address of a field of the hart's block. */
  state(offset: number): number {
    return this.frame.stateOffset + offset;
  }

  temporary<T extends ValueType>(type: T): Local<T> {
    return this.frame.temporaries.take(type);
  }

  requireFloat(access: "read" | "write"): Statement {
    const status = i32.load(AT_ZERO, this.state(LAYOUT.floatStatus));
    return when(
      access === "read" ? i32.eqz(status) : i32.ne(status, i32.constant(FLOAT_DIRTY)),
      this.host("float"),
    );
  }

  writeFrdSingle(value: F32): Statement {
    return this.writeFrdBits(boxed(i64.extendU(f32.toBits(value))));
  }

  host(call: HostCall): Statement {
    return this.leave(hostExit[call]);
  }

  get dataMode(): Local<"i64"> {
    return this.frame.dataMode;
  }

  setFetchMode(mode: I64): Statement {
    return sequence(
      i64.store(AT_ZERO, mode, this.state(LAYOUT.fetchMode)),
      this.frame.fetchMode?.set(mode) ?? nothing,
    );
  }

  /** Made where it is needed: few instructions are of this kind. */
  private get supervisor(): SupervisorCode {
    return new SupervisorCode(this);
  }

  accessCsr(operation: CsrOperation, operand: CsrOperand): Statement {
    const { csrNumber } = this;
    return csrNumber === undefined ? this.host("csr") : this.supervisor.access(csrNumber, operation, operand);
  }

  supervisorReturn(): Statement {
    return this.supervisor.supervisorReturn();
  }

  environmentCall(): Statement {
    return this.supervisor.environmentCall();
  }

  protected leave(code: number): Statement {
    return sequence(this.frame.exitCode.set(i32.constant(code)), branch(this.frame.exit));
  }

  /** Leaves for an access that the host must handle, and stores its address for it. */
  private leaveForAccess(address: Local<"i64">, code: number): Statement {
    return sequence(i64.store(AT_ZERO, address.value, this.state(LAYOUT.address)), this.leave(code));
  }

  /**
   * Looks up the page of an access; `location` is its WebAssembly address. The page of the first byte selects the
   * entry, but the tag is compared with the page of the last one: an access that crosses pages always misses, and any
   * other may be misaligned at no cost.
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

  /** Succeeds at the address of the latest load-reserved if it still holds the same value; can fault only there. */
  storeConditional(bytes: 4 | 8): Statement {
    const effective = this.temporary("i64");
    const where = this.temporary("i32");
    const failed = this.temporary("i64");
    const { check, location } = this.translated(effective, bytes, LAYOUT.writeTlb, Exit.Atomic);
    const reserved = i64.load(AT_ZERO, this.state(LAYOUT.reservation));
    // A word may be stored where a doubleword was reserved; then only the low half of the value is compared.
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
