/**
 * Floating-point arithmetic in integers, with exact results and flags in every rounding mode: a WebAssembly module
 * generated from the building blocks in this folder. It computes what generated code leaves to the host.
 *
 * Each operation is a function of three 64-bit operands and a rounding mode, exported under the name of its
 * instruction, so that other modules can import it; single-precision values are zero-extended there. `execute` does the
 * same for TypeScript, from and to memory, so that no number becomes a bigint.
 */
import {
  blockTo,
  branch,
  branchTable,
  call,
  choose,
  type Expression,
  i32,
  i64,
  Label,
  type Statement,
  sequence,
} from "../wasm/index.ts";
import { defineArithmetic } from "./arithmetic.ts";
import { defineComparisons } from "./comparisons.ts";
import { defineConversions } from "./conversions.ts";
import { double, single } from "./format.ts";
import { defineFused } from "./fused.ts";
import { SoftFloatKit } from "./kit.ts";

/** What an operand or result is: single, double, or an integer register. */
type OperandKind = "s" | "d" | "x";

interface OperationShape {
  readonly name: string;
  readonly source: OperandKind;
  readonly result: OperandKind;
}

const shapesOf = (suffix: "s" | "d"): readonly OperationShape[] => [
  ..."fadd fsub fmul fdiv fsqrt fmin fmax fmadd fmsub fnmsub fnmadd"
    .split(" ")
    .map((name): OperationShape => ({ name: `${name}.${suffix}`, source: suffix, result: suffix })),
  ..."feq flt fle fclass"
    .split(" ")
    .map((name): OperationShape => ({ name: `${name}.${suffix}`, source: suffix, result: "x" })),
  ..."w wu l lu".split(" ").flatMap((kind): OperationShape[] => [
    { name: `fcvt.${kind}.${suffix}`, source: suffix, result: "x" },
    { name: `fcvt.${suffix}.${kind}`, source: "x", result: suffix },
  ]),
];

/** All operations; `execute` takes an index into this. */
export const softFloatOperations: readonly OperationShape[] = [
  ...shapesOf("s"),
  ...shapesOf("d"),
  { name: "fcvt.s.d", source: "d", result: "s" },
  { name: "fcvt.d.s", source: "s", result: "d" },
];

/**
 * Executes operation `operation`: operands and result are 8-byte registers at the given WebAssembly addresses, singles
 * boxed. The mode is 0 to 4.
 */
export type ExecuteSoftFloat = (
  operation: number,
  result: number,
  first: number,
  second: number,
  third: number,
  mode: number,
) => void;

/**
 * Generates the module; flags accrue in the 32-bit word at `flagsAddress` of the memory that it imports as
 * `guest.memory`.
 */
export function generateSoftFloat(flagsAddress: number): Uint8Array<ArrayBuffer> {
  const kit = new SoftFloatKit(flagsAddress);
  for (const [format, suffix] of [
    [single, "s"],
    [double, "d"],
  ] as const) {
    defineArithmetic(kit, format, suffix);
    defineFused(kit, format, suffix);
    defineComparisons(kit, format, suffix);
  }
  defineConversions(kit);
  defineExecute(kit);
  return kit.module.encode();
}

function defineExecute(kit: SoftFloatKit): void {
  const builder = kit.module.exportFunction("execute", ["i32", "i32", "i32", "i32", "i32", "i32"], []);
  const parameter = (index: number): Expression<"i32"> => builder.parameter(index, "i32").value;
  const mode = parameter(5);
  const done = new Label("done");
  const labels = softFloatOperations.map(({ name }) => new Label(name));
  const table = branchTable(parameter(0), labels, done);
  const body = softFloatOperations.reduce((inner, { name, source, result }, index): Statement => {
    const callee = kit.operations.get(name);
    const label = labels[index];
    if (callee === undefined || label === undefined) throw new Error(`no operation ${name}`);
    const operands = [2, 3, 4].map((number) => operand(source, parameter(number)));
    const value = call(callee, "i64", ...operands, mode);
    const bits = result === "s" ? i64.or(value, i64.constant(BOX)) : value;
    return sequence(blockTo(label, inner), i64.store(parameter(1), bits), branch(done));
  }, table);
  builder.setBody(blockTo(done, body));
}

/** The ones above a NaN-boxed single-precision value. */
const BOX = -(2n ** 32n);

/** The bits of an operand; a register without a boxed single counts as the canonical NaN. */
function operand(kind: OperandKind, address: Expression<"i32">): Expression<"i64"> {
  if (kind !== "s") return i64.load(address);
  return choose(
    i32.eq(i32.load(address, 4), i32.constant(-1)),
    i64.load32U(address),
    i64.constant(single.canonicalNan),
  );
}
