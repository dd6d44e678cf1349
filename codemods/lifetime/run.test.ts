import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "#host";
import type { AuditOptions } from "../command.ts";
import { ExitCode } from "../errors.ts";
import { readFixture } from "../testing/golden-project.ts";
import { Scratch } from "../testing/scratch.ts";
import { runAudit } from "./run.ts";

const buggy = readFixture("refused/to-owned/leaf-unparented/before.ts");
const clean = readFixture("converted/goldfish-rtc/before.ts");

let scratch: Scratch;
let printed: string;
const audit = (name: string, options: AuditOptions = {}) => {
  printed = "";
  return runAudit([scratch.path(name)], options, (text) => {
    printed += text;
  });
};

beforeEach(() => {
  scratch = new Scratch();
  scratch.write("balloon.ts", buggy);
  scratch.write("rtc.ts", clean);
});
afterEach(() => scratch.remove());

describe("audit command", () => {
  test("a bug exits with 1, effort alone with 0; each is said for what it is", async () => {
    expect(await audit("balloon.ts")).toBe(ExitCode.No);
    expect(printed).toMatch(
      /balloon\.ts:18:\d+: error Balloon\.block \[leaf-unparented\] this\.block\.unparent\(\)/,
    );
    expect(printed.match(/^leaf-unparented: /gm)).toHaveLength(1);
    expect(printed).toContain("effort of a conversion to owned, which says nothing about lifetime");
    expect(printed).toContain("1 lifetime bug in 1 file (1 leaf-unparented)");
    expect(await audit("rtc.ts")).toBe(ExitCode.Done);
    expect(printed).toContain("no lifetime bugs found");
  });

  test("--json and --sarif write files, or one of them to standard output", async () => {
    await audit("balloon.ts", { json: scratch.path("audit.json"), sarif: scratch.path("audit.sarif") });
    expect(JSON.parse(scratch.read("audit.json"))).toMatchObject({
      version: 2,
      findings: [{ rule: "leaf-unparented", line: 18 }],
    });
    expect(JSON.parse(scratch.read("audit.sarif")).runs[0].results).toMatchObject([
      { ruleId: "leaf-unparented" },
    ]);
    await audit("balloon.ts", { sarif: "-" });
    expect(JSON.parse(printed).version).toBe("2.1.0");
    await expect(audit("balloon.ts", { json: "-", sarif: "-" })).rejects.toThrow("only one of them");
  });

  test("--github prints annotations and nothing else", async () => {
    await audit("balloon.ts", { github: true });
    expect(printed).toMatch(/^::error file=.*balloon\.ts,line=18,.*\n$/);
  });

  test("--baseline accepts what it names, and reports what is new", async () => {
    const baseline = scratch.path("accepted.json");
    await expect(audit("balloon.ts", { writeBaseline: true })).rejects.toThrow(CommandError);
    await expect(audit("balloon.ts", { baseline })).rejects.toThrow("create it with --write-baseline");
    expect(await audit("balloon.ts", { baseline, writeBaseline: true })).toBe(ExitCode.Done);
    scratch.write("balloon.ts", `\n\n${buggy}`);
    expect(await audit("balloon.ts", { baseline })).toBe(ExitCode.Done);
    expect(printed).toContain("no lifetime bugs found; 1 accepted in");
    scratch.write(
      "balloon.ts",
      buggy.replace("this.block.unparent();", "this.block.unparent();\n    this.block.setEnabled(true);"),
    );
    expect(await audit("balloon.ts", { baseline })).toBe(ExitCode.No);
    expect(printed).toContain("Balloon.block [used-after-unparent]");
    scratch.write("balloon.ts", clean);
    await audit("balloon.ts", { baseline });
    expect(printed).toContain("which names 1 that is gone");
  });

  test("without the memory component nothing is passed as clean", async () => {
    writeFileSync(scratch.path("package.json"), "{}");
    await expect(audit("rtc.ts")).rejects.toThrow(CommandError);
  });
});
