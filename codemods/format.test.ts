/** Both trees are formatted, so the codemods must write exactly what the formatter would. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedSources } from "./testing/generated-devices.ts";
import { Converter, fixtureNames, readFixture } from "./testing/golden-project.ts";
import { Scratch } from "./testing/scratch.ts";

const project = dirname(import.meta.dirname);
const biome = join(project, "node_modules/@biomejs/biome/bin/biome");
const { formatter } = createRequire(import.meta.url)(join(project, "biome.json"));

let scratch: Scratch;
beforeAll(() => {
  scratch = new Scratch();
  scratch.write("biome.json", JSON.stringify({ formatter, linter: { enabled: false } }));
});
afterAll(() => scratch.remove());

/** Formats texts, given by file name; returns the names of those that change. */
function reformatted(texts: ReadonlyMap<string, string>): string[] {
  for (const [name, text] of texts) scratch.write(name, text);
  const names = [...texts.keys()];
  const result = spawnSync(process.execPath, [biome, "format", "--write", ...names], {
    cwd: scratch.root,
    encoding: "utf8",
  });
  expect(result.status, result.stderr).toBe(0);
  return names.filter((name) => readFileSync(scratch.path(name), "utf8") !== texts.get(name));
}

test.skipIf(!existsSync(biome))("fixtures are formatted in both forms", () => {
  const texts = new Map<string, string>();
  for (const name of fixtureNames("converted")) {
    for (const form of ["before", "after"]) {
      texts.set(`converted/${name}/${form}.ts`, readFixture("converted", name, `${form}.ts`));
    }
  }
  expect(reformatted(texts)).toEqual([]);
});

test.skipIf(!existsSync(biome))("generated devices are formatted in both forms", () => {
  const converter = new Converter();
  const texts = new Map<string, string>();
  for (const [index, embedded] of fc.sample(generatedSources, { numRuns: 40, seed: 110 }).entries()) {
    texts.set(`generated/embedded-${index}.ts`, embedded);
    texts.set(`generated/owned-${index}.ts`, converter.convert("generated.ts", "to-owned", embedded).after);
  }
  expect(reformatted(texts)).toEqual([]);
});
