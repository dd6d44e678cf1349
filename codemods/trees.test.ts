import { mkdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "#host";
import { ExitCode } from "./errors.ts";
import { planConversion } from "./pipeline.ts";
import { sourcesUnder } from "./source/discover.ts";
import { newProject } from "./source/workspace.ts";
import { projectTrees, sync } from "./sync.ts";
import { readFixture } from "./testing/golden-project.ts";
import { Scratch } from "./testing/scratch.ts";
import { checkTrees, type Trees } from "./trees.ts";

describe("two trees", () => {
  let scratch: Scratch;
  let trees: Trees;
  let printed: string;

  const run = (mode: string) => {
    printed = "";
    return sync([mode], trees, (text) => {
      printed += text;
    });
  };

  beforeEach(() => {
    scratch = new Scratch();
    trees = { embedded: scratch.path("embedded"), owned: scratch.path("owned") };
    scratch.write("embedded/rtc/rtc.ts", readFixture("converted/goldfish-rtc/before.ts"));
    scratch.write("embedded/index.ts", 'export { GoldfishRtc } from "./rtc/rtc.ts";\n');
  });

  afterEach(() => scratch.remove());

  test("--write generates the owned tree: converts, copies other files, removes files without a counterpart", () => {
    scratch.write("owned/gone.ts", "export const gone = true;\n");
    expect(run("--write")).toBe(ExitCode.Done);
    expect(scratch.read("owned/rtc/rtc.ts")).toBe(readFixture("converted/goldfish-rtc/after.ts"));
    expect(scratch.read("owned/index.ts")).toBe(scratch.read("embedded/index.ts"));
    expect(() => scratch.read("owned/gone.ts")).toThrow("ENOENT");
    expect(printed).toContain(
      "2 files, 1 region (owned: 1 without a field, 0 with one): 2 written, 1 removed; the inverse is exact",
    );
    expect(run("--check")).toBe(ExitCode.Done);
  });

  test("a second --write writes nothing", () => {
    run("--write");
    expect(run("--write")).toBe(ExitCode.Done);
    expect(printed).toContain("0 written, 0 removed");
  });

  test("--check names files that are missing, stale and edited, and writes nothing", () => {
    run("--write");
    const edited = scratch.read("owned/rtc/rtc.ts").replace('"goldfish_rtc", REG', '"rtc", REG');
    scratch.write("owned/rtc/rtc.ts", edited);
    scratch.write("owned/stale.ts", "export const stale = true;\n");
    scratch.write("embedded/new.ts", "export const added = true;\n");
    const { differences } = checkTrees(trees);
    expect(differences.map(({ file, what }) => `${file}: ${what}`).sort()).toEqual([
      "new.ts: missing",
      "rtc/rtc.ts: to-embedded differs",
      "rtc/rtc.ts: to-owned differs",
      "stale.ts: stale",
    ]);
    expect(run("--check")).toBe(ExitCode.No);
    expect(printed).toContain(
      '+    const iomem = MemoryRegion.newIo(this, ops, this, "goldfish_rtc", REGISTER_BYTES);',
    );
    expect(scratch.read("owned/rtc/rtc.ts")).toBe(edited);
  });

  test("a source that is not in canonical form is written and named, because its inverse is not exact", () => {
    const source = readFixture("converted/goldfish-rtc/before.ts");
    const [field, irq] = [
      "  private readonly iomem = this.embed(MemoryRegion);\n",
      "  private readonly irq = new IrqLine();\n",
    ];
    scratch.write(
      "embedded/rtc/rtc.ts",
      source.replace(`  /** Register window. */\n${field}${irq}`, `${irq}${field}`),
    );
    expect(run("--write")).toBe(ExitCode.No);
    expect(printed).toContain("rtc/rtc.ts: to-embedded differs");
    expect(printed).toContain("not in canonical form");
  });

  test("a refused region gives exit code 3 and its reason", () => {
    scratch.write("embedded/balloon.ts", readFixture("refused/to-owned/leaf-unparented/before.ts"));
    expect(run("--write")).toBe(ExitCode.Refused);
    expect(printed).toContain("refused Balloon.block [leaf-unparented]");
  });

  test("an empty tree is accepted, a usage error is not", () => {
    mkdirSync(scratch.path("nothing"));
    const empty = { embedded: scratch.path("nothing"), owned: scratch.path("nowhere") };
    expect(sync(["--check"], empty, () => {})).toBe(ExitCode.Done);
    expect(() => sync([], trees, () => {})).toThrow(CommandError);
    expect(() => sync(["--write", "--check"], trees, () => {})).toThrow("use --write");
  });

  test("a source that does not parse stops everything", () => {
    scratch.write("embedded/broken.ts", "export const = 2;\n");
    expect(() => run("--write")).toThrow(/broken\.ts:1: does not parse/);
    expect(() => scratch.read("owned/index.ts")).toThrow("ENOENT");
  });
});

test("the project's trees convert into each other, byte for byte", () => {
  const { differences, toOwned } = checkTrees(projectTrees());
  expect(differences).toEqual([]);
  expect(toOwned.files.flatMap(({ sites }) => sites).filter(({ outcome }) => outcome === "refused")).toEqual(
    [],
  );
});

test.each(["embedded", "owned"] as const)(
  "the child objects of the %s tree convert, and back, byte for byte",
  (form) => {
    const paths = sourcesUnder(projectTrees()[form]);
    const options = { subject: "children", project: newProject(), searchPackage: false } as const;
    const there = planConversion(paths, "to-owned", options);
    const sites = there.files.flatMap((file) => file.sites);
    expect(sites.map(({ className, region, outcome }) => `${className}.${region} ${outcome}`).sort()).toEqual(
      ["SerialMm.serial converted", "VirtioMmio.bus converted", "VirtioSerial.bus converted"],
    );
    const overlay = new Map(there.files.map(({ path, after }) => [path, after]));
    const back = planConversion(paths, "to-embedded", { ...options, overlay });
    expect(back.files.map(({ after }) => after)).toEqual(there.files.map(({ before }) => before));
  },
);
