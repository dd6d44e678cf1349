/**
 * The interpreter, generated from the instruction table: a loop around one jump table over the operations of decoded
 * records. It never calls out. What it cannot do itself it returns for, so that its variables stay in processor
 * registers and every return is a chance for the engine to swap in the optimised code (WebAssembly has no on-stack
 * replacement).
 */

import { LAYOUT, TLB_ENTRIES } from "../hart/layout.ts";
import {
  block,
  blockTo,
  branch,
  branchTable,
  i32,
  i64,
  Label,
  loop,
  ModuleBuilder,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { InterpreterContext, type InterpreterFrame, TemporaryPool } from "./context.ts";
import { Exit } from "./exits.ts";
import { handlers } from "./records.ts";

/** The one export: executes from the record given, or from `pc` if that is 0, and answers an exit code. */
export type Interpret = (startRecord: number) => number;

const AT_ZERO = i32.constant(0);

export function generateInterpreter(stateOffset: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("guest", "memory", 1);
  const builder = module.exportFunction("interpret", ["i32"], ["i32"]);
  const start = builder.parameter(0, "i32");
  const record = builder.local("i32");
  const remaining = builder.local("i32");
  const exitCode = builder.local("i32");
  const pcBase = builder.local("i64");
  const target = builder.local("i64");
  const dataMode = builder.local("i64");
  const fetchMode = builder.local("i64");
  const entry = builder.local("i32");
  const temporaries = new TemporaryPool(builder);

  const at = (field: number): number => stateOffset + field;
  const recordAsPc = i64.extendU(i32.shrU(record.value, i32.constant(2)));

  /** Sets `record` and `pcBase` for the address in `target`, or leaves because it is not decoded. */
  const lookUp = sequence(
    entry.set(
      i32.and(i32.shrU(i32.wrap(target.value), i32.constant(8)), i32.constant((TLB_ENTRIES - 1) << 4)),
    ),
    when(
      i64.ne(
        i64.load(entry.value, at(LAYOUT.jumpCache)),
        i64.or(i64.and(target.value, i64.constant(-4096)), fetchMode.value),
      ),
      sequence(
        i64.store(AT_ZERO, target.value, at(LAYOUT.pc)),
        i32.store(AT_ZERO, remaining.value, at(LAYOUT.remaining)),
        returnValue(i32.constant(Exit.Fetch)),
      ),
    ),
    record.set(
      i32.add(
        i32.load(entry.value, at(LAYOUT.jumpCache + 8)),
        i32.shl(i32.and(i32.wrap(target.value), i32.constant(0xffe)), i32.constant(2)),
      ),
    ),
  );

  const dispatch = (frame: InterpreterFrame): Statement => {
    const undecoded = new Label("undecoded");
    const labels = handlers.map(({ instruction }) => new Label(instruction.name));
    const table = branchTable(i32.load16U(record.value, 0), [undecoded, ...labels], undecoded);
    const afterTable = handlers.map((handler) => new InterpreterContext(frame, handler).body());
    return nested([undecoded, ...labels], table, [
      sequence(exitCode.set(i32.constant(Exit.Fetch)), branch(frame.exit)),
      ...afterTable,
    ]);
  };

  const leave = sequence(
    i64.store(AT_ZERO, i64.add(pcBase.value, recordAsPc), at(LAYOUT.pc)),
    i32.store(AT_ZERO, record.value, at(LAYOUT.record)),
    i32.store(AT_ZERO, i32.add(remaining.value, i32.constant(1)), at(LAYOUT.remaining)),
    returnValue(exitCode.value),
  );

  builder.setBody(
    sequence(
      remaining.set(i32.load(AT_ZERO, at(LAYOUT.remaining))),
      target.set(i64.load(AT_ZERO, at(LAYOUT.pc))),
      dataMode.set(i64.load(AT_ZERO, at(LAYOUT.dataMode))),
      fetchMode.set(i64.load(AT_ZERO, at(LAYOUT.fetchMode))),
      block("exit", (exit) =>
        loop("jump", (jump) =>
          sequence(
            when(start.value, sequence(record.set(start.value), start.set(i32.constant(0))), lookUp),
            pcBase.set(i64.sub(target.value, recordAsPc)),
            loop("next", (next) =>
              sequence(
                remaining.set(i32.sub(remaining.value, i32.constant(1))),
                when(
                  i32.ltS(remaining.value, i32.constant(0)),
                  sequence(exitCode.set(i32.constant(Exit.Budget)), branch(exit)),
                ),
                dispatch({
                  stateOffset,
                  record,
                  pcBase,
                  remaining,
                  dataMode,
                  target,
                  exitCode,
                  temporaries,
                  jump,
                  next,
                  exit,
                }),
              ),
            ),
          ),
        ),
      ),
      leave,
    ),
  );
  return module.encode();
}

/** The blocks of a switch: `labels[i]` ends where `cases[i]` starts; every case leaves by itself. */
function nested(labels: readonly Label[], table: Statement, cases: readonly Statement[]): Statement {
  return labels.reduce((inner, label, index) => {
    const body = cases[index];
    if (body === undefined) throw new Error(`no case for ${label.name}`);
    return sequence(blockTo(label, inner), body);
  }, table);
}
