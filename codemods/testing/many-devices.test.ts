import { afterEach, beforeEach, expect, test } from "vitest";
import { runCodemodOn } from "../harness.ts";
import { compilePlan } from "../verify/phase.ts";
import { deviceSource, longSource } from "./many-devices.ts";
import { Scratch } from "./scratch.ts";

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

/** The texts after both conversions, one after the other; every region converts and the results compile. */
function thereAndBack(files: Readonly<Record<string, string>>) {
  const options = { directory: scratch.root, verify: compilePlan };
  const owned = runCodemodOn(files, "to-owned", options);
  expect(owned.refusals).toEqual([]);
  const embedded = runCodemodOn(Object.fromEntries(owned.texts), "to-embedded", options);
  expect(embedded.refusals).toEqual([]);
  return { owned: owned.texts, embedded: embedded.texts };
}

test("the devices that speed is measured on convert, compile and come back", () => {
  const files = Object.fromEntries([0, 1, 2].map((index) => [`device-${index}.ts`, deviceSource(index)]));
  const { owned, embedded } = thereAndBack(files);
  for (const [name, text] of Object.entries(files)) {
    expect(owned.get(name)).not.toBe(text);
    expect(embedded.get(name)).toBe(text);
  }
});

test("so do long classes", () => {
  for (const share of [0.05, 0.9]) {
    const text = longSource(300, share);
    expect(thereAndBack({ "long.ts": text }).embedded.get("long.ts")).toBe(text);
  }
});
