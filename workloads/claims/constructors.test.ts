import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { constructors } from "./c09.ts";

const HARDWARE = "emulator/hw";

/** The sources of a tree that match, in order. */
function users(tree: string, call: RegExp): string[] {
  const folder = join(HARDWARE, tree);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && call.test(readFileSync(join(folder, file), "utf8")))
    .sort();
}

test("each constructor has a user in both trees, the same in each", () => {
  const inUse = constructors().map((name) => {
    const init = name.replace(/^new/, "init");
    const owned = users("owned", new RegExp(`\\bMemoryRegion\\.${name}\\(|Region\\.${name}\\(`));
    expect(users("embedded", new RegExp(`\\.${init}\\(\\s*(this|\\w*[oO]wner),`))).toEqual(owned);
    return [name, owned.length > 0];
  });
  expect(inUse).toEqual(constructors().map((name) => [name, true]));
  expect(inUse.length).toBeGreaterThanOrEqual(10);
});
