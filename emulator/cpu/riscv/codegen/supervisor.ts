/**
 * What generated code does itself of control registers and traps: what kernels do all the time and what affects nothing
 * but a few words of the hart's block. It leaves anything else to the host, before it changes anything: other registers
 * and privileges, writes that change what pages may be read, and whatever could let an interrupt in.
 */
import { Cause } from "../hart/causes.ts";
import { SSTATUS_HIGH, SSTATUS_WRITABLE, STATUS_DIRTY, storageOf } from "../hart/csr.ts";
import { csrWord, LAYOUT, WORD } from "../hart/layout.ts";
import {
  DYNAMIC_SHIFT,
  EnvironmentConfig,
  FLOAT_DIRTY,
  FloatFlag,
  FS_SHIFT,
  Privilege,
  ROUNDING_CLOSED,
  ROUNDING_HIGH,
  ROUNDING_LOW,
  SPP_SHIFT,
  Status,
} from "../hart/state.ts";
import type { CsrOperand, CsrOperation } from "../instructions/instruction.ts";
import {
  choose,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import type { CodeContext } from "./context.ts";

const SSTATUS = 0x100;
/** Registers of supervisor mode that are plain storage: sscratch, sepc, scause, stval. */
const STORAGE = [0x140, 0x141, 0x142, 0x143];

/** The time counter, which is only read: `rdtime`. */
const TIME = 0xc01;
/** Its bit in the registers that grant counters to lower privileges. */
const TIME_GRANTED = 2;

/** Names of the instructions that generated code may execute on sstatus, on plain storage, and on the time counter. */
const ON_STATUS = ["csrrw", "csrrs", "csrrc", "csrrsi", "csrrci"];
const ON_STORAGE = ["csrrw", "csrrs"];
const ON_TIME = ["csrrs"];

/** Numbers of the control registers that generated code accesses itself with this instruction. */
export function inlineCsrs(instruction: string): readonly number[] {
  return [
    ...(ON_STATUS.includes(instruction) ? [SSTATUS] : []),
    ...(ON_STORAGE.includes(instruction) ? STORAGE : []),
    ...(ON_TIME.includes(instruction) ? [TIME] : []),
  ];
}

const AT_ZERO = i32.constant(0);

/** Distance between a bit of mstatus and the one that holds its value before the trap: SIE to SPIE. */
const PREVIOUS_SHIFT = 4;
/** Distance from SUM and MXR in mstatus to their bits in a data mode. */
const MODE_SHIFT = 16;
const MODE_SUM_SHIFT = 2;
const MODE_MXR = 8;

/** Code on the control registers of one instruction's context. */
export class SupervisorCode {
  private readonly context: CodeContext;

  constructor(context: CodeContext) {
    this.context = context;
  }

  private at(word: number): number {
    return this.context.state(4 * word);
  }

  private low(word: number): I32 {
    return i32.load(AT_ZERO, this.at(word));
  }

  /** An interrupt may be pending that is enabled, whatever masks it. */
  private get pending(): I32 {
    const lines = i32.or(this.low(csrWord.mipSoftware), this.low(csrWord.mipLines));
    return i32.and(lines, this.low(csrWord.mie));
  }

  private hostUnless(privilege: number, call: "csr" | "supervisorReturn" | "environmentCall"): Statement {
    const { context } = this;
    return when(i32.ne(this.low(csrWord.privilege), i32.constant(privilege)), context.host(call));
  }

  access(number: number, operation: CsrOperation, operand: CsrOperand): Statement {
    if (number === TIME) return this.readTime();
    const value = operand === "rs1" ? this.context.rs1 : this.context.registerField;
    return number === SSTATUS
      ? this.accessStatus(operation, value)
      : this.accessStorage(number, operation, value);
  }

  /** The source register must be x0: with any other the instruction writes, which is illegal. */
  private readTime(): Statement {
    const { context } = this;
    const byHost = context.host("csr");
    const privilege = this.low(csrWord.privilege);
    const atLimit = i64.load(AT_ZERO, this.at(WORD.timeAtLimit));
    const perInstruction = i64.load(AT_ZERO, this.at(WORD.timePerInstruction));
    const ahead = i64.mul(i64.extendU(context.remaining), perInstruction);
    const hostUnlessGranted = (by: number): Statement =>
      when(i32.eqz(i32.and(this.low(by), i32.constant(TIME_GRANTED))), byHost);
    return sequence(
      when(i64.ne(context.registerField, i64.constant(0)), byHost),
      when(i64.eqz(atLimit), byHost),
      when(
        i32.ne(privilege, i32.constant(Privilege.Machine)),
        sequence(
          hostUnlessGranted(csrWord.mcounteren),
          when(i32.eqz(privilege), hostUnlessGranted(csrWord.scounteren)),
        ),
      ),
      context.writeRd(i64.divU(i64.sub(atLimit, ahead), i64.load(AT_ZERO, this.at(WORD.timePerTick)))),
    );
  }

  private accessStorage(number: number, operation: CsrOperation, operand: I64): Statement {
    const { context } = this;
    const { word, low, high } = storageOf(number);
    const writable = i64.constant((BigInt(high) << 32n) | BigInt(low >>> 0));
    const old = context.temporary("i64");
    return sequence(
      when(i32.eqz(this.low(csrWord.privilege)), context.host("csr")),
      old.set(i64.load(AT_ZERO, this.at(word))),
      i64.store(AT_ZERO, i64.and(combine(operation, old.value, operand), writable), this.at(word)),
      context.writeRd(old.value),
    );
  }

  private accessStatus(operation: CsrOperation, operand: I64): Statement {
    const { context } = this;
    const old = context.temporary("i32");
    const status = context.temporary("i32");
    const writable = i32.and(i32.wrap(operand), i32.constant(SSTATUS_WRITABLE));
    const changed = i32.xor(old.value, status.value);
    const dirty = i32.eq(i32.and(old.value, i32.constant(Status.FS)), i32.constant(Status.FS));
    const high = i32.or(
      i32.constant(SSTATUS_HIGH),
      i32.and(i32.sub(AT_ZERO, dirty), i32.constant(STATUS_DIRTY | 0)),
    );
    return sequence(
      this.hostUnless(Privilege.Supervisor, "csr"),
      old.set(this.low(csrWord.mstatus)),
      status.set(combineStatus(operation, old.value, writable)),
      when(i32.and(changed, i32.constant(Status.MXR)), context.host("csr")),
      when(
        i32.and(i32.and(changed, status.value), i32.constant(Status.SIE)),
        when(this.pending, context.host("csr")),
      ),
      i32.store(AT_ZERO, status.value, this.at(csrWord.mstatus)),
      this.setDataMode(i32.constant(Privilege.Supervisor), status.value),
      when(i32.and(changed, i32.constant(Status.FS)), this.setFloatAccess(status.value)),
      context.writeRd(
        i64.or(
          i64.extendU(i32.and(old.value, i32.constant(SSTATUS_WRITABLE))),
          i64.shl(i64.extendU(high), i64.constant(32)),
        ),
      ),
    );
  }

  /** The mode of loads and stores in user (0) or supervisor mode (1). */
  private setDataMode(privilege: I32, status: I32): Statement {
    const { dataMode } = this.context;
    const bits = i32.or(i32.constant(MODE_MXR), i32.shl(privilege, i32.constant(MODE_SUM_SHIFT)));
    const mode = i32.or(privilege, i32.and(i32.shrU(status, i32.constant(MODE_SHIFT)), bits));
    return sequence(
      dataMode.set(i64.extendU(mode)),
      i64.store(AT_ZERO, dataMode.value, this.context.state(LAYOUT.dataMode)),
    );
  }

  /** Whether floating point may be used, and how it may round: what `HartState.updateFloat` does. */
  private setFloatAccess(status: I32): Statement {
    const { context } = this;
    const access = i32.and(i32.shrU(status, i32.constant(FS_SHIFT)), i32.constant(FLOAT_DIRTY));
    const inexact = i32.and(i32.load(AT_ZERO, context.state(LAYOUT.fflags)), i32.constant(FloatFlag.NX));
    const mayRound = i32.and(i32.eq(access, i32.constant(FLOAT_DIRTY)), i32.ne(inexact, i32.constant(0)));
    const modes = context.temporary("i32");
    const frm = i32.load(AT_ZERO, context.state(LAYOUT.frm));
    const dynamic = i32.shl(frm, i32.constant(DYNAMIC_SHIFT));
    return sequence(
      i32.store(AT_ZERO, access, context.state(LAYOUT.floatStatus)),
      modes.set(choose(mayRound, i32.constant(0), i32.constant(ROUNDING_CLOSED))),
      i32.store(AT_ZERO, i32.or(i32.constant(ROUNDING_LOW), modes.value), context.state(LAYOUT.rounding)),
      i32.store(
        AT_ZERO,
        i32.or(i32.or(dynamic, i32.constant(ROUNDING_HIGH)), modes.value),
        context.state(LAYOUT.rounding + 4),
      ),
    );
  }

  /** Enters user (0) or supervisor mode (1) with a new value of mstatus: what `HartState.setPrivilege` does. */
  private enter(privilege: I32, status: Local<"i32">): Statement {
    const { context } = this;
    const zeroing = (word: number): I32 =>
      i32.and(i32.shrU(this.low(word), i32.constant(Math.log2(EnvironmentConfig.CBZE))), i32.constant(1));
    return sequence(
      i32.store(AT_ZERO, status.value, this.at(csrWord.mstatus)),
      i32.store(AT_ZERO, privilege, this.at(csrWord.privilege)),
      context.setFetchMode(i64.extendU(privilege)),
      this.setDataMode(privilege, status.value),
      i32.store(
        AT_ZERO,
        i32.and(zeroing(csrWord.menvcfg), i32.or(privilege, zeroing(csrWord.senvcfg))),
        context.state(LAYOUT.blockZeroing),
      ),
    );
  }

  supervisorReturn(): Statement {
    const { context } = this;
    const { SIE, SPIE, SPP, MPRV, TSR } = Status;
    const old = context.temporary("i32");
    const status = context.temporary("i32");
    const privilege = context.temporary("i32");
    const byHost = context.host("supervisorReturn");
    const enabled = i32.and(i32.shrU(old.value, i32.constant(PREVIOUS_SHIFT)), i32.constant(SIE));
    return sequence(
      this.hostUnless(Privilege.Supervisor, "supervisorReturn"),
      old.set(this.low(csrWord.mstatus)),
      when(i32.and(old.value, i32.constant(TSR)), byHost),
      when(this.pending, byHost),
      privilege.set(i32.and(i32.shrU(old.value, i32.constant(SPP_SHIFT)), i32.constant(1))),
      status.set(
        i32.or(i32.or(i32.and(old.value, i32.constant(~(SIE | SPP | MPRV))), enabled), i32.constant(SPIE)),
      ),
      this.enter(privilege.value, status),
      context.jump(i64.load(AT_ZERO, this.at(csrWord.sepc))),
    );
  }

  /** A system call of a user that goes to the supervisor. */
  environmentCall(): Statement {
    const { context } = this;
    const { SIE, SPIE, SPP } = Status;
    const cause = Cause.EnvironmentCallFromUser;
    const old = context.temporary("i32");
    const status = context.temporary("i32");
    const byHost = context.host("environmentCall");
    const delegated = i32.and(this.low(csrWord.medeleg), i32.constant(1 << cause));
    const trapped = context.state(LAYOUT.trapped);
    const wasEnabled = i32.and(i32.shl(old.value, i32.constant(PREVIOUS_SHIFT)), i32.constant(SPIE));
    return sequence(
      this.hostUnless(Privilege.User, "environmentCall"),
      when(i32.eqz(delegated), byHost),
      when(this.pending, byHost),
      old.set(this.low(csrWord.mstatus)),
      status.set(i32.or(i32.and(old.value, i32.constant(~(SPIE | SIE | SPP))), wasEnabled)),
      i64.store(AT_ZERO, context.pc, this.at(csrWord.sepc)),
      i64.store(AT_ZERO, i64.constant(cause), this.at(csrWord.scause)),
      i64.store(AT_ZERO, i64.constant(0), this.at(csrWord.stval)),
      i64.store(AT_ZERO, i64.add(i64.load(AT_ZERO, trapped), i64.constant(1)), trapped),
      this.enter(i32.constant(Privilege.Supervisor), status),
      context.jump(i64.and(i64.load(AT_ZERO, this.at(csrWord.stvec)), i64.constant(-4))),
    );
  }
}

function combine(operation: CsrOperation, old: I64, operand: I64): I64 {
  switch (operation) {
    case "write":
      return operand;
    case "set":
      return i64.or(old, operand);
    case "clear":
      return i64.and(old, i64.xor(operand, i64.constant(-1)));
  }
}

/** The same for sstatus, whose other bits a write keeps; `operand` has only writable ones. */
function combineStatus(operation: CsrOperation, old: I32, operand: I32): I32 {
  switch (operation) {
    case "write":
      return i32.or(i32.and(old, i32.constant(~SSTATUS_WRITABLE)), operand);
    case "set":
      return i32.or(old, operand);
    case "clear":
      return i32.and(old, i32.xor(operand, i32.constant(-1)));
  }
}
