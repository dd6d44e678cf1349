/** Follows docs/your-own-device.md with nothing but the packed npm package. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CLI, root } from "./testing/command-line.ts";
import { installPackage } from "./testing/package.ts";

/** For copying and removing some ten thousand package files on a busy machine. */
const COPY_MILLISECONDS = 5 * 60_000;
const PAGE = readFileSync(join(root, "docs", "your-own-device.md"), "utf8");

let folder: string;
let project: string;

beforeAll(() => {
  if (!existsSync(join(root, CLI))) throw new Error(`${CLI} is missing; run npm run build first`);
  folder = mkdtempSync(join(tmpdir(), "regionlab-library-"));
  installPackage(folder);
  project = join(folder, "project");
  for (const name of ["typescript", "@types/node", "undici-types"])
    cpSync(join(root, "node_modules", name), join(project, "node_modules", name), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  for (const [, name, text] of PAGE.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)) {
    if (name === undefined || text === undefined) continue;
    const content = name === "package.json" ? JSON.stringify({ ...JSON.parse(text), dependencies }) : text;
    writeFileSync(join(project, name), content);
  }
}, COPY_MILLISECONDS);
afterAll(() => rmSync(folder, { recursive: true }), COPY_MILLISECONDS);

function run(...words: string[]) {
  const [command = "", ...rest] = words;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(command, rest, { cwd: project, env, encoding: "utf8" });
  return { status, stdout, stderr };
}
const tsc = () => run(process.execPath, "node_modules/typescript/bin/tsc");
const regionlab = (...words: string[]) => run("node_modules/.bin/regionlab", ...words);
const OUTPUT = { status: 0, stdout: "poweroff: 440 Hz\n0 blocks left\n", stderr: "" };

it("type-checks, runs, converts and runs again", () => {
  expect(tsc()).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(run(process.execPath, "built/board.js")).toEqual(OUTPUT);
  const audit = regionlab("audit", "beeper.ts");
  expect(audit.stderr).toBe("");
  expect(audit.stdout).toContain("Beeper.iomem");
  const converted = regionlab("codemod", "to-owned", "beeper.ts", "--write", "--allow-dirty");
  expect([converted.status, converted.stderr]).toEqual([0, ""]);
  expect(converted.stdout).toContain("1 region to convert (1 without a field, 0 with one)");
  expect(readFileSync(join(project, "beeper.ts"), "utf8")).toContain("MemoryRegion.newIo(this, ops, this");
  expect(tsc()).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(run(process.execPath, "built/board.js")).toEqual(OUTPUT);
});

it("reports a type error in the device", () => {
  const path = join(project, "beeper.ts");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace('endianness: "little"', 'endianness: "middle"'));
  expect(tsc().stdout).toMatch(/beeper\.ts\(\d+,\d+\): error TS2322: .*"middle"/);
  writeFileSync(path, before);
});
