import { isFloat, type RegisterOperand } from "../instructions/fields.ts";
import type { FullInstruction } from "../instructions/instruction.ts";
import { handlers } from "../interpreter/records.ts";
import { type ExecuteSoftFloat, generateSoftFloat, softFloatOperations } from "../softfloat/module.ts";
import { LAYOUT, WORD } from "./layout.ts";
import { FLOAT_DIRTY, type HartState } from "./state.ts";

export const FloatOutcome = {
  /** Floating point is off, or the rounding mode is reserved. */
  Illegal: 0,
  /** Executed; it still has to retire. */
  Done: 1,
  /** Generated code can execute it now. */
  Repeat: 2,
} as const;
export type FloatOutcome = (typeof FloatOutcome)[keyof typeof FloatOutcome];

/** Properties of a handler's instruction, by operation. */
function byOperation(property: (instruction: FullInstruction) => number): Int16Array {
  return Int16Array.from([0, ...handlers.map(({ instruction }) => property(instruction))]);
}

/** Offset in the hart's block of an operand's register file; integer destinations count from x1. */
const fileOf = (operand: RegisterOperand | undefined, integers: number): number =>
  isFloat(operand) ? LAYOUT.floatRegisters : integers;

const writesFloat = byOperation(({ rd }) => (isFloat(rd) ? 1 : 0));
const rounds = byOperation((instruction) => (instruction.rounds === true ? 1 : 0));
const resultFile = byOperation(({ rd }) => fileOf(rd, LAYOUT.registers + 8));
const sourceFile = byOperation(({ rs1 }) => fileOf(rs1, LAYOUT.registers));
/** Index in `softFloatOperations`, or -1. */
const softOperation = byOperation(({ name }) =>
  softFloatOperations.findIndex((operation) => operation.name === name),
);

/** Compiled modules by the offset of the hart's block, which is a constant in them. */
const compiled = new Map<number, WebAssembly.Module>();

function instantiate(memory: WebAssembly.Memory, stateOffset: number): ExecuteSoftFloat {
  let module = compiled.get(stateOffset);
  if (module === undefined) {
    module = new WebAssembly.Module(generateSoftFloat(stateOffset + LAYOUT.fflags));
    compiled.set(stateOffset, module);
  }
  const instance = new WebAssembly.Instance(module, { guest: { memory } });
  return instance.exports.execute as ExecuteSoftFloat; // the generator exports exactly this
}

/** The floating point that generated code leaves to the host: exact arithmetic, and the rules of the FS field. */
export class FloatUnit {
  private readonly state: HartState;
  private softFloat: ExecuteSoftFloat | undefined;

  constructor(state: HartState) {
    this.state = state;
  }

  /** Executes the instruction whose record is at the given WebAssembly address. */
  execute(record: number): FloatOutcome {
    const { state } = this;
    const operation = state.halfwords[record >>> 1] ?? 0;
    const status = state.low(WORD.floatStatus);
    if (status === 0) return FloatOutcome.Illegal;
    let mode = 0;
    if (rounds[operation] === 1) {
      mode = (state.bytes[state.offset + LAYOUT.rounding + (state.bytes[record + 6] ?? 0)] ?? 0) & 7;
      if (mode > 4) return FloatOutcome.Illegal;
    }
    if (writesFloat[operation] === 1 && status !== FLOAT_DIRTY) {
      state.setFloatDirty();
      return FloatOutcome.Repeat;
    }
    this.compute(operation, record, mode);
    return FloatOutcome.Done;
  }

  private compute(operation: number, record: number, mode: number): void {
    const { state } = this;
    const soft = softOperation[operation] ?? -1;
    if (soft < 0) throw new Error(`operation ${operation} left generated code without a reason`);
    this.softFloat ??= instantiate(state.memory, state.offset);
    const flags = state.low(WORD.fflags);
    const sources = state.offset + (sourceFile[operation] ?? 0);
    // Without a second or third source, the record has zeros, which are the address of a register, too.
    this.softFloat(
      soft,
      state.offset + (resultFile[operation] ?? 0) + (state.bytes[record + 2] ?? 0),
      sources + (state.bytes[record + 3] ?? 0),
      sources + (state.bytes[record + 4] ?? 0),
      sources + (state.bytes[record + 5] ?? 0),
      mode,
    );
    if (state.low(WORD.fflags) !== flags) state.setFloatDirty();
  }
}
