/** What gcc says of the converted sources in every target, and of uses that the codemods do not know. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cacheFolder } from "../cache-folder.ts";
import { packageRoot } from "../package-root.ts";
import { buildFolder, treeFolder } from "./build.ts";
import { run, whyNoBuild } from "./testing.ts";

const build = buildFolder("checks", "all");
let why: string | undefined;

beforeAll(async () => {
  why = await whyNoBuild("--all-targets");
});

/** What the oracle found, which stays beside the builds for `npm run bench:qemu -- claims`. */
async function oracle(what: string) {
  const program = join(packageRoot(), "dist/codemods/c/oracle/main.js");
  const { stdout, stderr } = await run(process.execPath, [program, what, treeFolder("checks"), build]);
  expect(stdout, stderr).not.toBe("");
  writeFileSync(join(cacheFolder(), "qemu", `${what}.json`), stdout);
  return JSON.parse(stdout);
}

test("every touched object of every target compiles, without a new message", async ({ skip }) => {
  if (why !== undefined) skip(why);
  const { objects, sources, changedSources, notConfigured, added, messagesBefore } = await oracle("objects");
  console.log(`${objects} objects of ${sources} of ${changedSources} changed sources`);
  console.log(`not in any target that this machine can configure: ${notConfigured.join(", ")}`);
  console.log(`with messages before: ${messagesBefore.join("\n")}`);
  expect(objects).toBeGreaterThan(500);
  expect(added).toEqual([]);
});

test("gcc knows of no use that was missed", async ({ skip }) => {
  if (why !== undefined) skip(why);
  const { objects, sources, uses, missed, failed } = await oracle("uses");
  console.log(
    `${uses} uses in ${objects} objects of ${sources} sources; ${failed.length} failed: ${failed.join("\n")}`,
  );
  expect(uses).toBeGreaterThan(3000);
  expect(missed).toEqual([]);
});
