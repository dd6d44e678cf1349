/** Commands that are busy for long without a break, and signals that are to end them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "dist/bin/cli.js");
const folder = mkdtempSync(join(tmpdir(), "signals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A tree that takes seconds to read. */
function cTree(): string {
  const fixtures = join(ROOT, "codemods/c/fixtures");
  for (let copy = 0; copy < 40; copy++)
    cpSync(fixtures, join(folder, "tree", `${copy}`), { recursive: true });
  return "tree";
}

function devices(): string {
  const source = join(ROOT, "emulator/hw/embedded");
  mkdirSync(join(folder, "devices"), { recursive: true });
  cpSync(source, join(folder, "devices"), { recursive: true });
  return "devices";
}

it.each([
  ["SIGTERM", () => ["c", "audit", cTree()]],
  ["SIGINT", () => ["c", "to-owned", cTree()]],
  ["SIGHUP", () => ["audit", devices()]],
  ["SIGINT", () => ["codemod", "to-owned", devices()]],
] as const)("%s ends a command at once, and leaves nothing half written", async (signal, words) => {
  const started = [...words(), "--json", "out.json"];
  const child = spawn(process.execPath, [CLI, ...started], { cwd: folder, stdio: "ignore" });
  await new Promise((resolve) => setTimeout(resolve, 600));
  child.kill(signal);
  // With a handler, the exit code would be 128 + signal, once the work is done.
  expect(await once(child, "exit")).toEqual([null, signal]);
  expect(readdirSync(folder).filter((name) => name.includes("out.json"))).toEqual([]);
});
