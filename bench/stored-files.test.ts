import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkStored } from "./stored-files.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stored-"));
  writeFileSync(at("one.json"), "one");
});

afterEach(() => rmSync(folder, { recursive: true }));

it("names the page, and leaves nothing behind", () => {
  expect(checkStored(at("new.json.gz"), [{ option: "the run", path: at("one.json") }])).toBe(at("new.html"));
  expect(readdirSync(folder)).toEqual(["one.json"]);
});

it.each<[string, string, () => void, RegExp]>([
  [
    "its input",
    "one.json",
    () => {},
    /^-o .*one\.json: is the same file as --baseline .*, which would be lost/,
  ],
  [
    "its input by another name",
    "two.json",
    () => linkSync(at("one.json"), at("two.json")),
    /^-o .*two\.json: is/,
  ],
  [
    "a page in place of an input",
    "a.json",
    () => linkSync(at("one.json"), at("a.html")),
    /^the page .*a\.html: is/,
  ],
  [
    "a page that leads to an input",
    "a.json",
    () => symlinkSync("one.json", at("a.html")),
    /^the page .*one\.json|^the page .*a\.html: is/,
  ],
  [
    "a page that leads to the run",
    "t.json",
    () => symlinkSync("t.json", at("t.html")),
    /is the same file as -o .*; give each/,
  ],
  ["a page that is a folder", "c.json", () => mkdirSync(at("c.html")), /^the page .*c\.html: is a folder/],
  ["another format", "run.txt", () => {}, /^-o .*run\.txt: a run is stored as JSON; end the name in/],
])("refuses %s", (_, name, prepare, message) => {
  prepare();
  expect(() => checkStored(at(name), [{ option: "--baseline", path: at("one.json") }])).toThrow(message);
});
