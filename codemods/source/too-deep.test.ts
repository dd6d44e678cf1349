import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCodemodOn } from "../harness.ts";
import { runAudit } from "../lifetime/run.ts";
import { runCodemod } from "../run.ts";

const folder = mkdtempSync(join(tmpdir(), "too-deep-"));
afterAll(() => rmSync(folder, { recursive: true }));

const chain = (count: number) => `export const c = "a"${".trim()".repeat(count)};`;
const DEEP: [string, string][] = [
  ["calls in a chain", chain(6000)],
  ["brackets", `export const p = ${"(".repeat(6000)}1${")".repeat(6000)};`],
  ["blocks that do not end", `export function g() ${"{".repeat(20_000)}`],
  ["branches", `export function f(x: number) { ${"if (x) return 1; else ".repeat(20_000)} return 2; }`],
];

describe.each(DEEP)("%s nested too deeply", (_, text) => {
  const path = join(folder, "deep.ts");
  const message =
    /deep\.ts: an expression or statement in it is nested too deeply .*; split it, or leave the file out$/;

  it("are named by every command, which changes nothing", async () => {
    writeFileSync(path, text);
    writeFileSync(join(folder, "other.ts"), "export const other = 1;\n");
    const write = { write: true, allowDirty: true };
    await expect(runCodemod("to-owned", [folder], write, () => {})).rejects.toThrow(message);
    await expect(runCodemod("to-embedded", [folder], { children: true }, () => {})).rejects.toThrow(message);
    await expect(runAudit([folder], {}, () => {})).rejects.toThrow(message);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(() => runCodemodOn({ "deep.ts": text }, "to-owned", { directory: folder })).toThrow(message);
  });
});

it("are no trouble to the depth that people write", () => {
  expect(runCodemodOn({ "chain.ts": chain(100) }, "to-owned").sites).toEqual([]);
});
