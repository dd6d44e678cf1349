/** Sources that are no complete C: every command ends, and nothing that may be misunderstood is converted. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { auditTree } from "./audit.ts";
import { censusOf, censusOfBack } from "./census.ts";
import { lex } from "./passes/1-lex.ts";
import { convertToEmbedded, convertToOwned } from "./pipeline.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const scratch = mkdtempSync(join(tmpdir(), "regionlab-c-unpaired-"));
const path = join(scratch, "device.c");
afterAll(() => rmSync(scratch, { recursive: true }));

/** What all commands make of a text: the conversions' results. */
function everything(text: string): string[] {
  writeFileSync(path, text, "latin1");
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    auditTree([path]);
    const owned = convertToOwned([path]);
    const embedded = convertToEmbedded([path]);
    censusOf(owned);
    censusOfBack(embedded);
    convertToOwned([path], undefined, { reversible: true });
    return [...owned.changes.values(), ...embedded.changes.values()];
  } finally {
    told.mockRestore();
  }
}

const sources = readdirSync(fixtures)
  .filter((name) => name.endsWith(".c"))
  .map((name) => readFileSync(join(fixtures, name), "latin1"));

/** Deletes, repeats or inserts tokens of a text, or cuts it off. */
function damaged(text: string, faults: readonly { at: number; kind: string }[]): string {
  let result = text;
  for (const { at, kind } of faults) {
    const { count, start, end } = lex(result);
    const token = at % Math.max(count, 1);
    const [from, to] = [start[token] ?? 0, end[token] ?? 0];
    if (kind === "delete") result = result.slice(0, from) + result.slice(to);
    else if (kind === "repeat") result = result.slice(0, to) + result.slice(from);
    else if (kind === "cut") result = result.slice(0, from);
    else result = result.slice(0, from) + kind + result.slice(from);
  }
  return result;
}

test("damaged sources are read to the end, and one whose brackets do not pair stays as it is", () => {
  const fault = fc.record({
    at: fc.nat(2000),
    kind: fc.constantFrom(
      "delete",
      "repeat",
      "cut",
      "(",
      ")",
      "{",
      "}",
      "[",
      "]",
      "\xff",
      "#else\n",
      "#endif\n",
    ),
  });
  let unpaired = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(fault, { minLength: 1, maxLength: 4 }),
      (source, faults) => {
        const text = damaged(source, faults);
        const changes = everything(text);
        if (lex(text).unpaired < 0) return;
        unpaired++;
        expect(changes).toEqual([]);
      },
    ),
    { numRuns: 600 },
  );
  expect(unpaired).toBeGreaterThan(50);
});

test.each([
  "void f({ MemoryRegion x",
  "MemoryRegion f({{{ x",
  "void f(a{MemoryRegion",
  "struct MemoryRegion [ x",
  "typedef struct { MemoryRegion a[; } A",
  "MemoryRegion x = {",
  "QTAILQ_HEAD( MemoryRegion",
  "static void f(\xff\xfe{{{ memory_region_init_io(&s->iomem, x",
  "__attribute__(( MemoryRegion x",
  "typeof(MemoryRegion x",
  "struct S { MemoryRegion a; }; /* void f(struct S *s) {}",
  "#ifdef A\nstruct S { MemoryRegion a; };\n#else\nMemoryRegion x;",
])("%s", (text) => {
  expect(everything(text)).toEqual([]);
  expect(lex(text).unpaired).toBeGreaterThanOrEqual(0);
});
