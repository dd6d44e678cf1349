import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "#host";
import type { LifetimeFinding } from "../finding.ts";
import { Rule } from "../rules.ts";
import { baselineText, compareWithBaseline } from "./baseline.ts";
import { githubAnnotations } from "./github.ts";
import { findingsReport } from "./json.ts";
import { sarifLog } from "./sarif.ts";
import { findingTotals, renderFindings } from "./text.ts";

const finding = (
  line: number,
  rule: Rule = Rule.LeafUnparented,
  more: Partial<LifetimeFinding> = {},
): LifetimeFinding => ({
  file: resolve("devices/flash, a.ts"),
  line,
  column: 5,
  endLine: line,
  endColumn: 28,
  rule,
  level: "error",
  region: "Flash.window",
  detail: "this.window.unparent()",
  related: [],
  ...more,
});
const plain = { red: String, yellow: String, bold: String, dim: String };

test("text has one short line per finding, and one paragraph per rule", () => {
  const related = [{ ...finding(3), text: "created here before" }];
  const text = renderFindings([finding(10), finding(20), finding(30, Rule.CreatedAgain, { related })], plain);
  const lines = text.split("\n");
  expect(lines[0]).toBe(
    "devices/flash, a.ts:10:5: error Flash.window [leaf-unparented] this.window.unparent()",
  );
  expect(lines[3]).toBe("  devices/flash, a.ts:3:5: created here before");
  expect(lines.filter((line) => line.startsWith("leaf-unparented: "))).toHaveLength(1);
  expect(text).toMatch(/^ {2}embedded: .+\n {2}owned: {4}.+\n {2}rule: {5}.+\n {2}fix: {6}.+$/m);
  expect(renderFindings([], plain)).toBe("");
  expect(findingTotals([finding(1), finding(2, Rule.SelfOwner)])).toBe(
    "2 lifetime bugs in 1 file (1 leaf-unparented, 1 self-owner)",
  );
  expect(findingTotals([])).toBe("no lifetime bugs found");
});

test("JSON has the findings and the text of their rules", () => {
  const report = findingsReport([finding(10)]);
  expect(report.findings[0]).toMatchObject({
    file: "devices/flash, a.ts",
    line: 10,
    rule: "leaf-unparented",
  });
  expect(Object.keys(report.rules)).toEqual(["leaf-unparented"]);
});

test("GitHub annotations are escaped", () => {
  expect(githubAnnotations([finding(10, Rule.LeafUnparented, { detail: "100%\nthis" })])).toMatch(
    /^::error file=devices\/flash%2C a\.ts,line=10,endLine=10,col=5,endColumn=28,title=leaf-unparented::Flash\.window: .*100%25%0Athis\)\n$/,
  );
  expect(githubAnnotations([finding(10, Rule.MixedForms, { level: "warning", endLine: 12 })])).toMatch(
    /^::warning file=[^:]*,line=10,endLine=12,col=5,title=mixed-forms::/,
  );
});

describe("SARIF", () => {
  const log = sarifLog(
    [finding(10), finding(20, Rule.SelfOwner, { related: [{ ...finding(3), text: "there" }] })],
    process.cwd(),
    "1.2.3",
  );

  /** What the specification requires of each object (SARIF 2.1.0, sections 3.13 to 3.52) as far as the log has them. */
  test("has every property that the specification requires, of the right type", () => {
    expect(log.version).toBe("2.1.0"); // 3.13.2
    expect(log.runs.length).toBeGreaterThan(0); // 3.13.4
    for (const run of log.runs) {
      const { driver } = run.tool; // 3.14.6, 3.18.2
      expect(driver.name).not.toBe(""); // 3.19.8
      expect(driver.semanticVersion).toMatch(/^\d+\.\d+\.\d+/); // 3.19.12
      for (const rule of driver.rules) {
        expect(rule.id).not.toBe(""); // 3.49.3
        for (const { text } of [rule.shortDescription, rule.fullDescription, rule.help])
          expect(text).toMatch(/\.$/); // 3.12.3
        expect(["none", "note", "warning", "error"]).toContain(rule.defaultConfiguration.level); // 3.50.3
      }
      expect(new Set(driver.rules.map(({ id }) => id)).size).toBe(driver.rules.length); // 3.19.23
      expect(run.columnKind).toBe("utf16CodeUnits"); // 3.14.17
      expect(run.originalUriBaseIds["%SRCROOT%"].uri).toMatch(/^file:\/\/\/.*\/$/); // 3.14.14
      for (const result of run.results) {
        expect(result.message.text).not.toBe(""); // 3.27.11
        expect(driver.rules[result.ruleIndex]?.id).toBe(result.ruleId); // 3.27.5, 3.27.6
        expect(["none", "note", "warning", "error"]).toContain(result.level); // 3.27.10
        expect(Object.values(result.partialFingerprints).every((each) => /^[0-9a-f]+$/.test(each))).toBe(
          true,
        ); // 3.27.17
        expect(result.locations).toHaveLength(1); // 3.27.12
        const related = result.relatedLocations.map(({ id }) => id); // 3.28.2: unique within the result
        expect(new Set(related).size).toBe(related.length);
        for (const { physicalLocation } of [...result.locations, ...result.relatedLocations]) {
          const { artifactLocation, region } = physicalLocation; // 3.28.3, 3.29.3
          expect(() => new URL(artifactLocation.uri, "file:///root/")).not.toThrow(); // 3.4.3
          expect(artifactLocation.uri).not.toMatch(/[ \\]/);
          expect(artifactLocation.uriBaseId).toBe("%SRCROOT%"); // 3.4.4
          expect(region.startLine).toBeGreaterThan(0); // 3.30.5
          expect(region.startColumn).toBeGreaterThan(0); // 3.30.6
          expect(region.endLine).toBeGreaterThanOrEqual(region.startLine); // 3.30.7
          expect(region.endColumn).toBeGreaterThan(0); // 3.30.8
        }
      }
    }
    expect(JSON.parse(JSON.stringify(log))).toEqual(log);
  });

  test("fingerprints do not change when lines move", () => {
    const print = (line: number) =>
      sarifLog([finding(line)], process.cwd(), "1.0.0").runs[0]?.results[0]?.partialFingerprints;
    expect(print(10)).toEqual(print(99));
  });
});

describe("baseline", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "baseline-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("accepts what it names, wherever it has moved to, and counts", () => {
    const path = join(directory, "accepted.json");
    writeFileSync(path, baselineText([finding(10), finding(20)], path));
    expect(JSON.parse(readFileSync(path, "utf8")).findings).toHaveLength(1);
    const moved = compareWithBaseline(
      [finding(11), finding(22), finding(33), finding(5, Rule.SelfOwner)],
      path,
    );
    expect(moved.fresh.map(({ line }) => line)).toEqual([33, 5]);
    expect(moved).toMatchObject({ known: 2, gone: 0 });
    expect(compareWithBaseline([], path)).toEqual({ fresh: [], known: 0, gone: 2 });
  });

  test("says what is wrong with a file that is missing or something else", () => {
    const compare = (name: string) => () => compareWithBaseline([], join(directory, name));
    expect(compare("none.json")).toThrow(CommandError);
    expect(compare("none.json")).toThrow("create it with --write-baseline");
    writeFileSync(join(directory, "text"), "{");
    expect(compare("text")).toThrow("not JSON");
    writeFileSync(join(directory, "other"), '{ "version": 1, "findings": [{}] }');
    expect(compare("other")).toThrow("not a baseline");
  });
});
