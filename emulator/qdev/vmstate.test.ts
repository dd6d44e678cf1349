import { describe, expect, it } from "vitest";
import { Clock } from "./clock.ts";
import { IrqLine } from "./irq.ts";
import {
  fieldsNotRepeated,
  loadFields,
  type SavedFields,
  type SavedValue,
  saveFields,
  type VmState,
  type VmStateFields,
} from "./vmstate.ts";

const clock = new Clock(() => 0, 0n);

class Sample {
  flag = false;
  byte = 0;
  count = 0;
  wide = 0n;
  bytes = new Uint8Array(3);
  words = new Uint32Array(2);
  blob = new Uint8Array();
  blobs: Uint8Array[] = [];
  line = new IrqLine();
  lines = [new IrqLine(), new IrqLine()];
  timer = clock.timer(() => {});
  inner = { depth: 0 };

  static readonly fields: VmStateFields = {
    flag: "bool",
    byte: "uint8",
    count: "int",
    wide: "uint64",
    bytes: "bytes",
    words: "uint32s",
    blob: "blob",
    blobs: "blobs",
    line: "irq",
    lines: "irqs",
    timer: "timer",
    inner: { depth: "uint32" },
  };
}

function filled(): Sample {
  const sample = new Sample();
  Object.assign(sample, { flag: true, byte: 255, count: -1, wide: 2n ** 64n - 1n });
  sample.bytes.set([1, 2, 255]);
  sample.words.set([7, 2 ** 32 - 1]);
  sample.blob = Uint8Array.of(0, 255, 3);
  sample.blobs = [Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)];
  sample.line.level = true;
  sample.lines[1]?.raise();
  sample.timer.set(1e20);
  sample.inner.depth = 5;
  return sample;
}

const load = (sample: Sample, saved: SavedValue) => loadFields(sample, Sample.fields, saved, "sample");

describe("the state of a class", () => {
  const state = (...names: string[]): VmState => ({
    name: "test",
    version: 1,
    fields: Object.fromEntries(names.map((name) => [name, "int"])),
  });
  class Plain {
    static readonly vmState: VmState | null = null;
    volume = 0;
  }
  class Beeper extends Plain {
    static override readonly vmState: VmState | null = state("pitch", "volume");
  }
  class Silent extends Beeper {}

  it("replaces that of the base, whose fields it must repeat", () => {
    class Loud extends Silent {
      static override readonly vmState = state("volume", "extra");
    }
    class Whole extends Beeper {
      static override readonly vmState = state("pitch", "volume", "extra");
    }
    expect(fieldsNotRepeated(Loud)).toEqual(["Beeper.pitch"]);
    for (const type of [Plain, Beeper, Silent, Whole]) expect(fieldsNotRepeated(type)).toEqual([]);
  });
});

describe("fields", () => {
  it("are restored unchanged, through JSON", () => {
    const saved: SavedFields = JSON.parse(JSON.stringify(saveFields(filled(), Sample.fields)));
    const copy = new Sample();
    for (const step of load(copy, saved)) step();
    expect(saveFields(copy, Sample.fields)).toEqual(saved);
    expect([copy.blob, copy.blobs]).toEqual([filled().blob, filled().blobs]);
    expect([copy.wide, [...copy.words], copy.lines.map(({ level }) => level), copy.timer.deadline]).toEqual([
      2n ** 64n - 1n,
      [7, 2 ** 32 - 1],
      [false, true],
      1e20,
    ]);
  });

  it.each<[string, SavedValue, RegExp]>([
    ["flag", 1, /sample\.flag has an invalid value: expected bool/],
    ["byte", 256, /sample\.byte .*uint8/],
    ["byte", -1, /sample\.byte/],
    ["byte", 0.5, /sample\.byte/],
    ["wide", "0x10000000000000000", /sample\.wide/],
    ["wide", 3, /sample\.wide/],
    ["bytes", "AQI=", /sample\.bytes/],
    ["words", [1], /sample\.words/],
    ["blob", [1], /sample\.blob .*blob/],
    ["blobs", "AQI=", /sample\.blobs/],
    ["blobs", [1], /sample\.blobs/],
    ["words", [1, 2 ** 32], /sample\.words/],
    ["lines", [true], /sample\.lines/],
    ["timer", { deadline: -1, turn: 0 }, /sample\.timer/],
    ["inner", {}, /sample\.inner lacks the field "depth"/],
    ["other", 1, /sample has an unknown field "other"/],
  ])("%s = %j is refused, and nothing has changed", (name, value, message) => {
    const sample = filled();
    const before = saveFields(sample, Sample.fields);
    expect(() => load(sample, { ...before, [name]: value })).toThrow(message);
    expect(saveFields(sample, Sample.fields)).toEqual(before);
  });

  it("of another kind than declared are a defect of the device", () => {
    expect(() => saveFields(new Sample(), { byte: "bool" })).toThrow(/Sample\.byte is declared as bool/);
    for (const wide of [2n ** 64n, -1n])
      expect(() => saveFields(Object.assign(new Sample(), { wide }), { wide: "uint64" })).toThrow(
        /Sample\.wide is declared as uint64, but its value is of another kind, out of range, or missing/,
      );
    const misspelled = { byte: "unit8" } as unknown as VmStateFields; // as a program without types may have it
    expect(() => saveFields(new Sample(), misspelled)).toThrow(
      /Sample\.byte is declared as unit8; kinds are bool, uint8, /,
    );
    expect(() => saveFields(new Sample(), { missing: "int" })).toThrow(/Sample\.missing/);
  });
});

it("timers that are due at once fire in the order in which they were set, before and after", () => {
  const fired: string[] = [];
  const timersOf = (by: Clock) => ["a", "b", "c"].map((name) => by.timer(() => fired.push(name)));
  const first = new Clock(() => 10, 0n);
  const [a, b, c] = timersOf(first);
  for (const timer of [c, a, b]) timer?.set(5);
  const second = new Clock(() => 10, 0n);
  const copies = timersOf(second);
  for (const [index, timer] of [a, b, c].entries()) {
    const saved = timer?.save();
    if (saved) copies[index]?.restore(saved.deadline, saved.turn);
  }
  first.runExpired();
  second.runExpired();
  expect(fired).toEqual(["c", "a", "b", "c", "a", "b"]);
});
