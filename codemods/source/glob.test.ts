import { expect, test } from "vitest";
import { matchesGlob } from "./glob.ts";

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
