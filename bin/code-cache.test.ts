/** Kept code speeds up a start, and never changes what it does. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const CLI = "dist/bin/cli.js";
if (!existsSync(join(root, CLI))) throw new Error(`${CLI} is missing; run npm run build first`);

let folder: string;
let code: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-code-"));
  code = join(folder, "cache", "regionlab", "code");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts the command of a package, with its kept code in `folder`. */
function start(words: readonly string[], env: NodeJS.ProcessEnv = {}, home = root) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(home, CLI), ...words], {
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), NODE_COMPILE_CACHE: "", ...env },
  });
  return { status, stdout, stderr };
}

const kept = () => readdirSync(code).sort();
const named = (name: string) => join(code, `${name}-${process.version}`);

// Later ones keep code by themselves.
describe.runIf(process.version.startsWith("v20."))("code kept from one start to the next", () => {
  const VERSION = ["--version"];

  it("is complete, private, and left as it is by the next start", () => {
    const first = start(VERSION);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(kept()).toEqual(["index.cjs", "program.cjs"].map((name) => `${name}-${process.version}`));
    const { mode, mtimeMs, ino } = statSync(named("program.cjs"));
    expect(mode & 0o777).toBe(0o600);
    expect(start(VERSION)).toEqual(first);
    expect(statSync(named("program.cjs"))).toMatchObject({ mtimeMs, ino });
  });

  it.each<[string, (file: string) => void]>([
    ["cut off", (file) => truncateSync(file, 1000)],
    ["empty", (file) => truncateSync(file, 0)],
    ["one bit other", (file) => writeFileSync(file, flipped(readFileSync(file), 5000))],
    ["one bit of its digest other", (file) => writeFileSync(file, flipped(readFileSync(file), 3))],
    ["another module's", (file) => cpSync(named("index.cjs"), file)],
  ])("is made anew if it is %s", (_, damage) => {
    const first = start(VERSION);
    const whole = readFileSync(named("program.cjs"));
    damage(named("program.cjs"));
    expect(start(VERSION)).toEqual(first);
    expect(readFileSync(named("program.cjs")).length).toBe(whole.length);
    expect(kept().length).toBe(2);
  });

  it.each<[string, () => void, NodeJS.ProcessEnv]>([
    ["a file is where its folder would be", () => writeFileSync(join(folder, "cache"), ""), {}],
    ["it is switched off", () => {}, { NODE_DISABLE_COMPILE_CACHE: "1" }],
    ["its folder cannot be written", () => mkdirSync(code, { recursive: true, mode: 0o500 }), {}],
    ["its folder cannot exist", () => {}, { XDG_CACHE_HOME: "/proc/nowhere" }],
  ])("is not needed: %s", (_, prepare, env) => {
    prepare();
    const { status, stdout, stderr } = start(VERSION, env);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    if (existsSync(code)) chmodSync(code, 0o700);
  });

  it("is kept where NODE_COMPILE_CACHE says", () => {
    start(VERSION, { NODE_COMPILE_CACHE: join(folder, "own") });
    expect(readdirSync(join(folder, "own")).length).toBe(2);
    expect(existsSync(code)).toBe(false);
  });

  it("is not used for a module of the same length with another text", () => {
    const copy = join(folder, "package");
    for (const name of ["package.json", "dist/bin", "dist/emulator/host"])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const wrong = () => start(["run", "--speed"], {}, copy).stderr;
    expect(wrong()).toContain("; see regionlab run --help");
    const file = join(copy, "dist/bin/program.cjs");
    const text = readFileSync(file, "utf8");
    expect(text).toContain("; see ");
    writeFileSync(file, text.replace("; see ", "; SEE "));
    expect(wrong()).toContain("; SEE regionlab run --help");
  });
});

function flipped(content: Buffer, at: number): Buffer {
  content[at] = (content[at] ?? 0) ^ 1;
  return content;
}
