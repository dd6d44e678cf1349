/** Kept code speeds up a start, and never changes what it does. */
import { execFileSync, spawnSync } from "node:child_process";
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
import { dirname, join } from "node:path";
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

const named = (name: string) => join(code, `${name}-${process.version}-${process.arch}`);

// Later ones keep code by themselves.
describe.runIf(process.version.startsWith("v20."))("code kept from one start to the next", () => {
  const BOARDS = ["run", "-M", "help"];
  const files = (folder: string) => readdirSync(folder).sort();

  it("is complete, private, and left as it is by the next start", () => {
    const first = start(BOARDS);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(files(code).map((name) => join(code, name))).toContain(named("machine.cjs"));
    const { mode, mtimeMs, ino } = statSync(named("machine.cjs"));
    expect(mode & 0o777).toBe(0o600);
    expect(start(BOARDS)).toEqual(first);
    expect(statSync(named("machine.cjs"))).toMatchObject({ mtimeMs, ino });
  });

  it.each<[string, (file: string) => void]>([
    ["cut off", (file) => truncateSync(file, 1000)],
    ["empty", (file) => truncateSync(file, 0)],
    ["one bit of its source other", (file) => writeFileSync(file, flipped(readFileSync(file), 5000))],
    [
      "one bit of its code other",
      (file) => writeFileSync(file, flipped(readFileSync(file), statSync(file).size - 50)),
    ],
    ["one bit of a length other", (file) => writeFileSync(file, flipped(readFileSync(file), 3))],
    ["one bit of its checksum other", (file) => writeFileSync(file, flipped(readFileSync(file), 9))],
    ["another module's", (file) => cpSync(named("qom.cjs"), file)],
  ])("is made anew if it is %s", (_, damage) => {
    const first = start(BOARDS);
    const names = files(code);
    damage(named("machine.cjs"));
    const damaged = readFileSync(named("machine.cjs"));
    expect(start(BOARDS)).toEqual(first);
    const anew = readFileSync(named("machine.cjs"));
    expect(anew.equals(damaged)).toBe(false);
    expect(start(BOARDS)).toEqual(first);
    expect(readFileSync(named("machine.cjs")).equals(anew)).toBe(true);
    expect(files(code)).toEqual(names);
  });

  it.each<[string, () => void, NodeJS.ProcessEnv]>([
    ["a file is where its folder would be", () => writeFileSync(join(folder, "cache"), ""), {}],
    ["it is switched off", () => {}, { NODE_DISABLE_COMPILE_CACHE: "1" }],
    ["its folder cannot be written", () => mkdirSync(code, { recursive: true, mode: 0o500 }), {}],
    ["its folder cannot exist", () => {}, { XDG_CACHE_HOME: "/proc/nowhere" }],
    ["a pipe has its name", () => plant((path) => execFileSync("mkfifo", [path])), {}],
    ["a link to a device has its name", () => plant((path) => symlinkSync("/dev/zero", path)), {}],
  ])("is not needed: %s", (_, prepare, env) => {
    prepare();
    const { status, stdout, stderr } = start(BOARDS, env);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("virt");
    if (existsSync(code)) chmodSync(code, 0o700);
  });

  it("is kept where NODE_COMPILE_CACHE says", () => {
    start(BOARDS, { NODE_COMPILE_CACHE: join(folder, "own") });
    expect(files(join(folder, "own")).length).toBeGreaterThan(0);
    expect(existsSync(code)).toBe(false);
  });

  it("is not used for a module of the same length with another text", () => {
    const copy = join(folder, "package");
    for (const name of ["package.json", "dist/bin", "dist/emulator/host"])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const wrong = () => start(["run", "-smp", "99"], {}, copy).stderr;
    expect(wrong()).toContain("too many processors");
    const file = join(copy, "dist/bin/program/machine.cjs");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("too many processors", "TOO MANY PROCESSORS"));
    expect(wrong()).toContain("TOO MANY PROCESSORS");
  });

  it("imports nothing later, which kept code cannot", () => {
    const folder = join(root, "dist/bin/program");
    for (const name of readdirSync(folder).filter((each) => each.endsWith(".cjs")))
      expect(readFileSync(join(folder, name), "utf8"), name).not.toMatch(/\bimport\s*\(/);
  });

  it("does not keep commands from loading", () => {
    for (let repeat = 0; repeat < 2; repeat++)
      expect(start(["audit", "--help"])).toMatchObject({ status: 0, stderr: "" });
  });
});

/** Puts something where the code of a module is kept. */
function plant(make: (path: string) => void): void {
  const place = join(code, `machine.cjs-${process.version}-${process.arch}`);
  mkdirSync(dirname(place), { recursive: true });
  make(place);
}

function flipped(content: Buffer, at: number): Buffer {
  content[at] = (content[at] ?? 0) ^ 1;
  return content;
}
