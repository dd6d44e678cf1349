import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CommandError } from "#host";
import { addAuditCommand, addCodemodCommand, type CodemodOptions } from "./command.ts";
import { ExitCode } from "./errors.ts";
import { runAudit } from "./lifetime/run.ts";
import { preparePlan } from "./passes/5-apply.ts";
import { planConversion } from "./pipeline.ts";
import type { Direction } from "./regions/facts.ts";
import { runCodemod } from "./run.ts";
import { readFixture } from "./testing/golden-project.ts";
import { Scratch } from "./testing/scratch.ts";

const before = readFixture("converted/goldfish-rtc/before.ts");
const after = readFixture("converted/goldfish-rtc/after.ts");

let scratch: Scratch;
let printed: string;

const print = (text: string) => {
  printed += text;
};
const codemod = (direction: Direction, names: readonly string[], options: CodemodOptions = {}) => {
  const paths = names.map((name) => scratch.path(name));
  return runCodemod(direction, paths, options, print);
};
const git = (...args: string[]) => execFileSync("git", args, { cwd: scratch.root, stdio: "ignore" });
const commitAll = () => {
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "devices: add");
};
/** The CommandError that a call throws. */
const failure = async (call: () => unknown): Promise<CommandError> => {
  try {
    await call();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("no error");
};

beforeEach(() => {
  scratch = new Scratch();
  printed = "";
});
afterEach(() => scratch.remove());

describe("codemod", () => {
  test("without options shows a unified diff and writes nothing", async () => {
    scratch.write("rtc.ts", before);
    expect(await codemod("to-owned", ["rtc.ts"])).toBe(ExitCode.Done);
    expect(printed).toContain("-  private readonly iomem = this.embed(MemoryRegion);");
    expect(printed).toContain(
      '+    const iomem = MemoryRegion.newIo(this, ops, this, "goldfish_rtc", REGISTER_BYTES);',
    );
    expect(printed).toContain(
      "1 region to convert (1 without a field, 0 with one), 0 already owned, 0 refused",
    );
    expect(scratch.read("rtc.ts")).toBe(before);
  });

  test("the diff is one that git applies", async () => {
    commitAll();
    scratch.write("rtc.ts", before);
    const cwd = process.cwd();
    process.chdir(scratch.root);
    try {
      await codemod("to-owned", ["rtc.ts"]);
    } finally {
      process.chdir(cwd);
    }
    const patch = printed.split("\n").slice(0, -2).join("\n");
    execFileSync("git", ["apply", "--whitespace=error", "-"], { cwd: scratch.root, input: `${patch}\n` });
    expect(scratch.read("rtc.ts")).toBe(after);
  });

  test("--check says whether a file would change", async () => {
    scratch.write("rtc.ts", before);
    expect(await codemod("to-owned", ["rtc.ts"], { check: true })).toBe(ExitCode.No);
    expect(await codemod("to-embedded", ["rtc.ts"], { check: true })).toBe(ExitCode.Done);
  });

  test("--write rewrites committed files, there and back", async () => {
    scratch.write("rtc.ts", before);
    commitAll();
    expect(await codemod("to-owned", ["rtc.ts"], { write: true })).toBe(ExitCode.Done);
    expect(scratch.read("rtc.ts")).toBe(after);
    expect(await codemod("to-embedded", ["rtc.ts"], { write: true, allowDirty: true })).toBe(ExitCode.Done);
    expect(scratch.read("rtc.ts")).toBe(before);
    expect(readdirSync(scratch.root).filter((name) => name.startsWith(".rtc"))).toEqual([]);
  });

  test("modified files, untracked files and files outside a repository are not overwritten", async () => {
    scratch.write("rtc.ts", before);
    const write = { write: true };
    expect((await failure(() => codemod("to-owned", ["rtc.ts"], write))).message).toContain(
      "not in a git repository",
    );
    git("init", "-q");
    expect((await failure(() => codemod("to-owned", ["rtc.ts"], write))).message).toMatch(
      /rtc\.ts: not tracked .* --allow-dirty/,
    );
    commitAll();
    scratch.write("rtc.ts", `${before}\nexport const added = true;\n`);
    const dirty = await failure(() => codemod("to-owned", ["rtc.ts"], write));
    expect(dirty.message).toContain("rtc.ts: has uncommitted changes");
    expect(dirty.exitCode).toBe(ExitCode.Usage);
    expect(scratch.read("rtc.ts")).toContain("this.embed(MemoryRegion)");
  });

  test("names with wildcards in them are names", async () => {
    scratch.write("rtc[1].ts", before);
    scratch.write("rtc1.ts", after);
    commitAll();
    scratch.write("rtc1.ts", `${after}\nexport const added = true;\n`);
    expect(await codemod("to-owned", ["rtc[1].ts"], { write: true })).toBe(ExitCode.Done);
    expect(scratch.read("rtc[1].ts")).toBe(after);
  });

  test("a dirty file that the conversion does not change is accepted", async () => {
    scratch.write("rtc.ts", before);
    commitAll();
    scratch.write("owned.ts", after);
    expect(await codemod("to-owned", ["rtc.ts", "owned.ts"], { write: true })).toBe(ExitCode.Done);
  });

  test("refusals exit with 3, name location and fix, and leave the rest converted", async () => {
    scratch.write("balloon.ts", readFixture("refused/to-owned/leaf-unparented/before.ts"));
    expect(await codemod("to-owned", ["balloon.ts"], { write: true, allowDirty: true })).toBe(
      ExitCode.Refused,
    );
    expect(printed).toMatch(
      /balloon\.ts:18:\d+: refused Balloon\.block \[leaf-unparented\] this\.block\.unparent\(\)/,
    );
    expect(printed).toContain("unmap it with delSubregion");
    expect(printed).toContain("2 refused (1 class-refused, 1 leaf-unparented); 1 file changes");
    expect(scratch.read("balloon.ts")).toBe(readFixture("refused/to-owned/leaf-unparented/after.ts"));
  });

  test("--json writes sites, reasons and statistics", async () => {
    scratch.write("balloon.ts", readFixture("refused/to-owned/leaf-unparented/before.ts"));
    await codemod("to-owned", ["balloon.ts"], { json: scratch.path("report.json") });
    const report = JSON.parse(scratch.read("report.json"));
    expect(report.statistics).toEqual({
      regions: 3,
      converted: 1,
      dropped: 1,
      kept: 0,
      already: 0,
      refused: 2,
      refusedByReason: { "leaf-unparented": 1, "class-refused": 1 },
    });
    expect(report.files[0].sites.map((site: { region: string }) => site.region)).toEqual([
      "container",
      "block",
      "tone",
    ]);
  });

  test("--json - prints nothing but JSON", async () => {
    scratch.write("rtc.ts", before);
    await codemod("to-owned", ["rtc.ts"], { json: "-" });
    expect(JSON.parse(printed).direction).toBe("to-owned");
  });

  test("Windows line endings and a byte order mark are preserved", async () => {
    const windows = (text: string) => `\uFEFF${text.replaceAll("\n", "\r\n")}`;
    scratch.write("rtc.ts", windows(before));
    await codemod("to-owned", ["rtc.ts"], { write: true, allowDirty: true });
    expect(scratch.read("rtc.ts")).toBe(windows(after));
  });
});

describe("the report", () => {
  const refused = readFixture("refused/to-owned/leaf-unparented/before.ts");
  /** A file whose first class converts, so that the lines of the second one change. */
  const shifted = `${before}\n${refused
    .split("\n")
    .filter((line) => !line.startsWith("import") && !line.startsWith("const ops"))
    .join("\n")}`;
  const placeOf = (region: string) => new RegExp(`rtc\\.ts:(\\d+):(\\d+): refused ${region}`).exec(printed);

  test("names places in the files as they are: unchanged, or written", async () => {
    for (const write of [false, true]) {
      printed = "";
      scratch.write("rtc.ts", shifted);
      await codemod("to-owned", ["rtc.ts"], { write, allowDirty: true });
      const [, line = "", column = ""] = placeOf("Balloon.block") ?? [];
      const text = scratch.read("rtc.ts").split("\n")[Number(line) - 1] ?? "";
      expect(text.slice(Number(column) - 1)).toBe("this.block.unparent();");
    }
  });

  test("places a region that loses its field where it is created", async () => {
    const placed = async (write: boolean) => {
      scratch.write("rtc.ts", before);
      await codemod("to-owned", ["rtc.ts"], { write, allowDirty: true, json: scratch.path("report.json") });
      const [{ line, column }] = JSON.parse(scratch.read("report.json")).files[0].sites;
      return scratch
        .read("rtc.ts")
        .split("\n")
        [line - 1]?.slice(column - 1);
    };
    expect(await placed(false)).toMatch(/^private readonly iomem = /);
    expect(await placed(true)).toMatch(/^const iomem = MemoryRegion\.newIo\(/);
  });

  test("puts the cause before what follows from it, and explains each reason once", async () => {
    scratch.write("rtc.ts", shifted);
    await codemod("to-owned", ["rtc.ts"]);
    const lines = printed.split("\n").filter((line) => /refused \w|^\[/.test(line));
    expect(lines.map((line) => line.replace(/^.*?rtc\.ts:\d+:\d+: /, "").slice(0, 66))).toEqual([
      "refused Balloon.block [leaf-unparented] this.block.unparent()",
      "refused Balloon.container [class-refused] because of block",
      "[leaf-unparented] a leaf region is unparented while flat views may",
      "[class-refused] another region of the class is refused; a class is",
    ]);
  });

  test("names every file that is left alone, and why", async () => {
    scratch.write("devices/rtc.ts", before);
    scratch.write("devices/rtc.d.ts", "");
    for (const name of ["a", "b", "c", "d", "e", "f", "g"]) scratch.write(`devices/${name}.js`, "");
    symlinkSync("gone.ts", scratch.path("devices/link.ts"));
    expect(await codemod("to-owned", ["devices"], { json: scratch.path("report.json") })).toBe(ExitCode.Done);
    expect(printed).toMatch(/devices\/rtc\.d\.ts: not converted: declaration files/);
    expect(printed).toMatch(/devices\/a\.js, .*devices\/e\.js and 2 others: not converted: JavaScript/);
    expect(printed).toMatch(/devices\/link\.ts: not converted: the link leads nowhere/);
    const { skipped } = JSON.parse(scratch.read("report.json"));
    expect(skipped).toHaveLength(9);
    expect(skipped[8]).toMatchObject({ reason: "declaration" });
  });
});

describe("a source in another encoding", () => {
  const latin1 = (text: string) => Buffer.from(text.replace("/**", "/** Se\u00f1al. */\n/**"), "latin1");
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");

  test.each([
    ["Latin-1", latin1],
    ["UTF-16", utf16],
  ])("%s, in a folder, is left out by name, and the others convert", async (_what, encoded) => {
    const bytes = encoded(before);
    scratch.write("devices/rtc.ts", before);
    writeFileSync(scratch.path("devices/old.ts"), bytes);
    expect(await codemod("to-owned", ["devices"], { write: true, allowDirty: true })).toBe(ExitCode.Done);
    expect(printed).toMatch(/devices\/old\.ts: not converted: it is not in UTF-8/);
    expect(scratch.read("devices/rtc.ts")).toBe(after);
    expect(readFileSync(scratch.path("devices/old.ts")).equals(bytes)).toBe(true);
  });

  test("is refused if it is named, or alone in its folder", async () => {
    mkdirSync(scratch.path("devices"));
    writeFileSync(scratch.path("devices/old.ts"), latin1(before));
    for (const name of ["devices/old.ts", "devices"]) {
      const { message, exitCode } = await failure(() => codemod("to-owned", [name]));
      expect([exitCode, message]).toEqual([ExitCode.Usage, expect.stringMatching(/old\.ts: .*not in UTF-8/)]);
    }
  });

  test.each([
    ["Latin-1", latin1],
    ["UTF-16", utf16],
  ])("%s, is searched for uses, and named if it has some", async (_what, encoded) => {
    const shown = before.replace("private readonly iomem", "readonly iomem");
    scratch.write("devices/rtc.ts", shown);
    scratch.write("other/plain.ts", "");
    writeFileSync(scratch.path("other/plain.ts"), encoded("/** Nothing. */\nexport const plain = 1;\n"));
    const user = (use: string) =>
      encoded(
        `/** User. */\nimport { GoldfishRtc } from "../devices/rtc.ts";\nexport const use = (rtc: GoldfishRtc) => ${use};\n`,
      );
    writeFileSync(scratch.path("other/user.ts"), user("rtc.iomem.size"));
    expect(await codemod("to-owned", ["devices"], {})).toBe(ExitCode.Done);
    expect(printed).toMatch(/other\/user\.ts: not converted: it is not in UTF-8, so that it is searched/);
    expect(printed).not.toContain("plain.ts");
    writeFileSync(scratch.path("other/user.ts"), user("rtc.iomem.unparent()"));
    expect(await codemod("to-owned", ["devices"], {})).toBe(ExitCode.Refused);
    expect(printed).toContain("[leaf-unparented]");
  });

  test("is audited, as nothing is written", async () => {
    writeFileSync(scratch.path("old.ts"), latin1(before));
    expect(await runAudit([scratch.path("old.ts")], {}, print)).toBe(ExitCode.Done);
    expect(printed).toContain("old.ts");
  });
});

describe("files", () => {
  test("of every TypeScript kind are converted", async () => {
    const names = ["rtc.mts", "rtc.cts", "rtc.tsx"];
    for (const name of names) scratch.write(`devices/${name}`, before);
    expect(await codemod("to-owned", ["devices"], { write: true, allowDirty: true })).toBe(ExitCode.Done);
    for (const name of names) expect(scratch.read(`devices/${name}`)).toBe(after);
  });

  test("named by a link are written where they are", async () => {
    scratch.write("real/rtc.ts", before);
    symlinkSync("real/rtc.ts", scratch.path("rtc.ts"));
    expect(await codemod("to-owned", ["rtc.ts"], { write: true, allowDirty: true })).toBe(ExitCode.Done);
    expect(scratch.read("real/rtc.ts")).toBe(after);
    expect(lstatSync(scratch.path("rtc.ts")).isSymbolicLink()).toBe(true);
  });

  test.each(["board.js", "board.mts", "board.test.ts", "board.tsx", "board.cts"])(
    "of other kinds, such as %s, are searched for uses",
    async (name) => {
      scratch.write(
        "dut.ts",
        before
          .replace("private readonly iomem", "readonly iomem")
          .replace("GoldfishRtc extends", "Dut extends"),
      );
      scratch.write(
        name,
        'import { Dut } from "./dut.ts";\nexport const copy = (dut) => (dut instanceof Dut ? { ...dut } : {});\n' +
          "export const one = ({ iomem }) => iomem;\nexport const take = new Dut().iomem.unparent();\n",
      );
      expect(await codemod("to-owned", ["dut.ts"])).toBe(ExitCode.Refused);
      expect(printed).toMatch(/refused Dut\.iomem \[(leaf-unparented|owner-spread)\]/);
    },
  );
});

describe("a conversion that would not compile", () => {
  const checked = readFixture("refused/to-owned/would-not-compile/before.ts");

  test("is refused with the diagnostic, and is not written", async () => {
    scratch.write("strict.ts", checked);
    expect(await codemod("to-owned", ["strict.ts"], { write: true, allowDirty: true })).toBe(
      ExitCode.Refused,
    );
    expect(printed).toMatch(
      /refused Strict\.screen \[would-not-compile\] .*TS2322: Type 'true' is not assignable/,
    );
    expect(scratch.read("strict.ts")).toBe(readFixture("refused/to-owned/would-not-compile/after.ts"));
  });
});

describe("input that cannot be used", () => {
  test.each([
    ["a missing path", "nowhere.ts", /nowhere\.ts: no such file or directory/],
    ["an empty directory", "empty", /empty: contains no TypeScript source/],
    ["another kind of file", "package.json", /package\.json: not a TypeScript source/],
    ["sources without devices", "plain.ts", /plain\.ts: no device found/],
    ["a source that does not parse", "broken.ts", /broken\.ts:2: does not parse: /],
  ])("%s is one clear line and exit code 2", async (_what, name, message) => {
    mkdirSync(scratch.path("empty"));
    scratch.write("plain.ts", "export const plain = 1;\n");
    scratch.write("broken.ts", "export const fine = 1;\nexport const = 2;\n");
    const error = await failure(() => codemod("to-owned", [name]));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
    expect(error.exitCode).toBe(ExitCode.Usage);
  });

  test("one broken source among good ones: nothing is written", async () => {
    scratch.write("devices/rtc.ts", before);
    scratch.write("devices/zz-broken.ts", "export const = 2;\n");
    const options = { write: true, allowDirty: true };
    expect((await failure(() => codemod("to-owned", ["devices"], options))).message).toContain(
      "zz-broken.ts:1",
    );
    expect(scratch.read("devices/rtc.ts")).toBe(before);
  });

  test("a file without write permission is left unchanged, and so are all others", async () => {
    scratch.write("devices/a.ts", before);
    chmodSync(scratch.write("devices/b.ts", before), 0o444);
    const error = await failure(() => codemod("to-owned", ["devices"], { write: true, allowDirty: true }));
    expect(error.message).toMatch(/b\.ts: no permission to write/);
    expect(scratch.read("devices/a.ts")).toBe(before);
    expect(readdirSync(scratch.path("devices"))).toEqual(["a.ts", "b.ts"]);
  });

  test("a report that cannot be written", async () => {
    scratch.write("rtc.ts", before);
    const error = await failure(() =>
      codemod("to-owned", ["rtc.ts"], { json: scratch.path("no/such/report.json") }),
    );
    expect(error.message).toMatch(/--json .*report\.json: its folder does not exist; make it/);
  });

  test.runIf(existsSync("/dev/full"))("a report that fails halfway: nothing is converted", async () => {
    scratch.write("rtc.ts", before);
    const options = { write: true, allowDirty: true, json: "/dev/full" };
    const error = await failure(() => codemod("to-owned", ["rtc.ts"], options));
    expect(error.message).toMatch(/--json \/dev\/full: no space left/);
    expect(scratch.read("rtc.ts")).toBe(before);
    expect(readdirSync(scratch.root).filter((name) => name.includes(".part"))).toEqual([]);
  });

  test("a report without a reader: nothing is converted", async () => {
    scratch.write("rtc.ts", before);
    const fifo = scratch.path("report");
    execFileSync("mkfifo", [fifo]);
    spawn("sh", ["-c", `: < "${fifo}"`]); // opens it, and ends
    const options = { write: true, allowDirty: true, json: fifo };
    const error = await failure(() => codemod("to-owned", ["rtc.ts"], options));
    expect(error.message).toMatch(/--json .*report: nobody reads it any more/);
    expect(scratch.read("rtc.ts")).toBe(before);
  });

  test("a file that changes after the plan was made is left alone", async () => {
    const path = scratch.write("rtc.ts", before);
    const plan = planConversion([path], "to-owned");
    scratch.write("rtc.ts", `${before}// edited meanwhile\n`);
    const error = await failure(() => preparePlan(plan, { allowDirty: true }));
    expect(error.message).toContain("rtc.ts: changed while the conversion was planned; run again");
    expect(scratch.read("rtc.ts")).toContain("edited meanwhile");
  });
});

describe("audit", () => {
  test("lists shape, effort and hazard of every region; findings exit with 1", async () => {
    scratch.write("balloon.ts", readFixture("refused/to-owned/leaf-unparented/before.ts"));
    scratch.write("switch.ts", readFixture("converted/array-kept/before.ts"));
    expect(await runAudit([scratch.root], {}, print)).toBe(ExitCode.No);
    expect(printed).toMatch(/STOP {2}dynamic {2,}Balloon\.block .*a leaf region is unparented/);
    expect(printed).toMatch(/MECH {2}io {2,}Beeper\.tone/);
    expect(printed).toMatch(/CARE {2}array {2,}Switch\.ports .*used in reset/);
    expect(printed).toContain("5 regions: 1 MECH, 3 CARE, 1 STOP");
  });

  test("without findings exits with 0, and --json holds the same", async () => {
    scratch.write("rtc.ts", before);
    expect(await runAudit([scratch.path("rtc.ts")], { json: scratch.path("audit.json") }, print)).toBe(
      ExitCode.Done,
    );
    const { regions } = JSON.parse(scratch.read("audit.json"));
    expect(regions).toMatchObject([
      { region: "GoldfishRtc.iomem", form: "embedded", shape: "io", effort: "MECH" },
    ]);
  });
});

describe("command line", () => {
  const program = () => {
    const command = new Command("regionlab")
      .exitOverride()
      .configureOutput({ writeErr: () => {}, writeOut: () => {} });
    addCodemodCommand(command);
    addAuditCommand(command);
    for (const each of command.commands)
      each.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    return command;
  };

  test("sets the exit code", async () => {
    const path = scratch.write("rtc.ts", before);
    const json = scratch.path("report.json");
    const exitCode = process.exitCode;
    const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      await program().parseAsync(["codemod", "to-owned", path, "--check", "--json", json], { from: "user" });
      expect(process.exitCode).toBe(ExitCode.No);
      expect(output).toHaveBeenCalledWith(expect.stringContaining("1 region to convert"));
    } finally {
      output.mockRestore();
      process.exitCode = exitCode;
    }
    expect(JSON.parse(scratch.read("report.json")).statistics.converted).toBe(1);
  });

  test("reports usage errors", async () => {
    const parse = (...args: string[]) => program().parse(args, { from: "user" });
    expect(() => parse("codemod", "to-heap", "x.ts")).toThrow("Allowed choices are to-owned, to-embedded");
    expect(() => parse("codemod", "to-owned")).toThrow("missing required argument");
    expect(() => parse("codemod", "to-owned", "x.ts", "--write", "--check")).toThrow("cannot be used with");
    expect(() => parse("audit")).toThrow("missing required argument");
  });
});
