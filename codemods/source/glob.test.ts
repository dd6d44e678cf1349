import { expect, test } from "vitest";
import { globOption, matchesGlob } from "./glob.ts";

test.each([
  ["*.ts", "a.ts", true],
  ["*.ts", "deep/a.ts", true],
  ["*.ts", "a.tsx", false],
  ["/*.ts", "deep/a.ts", false],
  ["src/*.ts", "src/a.ts", true],
  ["src/*.ts", "src/deep/a.ts", false],
  ["src/**", "src/deep/a.ts", true],
  ["**/hw/**/*.ts", "src/hw/rtc.ts", true],
  ["./src/**/*.ts", "src/a.ts", true],
  ["*.{ts,tsx}", "a.tsx", true],
  ["*.{ts,tsx}", "a.js", false],
  ["a?.ts", "ab.ts", true],
  ["[ab].ts", "b.ts", true],
  ["[!ab].ts", "b.ts", false],
  ["a.b+(c).ts", "a.b+(c).ts", true],
  ["a,b.ts", "a,b.ts", true],
])("%s and %s: %s", (pattern, path, expected) => {
  expect(matchesGlob(pattern, path)).toBe(expected);
});

test.each(["[", "a[", "[a*", "{a", "{a,{b}", "*[z-a]*", "[\\]", "x/[!"])("%s is malformed", (pattern) => {
  expect(matchesGlob(pattern, "a.ts")).toBe(false);
  expect(() => globOption("--only", pattern)).toThrow(
    `--only ${pattern}: not a file pattern; close every [ and {`,
  );
});

test("characters that mean something stand for themselves in brackets", () => {
  expect(globOption("--only", "[[]a[{].ts")("[a{.ts")).toBe(true);
});

test("any text is a pattern or is refused by name", () => {
  const characters = [..."ab[]{}!-^*?,/.\\(z"];
  const texts = characters.flatMap((a) => characters.flatMap((b) => characters.map((c) => a + b + c)));
  for (const text of texts) {
    try {
      globOption("--convert", text)("some/path.ts");
    } catch (error) {
      expect((error as Error).message).toMatch(/^--convert .*: not a file pattern; /s);
    }
  }
});
