import { expect, test } from "vitest";
import { ByteWriter } from "./bytes.ts";
import { CodeWriter } from "./code.ts";
import {
  block,
  blockTo,
  branch,
  branchIf,
  branchTable,
  call,
  choose,
  type Expression,
  f32,
  f64,
  i32,
  i64,
  Label,
  loop,
  ModuleBuilder,
  returnValue,
  sequence,
  unreachable,
  when,
} from "./index.ts";

function encoded(write: (writer: ByteWriter) => void): number[] {
  const writer = new ByteWriter();
  write(writer);
  return [...writer.toUint8Array()];
}

test("unsigned LEB128", () => {
  expect(encoded((w) => w.unsigned(0))).toEqual([0]);
  expect(encoded((w) => w.unsigned(127))).toEqual([0x7f]);
  expect(encoded((w) => w.unsigned(128))).toEqual([0x80, 0x01]);
  // The example of the DWARF specification, where LEB128 comes from.
  expect(encoded((w) => w.unsigned(624485))).toEqual([0xe5, 0x8e, 0x26]);
  expect(encoded((w) => w.unsigned(0xffffffff))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
});

test("signed LEB128", () => {
  expect(encoded((w) => w.signed32(63))).toEqual([0x3f]);
  expect(encoded((w) => w.signed32(64))).toEqual([0xc0, 0x00]);
  expect(encoded((w) => w.signed32(-64))).toEqual([0x40]);
  expect(encoded((w) => w.signed32(-123456))).toEqual([0xc0, 0xbb, 0x78]);
  expect(encoded((w) => w.signed64(-1n))).toEqual([0x7f]);
  expect(encoded((w) => w.signed64(1n << 63n))).toEqual([
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f,
  ]);
});

/** Compiles a function of two i64 parameters and returns it. */
function compile(
  build: (
    a: Expression<"i64">,
    b: Expression<"i64">,
    module: ReturnType<ModuleBuilder["exportFunction"]>,
  ) => Parameters<ReturnType<ModuleBuilder["exportFunction"]>["setBody"]>[0],
): (a: bigint, b: bigint) => bigint {
  const module = new ModuleBuilder();
  module.importMemory("test", "memory", 1);
  const builder = module.exportFunction("run", ["i64", "i64"], ["i64"]);
  builder.setBody(build(builder.parameter(0, "i64").value, builder.parameter(1, "i64").value, builder));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { test: { memory } });
  return instance.exports.run as (a: bigint, b: bigint) => bigint; // exported just above
}

test("a loop with a conditional exit", () => {
  const power = compile((base, exponent, builder) => {
    const result = builder.local("i64");
    const left = builder.local("i64");
    return sequence(
      result.set(i64.constant(1)),
      left.set(exponent),
      block("done", (done) =>
        loop("again", (again) =>
          sequence(
            branchIf(i64.eqz(left.value), done),
            result.set(i64.mul(result.value, base)),
            left.set(i64.sub(left.value, i64.constant(1))),
            branch(again),
          ),
        ),
      ),
      returnValue(result.value),
    );
  });
  expect(power(3n, 20n)).toBe(3n ** 20n);
  expect(power(2n, 0n)).toBe(1n);
});

test("a jump table with nested blocks", () => {
  const select = compile((index) => {
    const [first, second] = [new Label("first"), new Label("second")];
    return sequence(
      blockTo(
        second,
        sequence(
          blockTo(first, branchTable(i32.wrap(index), [first], second)),
          returnValue(i64.constant(100)),
        ),
      ),
      returnValue(i64.constant(200)),
    );
  });
  expect([0n, 1n, 77n].map((index) => select(index, 0n))).toEqual([100n, 200n, 200n]);
});

test("memory accesses have offsets and widths", () => {
  const swapped = compile((a, b) =>
    sequence(
      i64.store(i32.constant(0), a, 1024),
      i64.store32(i32.constant(8), b, 1020),
      returnValue(i64.load(i32.constant(1024))),
    ),
  );
  expect(swapped(0x1111111122222222n, 0xaaaaaaaabbbbbbbbn)).toBe(BigInt.asIntN(64, 0xbbbbbbbb22222222n));
});

test("only the chosen value is computed", () => {
  const guarded = compile((a, b) => returnValue(choose(i64.eqz(b), i64.constant(-1), i64.divU(a, b))));
  expect(guarded(7n, 0n)).toBe(-1n);
  expect(guarded(7n, 2n)).toBe(3n);
});

test("when without an alternative, and unreachable", () => {
  const positive = compile((a) => sequence(when(i64.ltS(a, i64.constant(0)), unreachable), returnValue(a)));
  expect(positive(5n, 0n)).toBe(5n);
  expect(() => positive(-5n, 0n)).toThrow(WebAssembly.RuntimeError);
});

test("a branch to a label that does not enclose it is an error that names it", () => {
  expect(() => branch(new Label("elsewhere")).emit(new CodeWriter())).toThrow(/"elsewhere"/);
});

test("floating-point constants, bits and conversions", () => {
  const bits = compile((a) => returnValue(f64.toBits(f64.add(f64.fromBits(a), f64.constant(0.5)))));
  expect(bits(0x3ff0000000000000n, 0n)).toBe(0x3ff8000000000000n);
  const rounded = compile((a) => returnValue(i64.extendU(f32.toBits(f32.demote(f64.fromBits(a))))));
  // One tenth in both formats.
  expect(rounded(0x3fb999999999999an, 0n)).toBe(0x3dcccccdn);
  const saturated = compile((a) => returnValue(i64.extendS(f64.toI32S(f64.fromBits(a)))));
  expect(saturated(0x7ff0000000000000n, 0n)).toBe(2n ** 31n - 1n);
  expect(saturated(0x7ff8000000000000n, 0n)).toBe(0n);
});

test("a function calls another of its module, with operands of its types", () => {
  const module = new ModuleBuilder();
  module.importMemory("test", "memory", 1);
  const square = module.exportFunction("square", ["i64"], ["i64"]);
  const x = square.parameter(0, "i64").value;
  square.setBody(returnValue(i64.mul(x, x)));
  const fourth = module.exportFunction("fourth", ["i64"], ["i64"]);
  const y = fourth.parameter(0, "i64").value;
  fourth.setBody(returnValue(call(square, "i64", call(square, "i64", y))));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { test: { memory } });
  expect((exports.fourth as (x: bigint) => bigint)(3n)).toBe(81n); // exported just above
  expect(() => call(square, "i64", i32.constant(1))).toThrow(/takes i64, not i32/);
  expect(() => call(square, "i32", i64.constant(1))).toThrow(/no single result of type i32/);
});

test("a parameter must be requested with its type", () => {
  const builder = new ModuleBuilder().exportFunction("f", ["i32"], []);
  expect(() => builder.parameter(0, "i64")).toThrow(/not of type i64/);
  expect(() => builder.encode()).toThrow(/without a body/);
});
