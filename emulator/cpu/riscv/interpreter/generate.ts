/**
 * The interpreter, generated from the instruction table: a loop around one jump table over the operations of decoded
 * records. It never calls out, but returns for what it cannot do itself. Its variables thus stay in processor
 * registers, and every return lets the engine switch to optimised code (WebAssembly has no on-stack replacement).
 */

import { Exit } from "../codegen/exits.ts";
import { TemporaryPool } from "../codegen/temporaries.ts";
import { ENTRIES_OFFSET, LAYOUT, RECORD_BYTES, TLB_ENTRIES, UNIT_ENTRY } from "../hart/layout.ts";
import {
  block,
  blockTo,
  branch,
  branchTable,
  type Expression,
  i32,
  i64,
  Label,
  loop,
  ModuleBuilder,
  nothing,
  returnCall,
  returnCallIndirect,
  returnValue,
  type Statement,
  sequence,
  when,
} from "../wasm/index.ts";
import { InterpreterContext, type InterpreterFrame } from "./context.ts";
import { handlers } from "./records.ts";

/** Executes from the given record, or from `pc` if that is 0, and returns an exit code. */
export type Interpret = (startRecord: number) => number;

/** Signature of functions in the table of units: address of the next instruction, instructions left; an exit code. */
export const UNIT_PARAMETERS = ["i64", "i32"] as const;
export const UNIT_RESULTS = ["i32"] as const;

const HALFWORDS_PER_PAGE = 2048;

/** Index of the function `run` in its module. */
const RUN = 0;

/**
 * Settings of a machine's first processor; the build generates this interpreter beforehand. Translating code costs as
 * much as interpreting it thousands of times, hence the number of arrivals.
 */
export const USUAL = { stateOffset: 0, hotArrivals: 20_000 } as const;

/** In place of a start record: look `pc` up, but do not check whether it is translated. */
const UNTRANSLATED = 1;

const AT_ZERO = i32.constant(0);

/**
 * Generates the interpreter of the hart whose block is at `stateOffset`. With a translator, it counts the arrivals of
 * jumps, continues in translated code where there is any, and exports the functions that units leave for.
 *
 * @param hotArrivals arrivals that make a place hot; undefined without a translator
 */
export function generateInterpreter(stateOffset: number, hotArrivals?: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("guest", "memory", 1);
  const unit = module.signature(UNIT_PARAMETERS, UNIT_RESULTS);
  if (hotArrivals !== undefined) module.importTable("guest", "units", 1);

  const builder = module.exportFunction("run", ["i64", "i32", "i32"], ["i32"]);
  const target = builder.parameter(0, "i64");
  const remaining = builder.parameter(1, "i32");
  const start = builder.parameter(2, "i32");
  const record = builder.local("i32");
  const page = builder.local("i32");
  const exitCode = builder.local("i32");
  const pcBase = builder.local("i64");
  const dataMode = builder.local("i64");
  const fetchMode = builder.local("i64");
  const entry = builder.local("i32");
  const temporaries = new TemporaryPool(builder);

  const at = (field: number): number => stateOffset + field;
  const recordAsPc = i64.extendU(i32.shrU(record.value, i32.constant(2)));

  /** Sets `record` and `page` for the address in `target`, or leaves if it is not decoded. */
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
    page.set(i32.load(entry.value, at(LAYOUT.jumpCache + 8))),
    record.set(
      i32.add(page.value, i32.shl(i32.and(i32.wrap(target.value), i32.constant(0xffe)), i32.constant(2))),
    ),
  );

  /** Whether the current record is not one of the page's: execution ran off its end, or left a single instruction. */
  const beyondPage = i32.geU(
    i32.sub(record.value, page.value),
    i32.constant(HALFWORDS_PER_PAGE * RECORD_BYTES),
  );

  const dispatch = (frame: InterpreterFrame): Statement => {
    const undecoded = new Label("undecoded");
    const labels = handlers.map(({ instruction }) => new Label(instruction.name));
    const table = branchTable(i32.load16U(record.value, 0), [undecoded, ...labels], undecoded);
    const afterTable = handlers.map((handler) => new InterpreterContext(frame, handler).body());
    return nested([undecoded, ...labels], table, [
      sequence(
        when(
          beyondPage,
          sequence(
            remaining.set(i32.add(remaining.value, i32.constant(1))),
            target.set(i64.add(pcBase.value, recordAsPc)),
            branch(frame.jump),
          ),
        ),
        exitCode.set(i32.constant(Exit.Fetch)),
        branch(frame.exit),
      ),
      ...afterTable,
    ]);
  };

  /** Leaves before the current instruction; `uncount` is 1 if it has been counted already. */
  const leave = (code: Expression<"i32">, uncount: number): Statement =>
    sequence(
      i64.store(AT_ZERO, i64.add(pcBase.value, recordAsPc), at(LAYOUT.pc)),
      i32.store(AT_ZERO, record.value, at(LAYOUT.record)),
      i32.store(AT_ZERO, i32.add(remaining.value, i32.constant(uncount)), at(LAYOUT.remaining)),
      returnValue(code),
    );

  /** Enters the unit that begins at the current record, or counts one more arrival. */
  const consult = (hot: number): Statement =>
    sequence(
      entry.set(i32.add(page.value, i32.shrU(i32.sub(record.value, page.value), i32.constant(2)))),
      exitCode.set(i32.load16U(entry.value, ENTRIES_OFFSET)),
      when(
        i32.geU(exitCode.value, i32.constant(hot)),
        sequence(
          when(
            i32.geU(exitCode.value, i32.constant(UNIT_ENTRY)),
            returnCallIndirect(unit, i32.sub(exitCode.value, i32.constant(UNIT_ENTRY)), [
              i64.add(pcBase.value, recordAsPc),
              remaining.value,
            ]),
          ),
          i32.store16(entry.value, i32.constant(0), ENTRIES_OFFSET),
          i32.store(AT_ZERO, page.value, at(LAYOUT.page)),
          leave(i32.constant(Exit.Hot), 0),
        ),
      ),
      i32.store16(entry.value, i32.add(exitCode.value, i32.constant(1)), ENTRIES_OFFSET),
    );

  const arrived =
    hotArrivals === undefined ? nothing : when(start.value, start.set(i32.constant(0)), consult(hotArrivals));

  builder.setBody(
    sequence(
      dataMode.set(i64.load(AT_ZERO, at(LAYOUT.dataMode))),
      fetchMode.set(i64.load(AT_ZERO, at(LAYOUT.fetchMode))),
      block("exit", (exit) =>
        loop("jump", (jump) =>
          sequence(
            when(
              i32.gtU(start.value, i32.constant(UNTRANSLATED)),
              sequence(record.set(start.value), page.set(i32.load(AT_ZERO, at(LAYOUT.page)))),
              lookUp,
            ),
            hotArrivals === undefined ? start.set(i32.constant(0)) : nothing,
            pcBase.set(i64.sub(target.value, recordAsPc)),
            loop("arrive", (arrive) =>
              sequence(
                arrived,
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
                      fetchMode,
                      target,
                      exitCode,
                      temporaries,
                      jump,
                      arrive,
                      next,
                      exit,
                    }),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
      leave(exitCode.value, 1),
    ),
  );

  const interpret = module.exportFunction("interpret", ["i32"], ["i32"]);
  interpret.setBody(
    returnCall(RUN, [
      i64.load(AT_ZERO, at(LAYOUT.pc)),
      i32.load(AT_ZERO, at(LAYOUT.remaining)),
      interpret.parameter(0, "i32").value,
    ]),
  );
  if (hotArrivals !== undefined) {
    exportJump(module, unit, stateOffset);
    const finish = module.exportFunction("finish", UNIT_PARAMETERS, UNIT_RESULTS);
    const operands = [finish.parameter(0, "i64").value, finish.parameter(1, "i32").value];
    finish.setBody(returnCall(RUN, [...operands, i32.constant(UNTRANSLATED)]));
  }
  return module.encode();
}

/** Exports what units leave for: it continues at an address, in the unit that begins there or in the interpreter. */
function exportJump(module: ModuleBuilder, unit: number, stateOffset: number): void {
  const builder = module.exportFunction("jump", UNIT_PARAMETERS, UNIT_RESULTS);
  const pc = builder.parameter(0, "i64").value;
  const remaining = builder.parameter(1, "i32").value;
  const entry = builder.local("i32");
  const low = i32.wrap(pc);
  const at = (field: number): number => stateOffset + field;
  const tag = i64.or(i64.and(pc, i64.constant(-4096)), i64.load(AT_ZERO, at(LAYOUT.fetchMode)));
  const records = i32.load(entry.value, at(LAYOUT.jumpCache + 8));
  builder.setBody(
    sequence(
      entry.set(i32.and(i32.shrU(low, i32.constant(8)), i32.constant((TLB_ENTRIES - 1) << 4))),
      when(
        i64.eq(i64.load(entry.value, at(LAYOUT.jumpCache)), tag),
        sequence(
          entry.set(i32.load16U(i32.add(records, i32.and(low, i32.constant(0xffe))), ENTRIES_OFFSET)),
          when(
            i32.geU(entry.value, i32.constant(UNIT_ENTRY)),
            returnCallIndirect(unit, i32.sub(entry.value, i32.constant(UNIT_ENTRY)), [pc, remaining]),
          ),
        ),
      ),
      returnCall(RUN, [pc, remaining, i32.constant(0)]),
    ),
  );
}

/** The blocks of a switch: `labels[i]` ends where `cases[i]` starts; every case must leave by itself. */
function nested(labels: readonly Label[], table: Statement, cases: readonly Statement[]): Statement {
  return labels.reduce((inner, label, index) => {
    const body = cases[index];
    if (body === undefined) throw new Error(`no case for ${label.name}`);
    return sequence(blockTo(label, inner), body);
  }, table);
}
