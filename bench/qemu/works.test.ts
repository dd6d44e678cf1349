import { expect, test } from "vitest";
import { whyImpossible, worksOf } from "./works.ts";

test("a work that needs a device is left out if one of the builds lacks it", () => {
  const [work] = worksOf().filter(({ device }) => device === "sii3112");
  if (work === undefined) throw new Error("no work plugs in a sii3112");
  const has = (build: string, type: string) => build === "/full" && type === "sii3112";
  expect(whyImpossible(work, ["/full", "/full"], has)).toBeUndefined();
  expect(whyImpossible(work, ["/full", "/usual"], has)).toBe("/usual has no device sii3112");
});

test("works that need no particular device are always possible", () => {
  const others = worksOf().filter(({ device }) => device === undefined);
  expect(others.length).toBeGreaterThan(10);
  for (const work of others) expect(whyImpossible(work, ["/a", "/b"], () => false)).toBeUndefined();
});
