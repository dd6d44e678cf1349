import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codeOfPackage, discover, sourcesUnder } from "./discover.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "discover-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), "");
  }
}
const link = (name: string, target: string) => symlinkSync(target, join(root, name));
const local = (path: string) => relative(root, path);
const found = (...names: string[]) => {
  const { sources, skipped } = discover(names.map((name) => join(root, name)));
  return {
    sources: sources.map(local),
    skipped: skipped.map(({ path, reason }) => `${local(path)} ${reason}`),
  };
};

test("every kind of TypeScript source is found", () => {
  write("a.ts", "b.mts", "c.cts", "d.tsx", "deep/er/e.ts", "notes.md");
  expect(found("")).toEqual({ sources: ["a.ts", "b.mts", "c.cts", "d.tsx", "deep/er/e.ts"], skipped: [] });
});

test("files that look like sources and are none are named with the reason", () => {
  write(
    "a.ts",
    "a.d.ts",
    "b.d.mts",
    "style.d.css.ts",
    "c.js",
    "d.jsx",
    "e.mjs",
    "f.cjs",
    "a.test.ts",
    "b.spec.tsx",
  );
  expect(found("")).toEqual({
    sources: ["a.ts"],
    skipped: [
      "a.d.ts declaration",
      "a.test.ts test",
      "b.d.mts declaration",
      "b.spec.tsx test",
      "c.js javascript",
      "d.jsx javascript",
      "e.mjs javascript",
      "f.cjs javascript",
      "style.d.css.ts declaration",
    ],
  });
});

test("a test that is named is a source, in whichever order it is met", () => {
  write("a.ts", "a.test.ts");
  expect(found("a.test.ts", "")).toEqual({ sources: ["a.test.ts", "a.ts"], skipped: [] });
  expect(found("", "a.test.ts")).toEqual({ sources: ["a.test.ts", "a.ts"], skipped: [] });
});

test("folders of others are not searched unless named", () => {
  write("a.ts", "node_modules/b.ts", "dist/c.ts", ".cache/d.ts");
  expect(found("").sources).toEqual(["a.ts"]);
  expect(found("dist").sources).toEqual(["dist/c.ts"]);
});

describe("symbolic links", () => {
  test("to files and folders are followed, and nothing is found twice", () => {
    write("elsewhere/a.ts", "elsewhere/sub/b.ts", "devices/c.ts");
    link("devices/a.ts", "../elsewhere/a.ts");
    link("devices/again.ts", "../elsewhere/a.ts");
    link("devices/sub", "../elsewhere/sub");
    link("devices/sub2", "../elsewhere/sub");
    expect(found("devices")).toEqual({
      sources: ["devices/c.ts", "elsewhere/a.ts", "elsewhere/sub/b.ts"],
      skipped: [],
    });
  });

  test("that lead back to a folder above end the search there", () => {
    write("devices/a.ts");
    link("devices/loop", "..");
    expect(found("devices")).toEqual({ sources: ["devices/a.ts"], skipped: [] });
  });

  test("that are named stand for their target", () => {
    write("real/a.ts");
    link("a.ts", "real/a.ts");
    link("folder", "real");
    expect(found("a.ts").sources).toEqual(["real/a.ts"]);
    expect(found("folder").sources).toEqual(["real/a.ts"]);
  });

  test("that lead nowhere, or into a folder that is not searched, are named with the reason", () => {
    write("devices/a.ts", "node_modules/b/b.ts", "plain.d.ts");
    link("devices/gone.ts", "../gone.ts");
    link("devices/b", "../node_modules/b");
    link("devices/plain.d.ts", "../plain.d.ts");
    expect(found("devices")).toEqual({
      sources: ["devices/a.ts"],
      skipped: ["devices/b ignored-link", "devices/gone.ts broken-link", "plain.d.ts declaration"],
    });
  });

  test("in a project whose own path has a folder of an ignored name are followed", () => {
    write(".home/proj/devices/a.ts", ".home/proj/more/b.ts");
    link(".home/proj/devices/b.ts", "../more/b.ts");
    expect(found(".home/proj/devices").sources).toEqual([".home/proj/devices/a.ts", ".home/proj/more/b.ts"]);
  });
});

test("a path without any source is an error that says what is there", () => {
  write("old/a.js", "empty.txt");
  expect(() => found("old")).toThrow(/old: contains no TypeScript source \(a\.js: JavaScript does not say/);
  expect(() => found("old/a.js")).toThrow("a.js: contains no TypeScript source");
  expect(() => found("empty.txt")).toThrow("empty.txt: not a TypeScript source");
  expect(() => found("gone")).toThrow("gone: no such file or directory");
  execFileSync("mkfifo", [join(root, "pipe.ts")]);
  expect(() => found("pipe.ts")).toThrow("pipe.ts: is not a regular file");
});

test("the same path twice is not an error", () => {
  write("devices/a.ts");
  expect(found("devices", "devices", "devices/a.ts").sources).toEqual(["devices/a.ts"]);
});

test("a package's code is of every kind, without that of packages inside it", () => {
  write(
    "package.json",
    "a.ts",
    "b.test.ts",
    "c.js",
    "d.d.ts",
    "dist/e.js",
    "inner/package.json",
    "inner/f.ts",
  );
  expect(codeOfPackage(root).map(local)).toEqual(["a.ts", "b.test.ts", "c.js", "d.d.ts"]);
});

test("a folder that does not exist has no sources", () => {
  expect(sourcesUnder(join(root, "gone"))).toEqual([]);
});
