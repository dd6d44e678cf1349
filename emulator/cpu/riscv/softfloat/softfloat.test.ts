import { afterAll, expect, test } from "vitest";
import {
  CASE,
  CASE_BYTES,
  caseCount,
  describeCase,
  FloatReference,
  referenceMissing,
} from "../testing/float-reference.ts";
import { type ExecuteSoftFloat, generateSoftFloat, softFloatOperations } from "./module.ts";

const missing = referenceMissing();
const reference = missing ? undefined : new FloatReference();
afterAll(() => reference?.dispose());

const FLAGS = 0;
const RESULT = 8;
const CASES = 65_536;

const memory = new WebAssembly.Memory({ initial: 64 });
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(generateSoftFloat(FLAGS)), {
  guest: { memory },
});
const execute = exports.execute as ExecuteSoftFloat; // as documented there
const words = new Int32Array(memory.buffer);

/** Offset of the first case whose result or flags differ, or -1. */
function firstDifference(operation: number, cases: Uint8Array): number {
  new Uint8Array(memory.buffer).set(cases, CASES);
  for (let offset = 0; offset < cases.length; offset += CASE_BYTES) {
    const at = CASES + offset;
    words[FLAGS / 4] = 0;
    execute(operation, RESULT, at, at + 8, at + 16, words[(at + CASE.mode) / 4] ?? 0);
    if (
      words[RESULT / 4] !== words[(at + CASE.result) / 4] ||
      words[RESULT / 4 + 1] !== words[(at + CASE.result) / 4 + 1] ||
      words[FLAGS / 4] !== words[(at + CASE.flags) / 4]
    ) {
      return offset;
    }
  }
  return -1;
}

const hexResult = (): string =>
  new DataView(memory.buffer).getBigUint64(RESULT, true).toString(16).padStart(16, "0");

test.skipIf(missing).for(softFloatOperations.map(({ name }, index) => [name, index] as const))(
  "%s has the same results and flags as the host's processor in every rounding mode",
  { timeout: 600_000 },
  async ([name, operation]) => {
    const count = caseCount(50_000);
    let seen = 0;
    for await (const cases of reference?.cases(name, "all", count) ?? []) {
      const offset = firstDifference(operation, cases);
      if (offset >= 0) {
        expect.fail(`${describeCase(cases, offset)}; ours ${hexResult()}, flags ${words[FLAGS / 4]}`);
      }
      seen += cases.length / CASE_BYTES;
    }
    expect(seen).toBe(count);
  },
);
