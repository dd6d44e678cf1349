import { describe, expect, it } from "vitest";
import { CommandError } from "./command-error.ts";
import { parseRun } from "./parse.ts";
import { isRecord } from "./reader.ts";
import { serializeRun } from "./store.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const text = serializeRun(syntheticRun());

describe("parseRun", () => {
  it("reads what is written, unchanged", () => {
    expect(parseRun(text, "run.json")).toEqual(syntheticRun());
    expect(serializeRun(parseRun(text, "run.json"))).toBe(text);
  });

  it.each([
    ["", /run\.json: is empty; give a file/],
    ["hello", /run\.json: is not JSON; give a file/],
    [text.slice(0, 2000), /run\.json: ends in the middle .*again/],
    ["[]", /run\.json: is JSON but not a benchmark run/],
    ['{"name":"regionlab"}', /run\.json: is JSON but not a benchmark run/],
    [text.replace('"version": 2', '"version": 3'), /written by a newer regionlab \(format 3, .*update/],
    [text.replace('"version": 2', '"version": 1'), /has format 1, this regionlab reads 2; measure again/],
    [text.replace('"version": 2', '"version": "one"'), /\$\.version is "one", expected a finite number/],
  ])("refuses input %#", (input, message) => {
    expect(failure(input)).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });

  it("names file, JSON path, what stands there and what belongs there", () => {
    const damaged = change((run) => set(run, ["metrics", 2, "samples", "B", 1], "fast"));
    expect(failure(damaged).message).toBe(
      'run.json: $.metrics[2].samples.B[1] is "fast", expected a finite number; ' +
        "the file was edited or damaged: restore it, or run `regionlab bench -o` again",
    );
  });

  it.each([
    [["question"], undefined, /\$\.question is missing, expected a string/],
    [
      ["options", "suites", 0],
      "speed",
      /\$\.options\.suites\[0\] is "speed", expected one of: boot, dispatch/,
    ],
    [["environment", "date"], "yesterday", /\$\.environment\.date .* a date in ISO 8601/],
    [["equivalence", 0, "records", "A", "consoleSha256"], "ab", /a SHA-256 in 64 hexadecimal digits/],
    [["equivalence", 0, "records", "A", "instructions"], 1.5, /a whole number from 0/],
    [
      ["metrics", 0, "samples", "A2"],
      [],
      /\$\.metrics\[0\]\.samples\.A2 is an array of 0, expected at least one/,
    ],
    [["metrics", 0, "outliers", "B"], ["none"], /\$\.metrics\[0\]\.outliers\.B .* 10 items, one per sample/],
    [["metrics", 0, "comparison", "ab", "low"], 99, /an interval whose low end is not above its high end/],
    [["equivalence", 0, "equal"], false, /\$\.metrics .* no metrics, because an equivalence proof failed/],
  ])("checks %j", (path, value, message) => {
    expect(failure(change((run) => set(run, path, value))).message).toMatch(message);
  });

  it("accepts a failed run, which has no metrics", () => {
    const failed = syntheticRun({ notEquivalent: true });
    expect(parseRun(serializeRun(failed), "run.json")).toEqual(failed);
  });
});

function failure(input: string): CommandError {
  try {
    parseRun(input, "run.json");
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

function change(edit: (run: unknown) => void): string {
  const run: unknown = JSON.parse(text);
  edit(run);
  return JSON.stringify(run);
}

/** Puts a value at a path of keys and indices; undefined removes it when written as JSON. */
function set(target: unknown, path: readonly (string | number)[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) throw new Error("empty path");
  if (!isRecord(target) && !Array.isArray(target)) throw new Error(`nothing at ${key}`);
  if (rest.length > 0) set(Reflect.get(target, key), rest, value);
  else Reflect.set(target, key, value);
}
