import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { pageNameOf } from "#results";
import { syntheticRun } from "#results/testing";
import { hashCode, Journal, type JournalKey, journalKey, journalOf, type Phase } from "./journal.ts";
import type { BenchPlan } from "./plan.ts";
import type { TrialOutcome } from "./runner/run-schedule.ts";
import { emptyReport, type ProcessReport } from "./suites/measurement.ts";

const folder = mkdtempSync(join(tmpdir(), "regionlab-journal-"));
const output = join(folder, "run.json");
const file = journalOf(output);
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));

const plan: BenchPlan = {
  suites: ["boot"],
  quick: true,
  forms: { A: "embedded", B: "owned" },
  convert: null,
  workloads: ["hello"],
  exactRepeats: false,
  repeats: 16,
  looks: [7, 11, 16],
  seconds: 100,
  seed: 1,
  count: true,
  shard: null,
  command: "npx regionlab bench",
};
const { command: _, ...planned } = plan;
const key: JournalKey = { plan: planned, code: "c0de", node: "20.20.0", cpuModel: "Processor" };

type Entry = readonly [phase: Phase, outcome: TrialOutcome<ProcessReport>];

function entry(phase: Phase, repeat: number, lost: string | null = null): Entry {
  const report = lost === null ? { ...emptyReport, slots: ["A2", "A", "B"] as const } : null;
  return [phase, { trial: { task: "boot/hello", repeat }, report, lost, milliseconds: 1.5 }];
}

/** Outcomes of a run, with non-ASCII text, so that the file may be cut inside a character. */
const ENTRIES: readonly Entry[] = [
  entry("proof", 0),
  entry("measure", 0),
  entry("measure", 1, "ended by SIGKILL: „schade“\n  second line"),
  entry("measure", 2),
];

function write(entries: readonly Entry[], journal = Journal.open(output, key, true)): void {
  for (const [phase, outcome] of entries) journal.add(phase, outcome);
}

function found({ earlier }: Journal): readonly Entry[] {
  return [
    ...earlier.proof.map((outcome): Entry => ["proof", outcome]),
    ...earlier.measure.map((outcome): Entry => ["measure", outcome]),
  ];
}

/** The lock is that of the page, which runs in `x.json` and `x.json.gz` share. */
const LOCK = `${pageNameOf(output)}.lock`;

describe("Journal", () => {
  it("begins empty, and resumes a run with the same key", () => {
    expect(found(Journal.open(output, key, false))).toEqual([]);
    write(ENTRIES);
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
  });

  it("starts over on request", () => {
    write(ENTRIES);
    expect(found(Journal.open(output, key, true))).toEqual([]);
    expect(found(Journal.open(output, key, false))).toEqual([]);
  });

  it.each<[string, JournalKey]>([
    ["another plan", { ...key, plan: { ...planned, seed: 2 } }],
    ["other code", { ...key, code: "beef" }],
    ["another Node", { ...key, node: "22.1.0" }],
    ["another processor", { ...key, cpuModel: "Other" }],
  ])("does not discard finished processes for %s, which would measure something else", (_, other) => {
    write(ENTRIES);
    expect(() => Journal.open(output, other, false)).toThrow(
      /holds 4 processes of an interrupted run.*--fresh/,
    );
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
    expect(found(Journal.open(output, other, true))).toEqual([]);
  });

  it("counts a process once, however often it appears", () => {
    write([...ENTRIES, ...ENTRIES.slice(1)]);
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
  });

  it.each([-3, 0, null, "7"])("repeats a process with a figure of %s", (figure) => {
    write(ENTRIES.slice(0, 2));
    const [phase, outcome] = entry("measure", 1);
    const estimates = { A: 1, B: figure, A2: 1 };
    const report = { ...outcome.report, measurements: [[{ estimates }]] };
    const journal = Journal.open(output, key, false);
    journal.add(phase, { ...outcome, report } as unknown as typeof outcome);
    journal.close();
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES.slice(0, 2));
  });

  it("repeats a process whose line was edited, says so, and keeps the lines after it", () => {
    write(ENTRIES);
    const lines = readFileSync(file, "utf8").split("\n");
    lines[2] = lines[2]?.replace('"repeat":', '"repeat":1') ?? "";
    writeFileSync(file, lines.join("\n"));
    const journal = Journal.open(output, key, false);
    expect(found(journal)).toEqual(ENTRIES.filter((_, i) => i !== 1));
    expect(journal.damaged).toBe(1);
  });

  it("refuses anything other than a regular file, without taking the lock", () => {
    rmSync(LOCK, { force: true });
    for (const make of [
      () => mkdirSync(file),
      () => symlinkSync("/dev/zero", file),
      () => execFileSync("mkfifo", [file]),
    ]) {
      rmSync(file, { recursive: true, force: true });
      make();
      for (const fresh of [false, true])
        expect(() => Journal.open(output, key, fresh)).toThrow(
          /is where this run keeps .*, but not a regular file; move/,
        );
      expect(existsSync(LOCK)).toBe(false);
    }
    rmSync(file, { recursive: true });
  });

  it("refuses an output that another running process is writing", () => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    try {
      writeFileSync(LOCK, `${other.pid}\n`);
      expect(() => Journal.open(output, key, true)).toThrow(/another run \(process \d+\) is writing there/);
    } finally {
      other.kill("SIGKILL");
    }
    writeFileSync(LOCK, "999999999\n"); // a process that cannot exist
    Journal.open(output, key, true).remove();
    expect(existsSync(LOCK)).toBe(false);
  });

  it("refuses a link to an output that another running process is writing, even before that exists", () => {
    const link = `${output.replace(/\.json$/, "")}-link.json`;
    symlinkSync(output, link);
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const linkLock = `${pageNameOf(link)}.lock`;
    try {
      writeFileSync(LOCK, `${other.pid}\n`);
      expect(() => Journal.open(link, key, true)).toThrow(/another run \(process \d+\) is writing there/);
      expect(existsSync(linkLock)).toBe(false);
    } finally {
      other.kill("SIGKILL");
    }
    rmSync(LOCK);
    const journal = Journal.open(link, key, true);
    expect([existsSync(linkLock), existsSync(LOCK)]).toEqual([true, true]);
    journal.remove();
    expect([existsSync(linkLock), existsSync(LOCK)]).toEqual([false, false]);
    rmSync(link);
  });

  it("interrupted at any byte, keeps the complete processes and accepts more", () => {
    write(ENTRIES);
    const bytes = readFileSync(file);
    const more = entry("measure", 9);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), (end) => {
        writeFileSync(file, bytes.subarray(0, end));
        const whole = bytes.subarray(0, end).filter((byte) => byte === 0x0a).length - 1;
        const expected = ENTRIES.slice(0, Math.max(0, whole));
        const journal = Journal.open(output, key, false);
        expect(found(journal)).toEqual(expected);
        // The run is resumed and interrupted again: its new lines must not be appended to the incomplete one.
        journal.add(...more);
        expect(found(Journal.open(output, key, false))).toEqual([...expected, more]);
      }),
      { numRuns: 200 },
    );
  });

  it("begins a new journal in an empty file", () => {
    writeFileSync(file, "");
    write(ENTRIES, Journal.open(output, key, false));
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
  });

  it.each([
    ["a foreign text", "hello\nworld\n"],
    ["JSON that is not a journal", 'null\n12\n"key"\n[]\n{}\n'],
    ["outcomes without a key", '{"phase":"measure","outcome":{}}\n'],
  ])("does not overwrite %s unless told to", (_, text) => {
    writeFileSync(file, text);
    expect(() => Journal.open(output, key, false)).toThrow(/holds something that is not a journal.*--fresh/);
    expect(readFileSync(file, "utf8")).toBe(text);
    write(ENTRIES, Journal.open(output, key, true));
    expect(found(Journal.open(output, key, false))).toEqual(ENTRIES);
  });

  it("skips foreign lines", () => {
    for (const foreign of ["null", "{}", "7", '{"phase":"other","outcome":{}}', "}{"]) {
      write(ENTRIES.slice(0, 2));
      appendFileSync(file, `${foreign}\n`);
      const journal = Journal.open(output, key, false);
      expect(found(journal)).toEqual(ENTRIES.slice(0, 2));
      write(ENTRIES.slice(2), journal);
      const again = Journal.open(output, key, false);
      expect(found(again)).toEqual(ENTRIES);
      expect(again.damaged).toBe(1);
    }
  });

  it("is gone when the run is stored", () => {
    const journal = Journal.open(output, key, false);
    expect(existsSync(file)).toBe(true);
    journal.remove();
    expect(existsSync(file)).toBe(false);
    journal.remove();
  });
});

describe("journalKey", () => {
  const [machine] = syntheticRun().machines;
  if (machine === undefined) throw new RangeError("a run has a machine");
  const code = join(folder, "code");

  beforeEach(() => {
    rmSync(code, { recursive: true, force: true });
    mkdirSync(join(code, "measured"), { recursive: true });
    mkdirSync(join(code, "statistics"));
    writeFileSync(join(code, "child.js"), "1");
    writeFileSync(join(code, "measured", "embedded.js"), "2");
    writeFileSync(join(code, "statistics", "index.js"), "3");
  });

  it("does not depend on how the command was typed, on dates or on load", () => {
    const one = journalKey(plan, machine, code);
    const other = journalKey(
      { ...plan, command: "npx regionlab bench --quick" },
      { ...machine, date: "2030-01-01T00:00:00.000Z", loadBefore: [9, 9, 9] },
      code,
    );
    expect(other).toEqual(one);
  });

  it("changes with the code that measured processes run, and with no other code", () => {
    const before = hashCode(code);
    writeFileSync(join(code, "statistics", "index.js"), "other");
    expect(hashCode(code)).toBe(before);
    writeFileSync(join(code, "measured", "embedded.js"), "other");
    expect(hashCode(code)).not.toBe(before);
  });
});
