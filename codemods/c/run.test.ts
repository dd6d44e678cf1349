/** The commands, on trees made of fixtures. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ExitCode } from "../errors.ts";
import { auditTree } from "./audit.ts";
import { censusOf } from "./census.ts";
import { Maintainers } from "./maintainers.ts";
import { convertToEmbedded, convertToOwned } from "./pipeline.ts";
import { runCensus, runConversion } from "./run.ts";
import { runCAudit } from "./run-audit.ts";
import { sourceFiles } from "./tree.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const scratch = mkdtempSync(join(tmpdir(), "regionlab-c-run-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function treeOf(...names: readonly string[]): string {
  const tree = mkdtempSync(join(scratch, "tree-"));
  for (const name of [...names, "regions.h"]) {
    mkdirSync(join(tree, "hw", name.replace(/\.[ch]$/, "")), { recursive: true });
    cpSync(join(fixtures, name), join(tree, "hw", name.replace(/\.[ch]$/, ""), name));
  }
  return tree;
}

const ignore = () => undefined;

test("--write changes the file, and the exit code says whether a region was refused", async () => {
  const tree = treeOf("mmio-single.c");
  const path = join(tree, "hw/mmio-single/mmio-single.c");
  expect(await runConversion("to-owned", [tree], { write: true, allowDirty: true, json: "-" }, ignore)).toBe(
    ExitCode.Done,
  );
  expect(readFileSync(path, "latin1")).toContain("iomem = memory_region_new_io(OBJECT(s), &beep_ops");
  const refused = treeOf("name-null.c");
  expect(await runConversion("to-owned", [refused], { json: "-" }, ignore)).toBe(ExitCode.Refused);
});

test("--write without --allow-dirty refuses files that git could not restore", async () => {
  const tree = treeOf("mmio-single.c");
  await expect(runConversion("to-owned", [tree], { write: true, json: "-" }, ignore)).rejects.toThrow(
    /--allow-dirty/,
  );
});

test.runIf(existsSync("/dev/full"))(
  "--write changes nothing if the report or the series cannot be written",
  async () => {
    const tree = treeOf("mmio-single.c");
    const path = join(tree, "hw/mmio-single/mmio-single.c");
    const before = readFileSync(path);
    const write = { write: true, allowDirty: true };
    for (const outputs of [{ json: "/dev/full" }, { series: join(path, "series"), json: "-" }]) {
      await expect(runConversion("to-owned", [tree], { ...write, ...outputs }, ignore)).rejects.toThrow(
        /no space left|a part of its path is a file/,
      );
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  },
);

test("--only limits the conversion to regions of files that match", async () => {
  const tree = treeOf("mmio-single.c", "bar.c");
  const { changes } = convertToOwned([tree], undefined, { accepts: (path) => path.includes("bar") });
  expect([...changes.keys()]).toEqual(["hw/bar/bar.c"]);
});

test("--series writes one patch for each folder; its message names what converts and what does not", async () => {
  const tree = treeOf("mmio-single.c", "declarator-list-mixed.c", "ram-in-expression.c");
  const series = join(tree, "series");
  await runConversion("to-owned", [tree], { series, json: "-" }, ignore);
  const patches = readdirSync(series);
  expect(patches).toEqual(["0001-hw-declarator-list-mixed.patch", "0002-hw-mmio-single.patch"]);
  const text = readFileSync(join(series, "0001-hw-declarator-list-mixed.patch"), "latin1");
  expect(text).toMatch(
    /The field is gone[\s\S]*BeepState\.regs[\s\S]*The field refers[\s\S]*BeepState\.fifo[\s\S]*\n---\n--- a\/hw/,
  );
});

test("bytes that are not ASCII stay as they are", async () => {
  const tree = treeOf("mmio-single.c");
  const path = join(tree, "hw/mmio-single/mmio-single.c");
  const comment = Buffer.from("/* r\u00e9gion */\n", "utf8");
  writeFileSync(path, Buffer.concat([comment, readFileSync(path)]));
  await runConversion("to-owned", [tree], { write: true, allowDirty: true, json: "-" }, ignore);
  expect(readFileSync(path).subarray(0, comment.length)).toEqual(comment);
});

test("a structure whose size Rust code compares with that of its own stays as it is", () => {
  const tree = treeOf("mmio-single.c", "bar.c");
  const mirror = join(tree, "hw/mmio-single/device.rs");
  writeFileSync(mirror, "const _: () = assert!(size_of::<Beep>() == 8);\n");
  expect(convertToOwned([tree]).changes.size).toBe(2);
  const sized = "size_of::<BeepState>() == ::core::mem::size_of::<crate::bindings::BeepState>()";
  writeFileSync(mirror, `const _: () = assert!(${sized});\n`);
  const { judgements, changes } = convertToOwned([tree]);
  expect(changes.size).toBe(0);
  expect(judgements.map(({ reason, at }) => [reason, at.file])).toEqual([
    ["rust-mirror", "hw/mmio-single/device.rs"],
    ["rust-mirror", "hw/mmio-single/device.rs"],
  ]);
});

test("links to sources and folders are followed, each file once, by its own name if it has one", () => {
  const tree = treeOf("mmio-single.c", "bar.c");
  const elsewhere = treeOf("name-null.c");
  symlinkSync("mmio-single/mmio-single.c", join(tree, "hw/again.c"));
  symlinkSync("..", join(tree, "hw/up"));
  symlinkSync(join(elsewhere, "hw/name-null"), join(tree, "hw/linked"));
  symlinkSync("nowhere.c", join(tree, "hw/broken.c"));
  symlinkSync("nowhere", join(tree, "hw/other"));
  const { files, broken } = sourceFiles([tree]);
  expect(files.map((file) => relative(tree, file)).sort()).toEqual([
    "hw/bar/bar.c",
    "hw/linked/name-null.c",
    "hw/mmio-single/mmio-single.c",
    "hw/regions/regions.h",
  ]);
  expect(broken.map((file) => relative(tree, file))).toEqual(["hw/broken.c"]);
  const judged = convertToOwned([tree]).judgements.map(({ at }) => at.file);
  expect(judged).toContain("hw/linked/name-null.c");
  expect(judged.filter((file) => file.endsWith("mmio-single.c"))).toHaveLength(1);
});

test("an unknown reason is refused", async () => {
  const tree = treeOf("mmio-single.c");
  await expect(runConversion("to-owned", [tree], { reason: "nope" }, ignore)).rejects.toThrow(
    /^--reason nope: there is no such reason; give one of unresolved, /,
  );
});

test("a missing path is named", async () => {
  await expect(runConversion("to-owned", [join(scratch, "none")], {}, ignore)).rejects.toThrow(
    /none: no such file/,
  );
});

test.each([
  ["self-owner.c", ["self-owner"]],
  ["leaf-unparented.c", ["leaf-unparented"]],
  ["used-in-finalize.c", ["used-in-finalize"]],
  ["initialised-twice.c", ["created-again"]],
  ["g-new-local.c", ["hand-allocated"]],
  ["g-new-freed.c", []],
  ["both-branches.c", []],
  ["mmio-single.c", []],
])("the audit of %s", (name, rules) => {
  expect(auditTree([treeOf(name)]).map(({ rule }) => rule)).toEqual(rules);
});

test("the audit notes what each realize creates again, in the owned form, unless something releases it or tests for it", async () => {
  const tree = treeOf("realized-again.c", "used-at-run-time.c");
  const rulesOf = () => auditTree([tree]).map(({ rule, region, level }) => `${level} ${rule} ${region}`);
  expect(rulesOf()).toEqual([]);
  await runConversion("to-owned", [tree], { write: true, allowDirty: true, json: "-" }, ignore);
  expect(rulesOf()).toEqual(["note created-at-each-realize iomem", "note created-at-each-realize s->tones"]);
  const path = join(tree, "hw/realized-again/realized-again.c");
  const text = readFileSync(path, "latin1");
  writeFileSync(path, text.replace("s->tones = ", "if (!s->tones)\n        s->tones = "));
  expect(rulesOf()).toEqual(["note created-at-each-realize iomem"]);
  const release = "object_unparent(OBJECT(BEEP(dev)->tones));\n}\n\nvoid beep_class_init(";
  writeFileSync(path, text.replace("}\n\nvoid beep_class_init(", release));
  expect(rulesOf()).toEqual([]);
});

test("SARIF has the place of a bug", async () => {
  const tree = treeOf("leaf-unparented.c");
  let text = "";
  const print = (part: string) => {
    text += part;
  };
  expect(await runCAudit([tree], { sarif: "-" }, print)).toBe(ExitCode.No);
  const { runs } = JSON.parse(text);
  const { artifactLocation, region } = runs[0].results[0].locations[0].physicalLocation;
  expect(artifactLocation.uri).toBe("hw/leaf-unparented/leaf-unparented.c");
  const line = readFileSync(join(tree, artifactLocation.uri), "latin1").split("\n")[region.startLine - 1];
  expect(line).toContain("object_unparent(");
});

test("the census counts what is left", () => {
  const tree = treeOf("mmio-single.c", "name-null.c", "helper-returns.c", "array-loop.c");
  writeFileSync(join(tree, "MAINTAINERS"), "Beepers\n-------\nF: hw/*/array-loop.c\n");
  const census = censusOf(convertToOwned([tree]));
  expect(census).toMatchObject({
    fields: 5,
    arrays: 1,
    inHeaders: 0,
    newCalls: 0,
    refusedByReason: { "name-null": 1 },
  });
  expect(census.byArea).toContainEqual({ area: "Beepers", converted: 1, refused: 0 });
  expect(census.gradual.at(-1)).toMatchObject({ percent: 100, fields: 4, changedSources: 3 });
});

test("the census of a tree with owned regions counts what the way back leaves", async () => {
  const tree = treeOf("mmio-single.c", "ram-fails-kept.c", "used-at-run-time.c");
  await runConversion("to-owned", [tree], { write: true, allowDirty: true, json: "-" }, ignore);
  let text = "";
  const print = (part: string) => {
    text += part;
  };
  await runCensus([tree], { json: "-" }, print);
  const { newCalls, back } = JSON.parse(text);
  const calls: readonly number[] = Object.values(back.newCalls);
  expect(calls.reduce((total, each) => total + each, 0)).toBe(newCalls);
  // The region of mmio-single.c is in a local.
  expect(back).toMatchObject({ withoutField: 1, remainingCalls: 1, refusedByReason: {} });
  expect(back.converted).toBe(back.fields);
  const { judgements } = convertToEmbedded([tree]);
  expect(back.fields).toBe(judgements.length);
  expect(back.gradual.at(-1)).toMatchObject({ percent: 100, fields: back.fields, mixedFiles: 0 });
  text = "";
  await runCensus([tree], {}, print);
  expect(text).toContain(`the way back: ${back.fields} fields`);
  text = "";
  await runCensus([treeOf("mmio-single.c")], {}, print);
  expect(text).not.toContain("the way back");
});

test("the most particular pattern of MAINTAINERS decides", () => {
  const areas = new Maintainers("All\n---\nF: hw/\n\nBeep\n----\nM: A <a@b>\nF: hw/*/beep*\n");
  expect(areas.areaOf("hw/audio/beep.c")).toBe("Beep");
  expect(areas.areaOf("hw/audio/other.c")).toBe("All");
  expect(areas.areaOf("ui/other.c")).toBe("(no maintainer)");
});
