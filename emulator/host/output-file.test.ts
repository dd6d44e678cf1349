import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandError } from "./command-error.ts";
import { checkOutput, OutputFile, requireDistinct, writeOutput, writeOutputs } from "./output-file.ts";
import { outputPlace } from "./output-place.ts";

const OLD = "old\n";
const NEW = "new, and longer than what was there\n";
const asRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "output-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const at = (...names: string[]) => join(folder, ...names);
const file = (name: string, mode = 0o644): string => {
  writeFileSync(at(name), OLD);
  chmodSync(at(name), mode);
  return at(name);
};
const link = (target: string, name: string): string => {
  symlinkSync(target, at(name));
  return at(name);
};
const modeOf = (path: string) => statSync(path).mode & 0o7777;
/** Part files left in the folder. */
const parts = () => readdirSync(folder, { recursive: true }).filter((name) => String(name).includes(".part"));

describe("an output that becomes whole", () => {
  afterEach(() => {
    expect(parts()).toEqual([]);
  });

  it("is a new file, with the mode that the umask gives", async () => {
    const before = process.umask(0o027);
    try {
      await writeOutput("-o", at("new"), NEW);
    } finally {
      process.umask(before);
    }
    expect(readFileSync(at("new"), "utf8")).toBe(NEW);
    expect(modeOf(at("new"))).toBe(0o640);
  });

  it.each([0o600, 0o644, 0o755, 0o664, 0o4755])("keeps mode %o", async (mode) => {
    const path = file("kept", mode);
    await writeOutput("-o", path, NEW);
    expect(readFileSync(path, "utf8")).toBe(NEW);
    expect(modeOf(path)).toBe(mode);
  });

  it.runIf(asRoot)("keeps its owner", async () => {
    const path = file("foreign", 0o640);
    chownSync(path, 1234, 2345);
    await writeOutput("-o", path, NEW);
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
    expect(modeOf(path)).toBe(0o640);
  });

  it("replaces the old file atomically: readers that have it open keep reading it", async () => {
    const path = file("open");
    const { ino } = statSync(path);
    const output = new OutputFile("-o", path);
    output.write(NEW.slice(0, 5));
    expect(readFileSync(path, "utf8")).toBe(OLD);
    output.write(NEW.slice(5));
    expect(readFileSync(path, "utf8")).toBe(OLD);
    await output.commit();
    expect(readFileSync(path, "utf8")).toBe(NEW);
    expect(statSync(path).ino).not.toBe(ino);
  });

  it.each([
    ["a link", (target: string) => target],
    ["a relative link", () => "target"],
    ["a link to a link", () => "middle"],
  ])("writes through %s, which stays", async (_, link) => {
    const target = file("target", 0o600);
    symlinkSync(target, at("middle"));
    const text = link(target);
    symlinkSync(text, at("link"));
    await writeOutput("-o", at("link"), NEW);
    expect(readlinkSync(at("link"))).toBe(text);
    expect(readFileSync(target, "utf8")).toBe(NEW);
    expect(modeOf(target)).toBe(0o600);
  });

  it("writes through a link whose target does not exist yet, and through one in a folder that is a link", async () => {
    mkdirSync(at("real"));
    symlinkSync("real", at("alias"));
    symlinkSync("../made", at("real", "link"));
    await writeOutput("-o", at("alias", "link"), NEW);
    expect(readFileSync(at("made"), "utf8")).toBe(NEW);
    expect(lstatSync(at("real", "link")).isSymbolicLink()).toBe(true);
  });

  it("keeps hard links together", async () => {
    const path = file("one", 0o640);
    linkSync(path, at("other"));
    await writeOutput("-o", path, NEW);
    expect(readFileSync(at("other"), "utf8")).toBe(NEW);
    expect(statSync(path)).toMatchObject({ nlink: 2, ino: statSync(at("other")).ino });
    await writeOutput("-o", path, "");
    expect(readFileSync(at("other"), "utf8")).toBe("");
  });

  it("creates missing folders on request", async () => {
    await writeOutput("-o", at("a", "b", "c"), NEW, { makeFolders: true });
    expect(readFileSync(at("a", "b", "c"), "utf8")).toBe(NEW);
  });

  it("is written through if it is open already, like standard output", () => {
    const path = file("redirected");
    execFileSync("sh", [
      "-c",
      `${inNode('writeOutput("-o", "/dev/stdout", "b").then(() => console.log("c"))')} >> ${path}`,
    ]);
    expect(readFileSync(path, "utf8")).toBe(`${OLD}bc\n`);
  });
});

describe("an output that is no regular file", () => {
  it("is a FIFO, which is written once it has a reader, and stays one", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    const long = "x".repeat(300_000);
    const written = writeOutput("-o", at("fifo"), long);
    const reader = spawn("sh", ["-c", `sleep 0.2; wc -c < ${at("fifo")}`]);
    let counted = "";
    reader.stdout.on("data", (text) => {
      counted += text;
    });
    await Promise.all([written, once(reader, "close")]);
    expect(Number(counted)).toBe(long.length);
    expect(statSync(at("fifo")).isFIFO()).toBe(true);
  });

  it("is a FIFO whose reader leaves: an error, but not the end of the process", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    const reader = spawn("sh", ["-c", `head -c 10 < ${at("fifo")} > /dev/null`]);
    await expect(writeOutput("-o", at("fifo"), "x".repeat(5_000_000))).rejects.toThrow(
      /-o .*fifo: nobody reads it any more/,
    );
    reader.kill();
  });

  it.runIf(asRoot)("is a device: written through, and still there", async () => {
    execFileSync("mknod", [at("null"), "c", "1", "3"]);
    execFileSync("mknod", [at("full"), "c", "1", "7"]);
    await writeOutput("-o", at("null"), NEW);
    await expect(writeOutput("-o", at("full"), NEW)).rejects.toThrow(
      /-o .*full: no space left on the device; make/,
    );
    for (const name of ["null", "full"]) expect(statSync(at(name)).isCharacterDevice()).toBe(true);
    symlinkSync("full", at("link"));
    await expect(writeOutput("-o", at("link"), NEW)).rejects.toThrow(/no space left/);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
  });
});

describe("an output that cannot be written", () => {
  it.each<[string, () => string, RegExp]>([
    ["a folder", () => folder, /^--stats .*: is a folder; give a file$/],
    ["a folder that does not exist", () => at("none/"), /: is a folder; give a file$/],
    ["in no folder", () => at("none", "x"), /its folder does not exist; make it/],
    ["below a file", () => join(file("plain"), "x"), /a part of its path is a file/],
    ["without a name", () => "", /the path is empty; give a file/],
    ["not in UTF-8", () => at("a\ufffdb"), /the name is not valid UTF-8; give one that is/],
    ["with a zero byte", () => "a\0b", /is not a path; give one without zero bytes/],
    ["with too long a name", () => at("x".repeat(300)), /its name is too long/],
    ["in a circle of links", () => link("loop", "loop"), /links lead in a circle/],
    ["read only", () => file("protected", 0o444), /no permission to write there/],
    ["in /proc", () => "/proc/x", /no file can be made there|no permission/],
  ])("is refused before anything runs: %s", (_, place, message) => {
    const path = place();
    expect(() => checkOutput("--stats", path)).toThrow(CommandError);
    expect(() => checkOutput("--stats", path)).toThrow(message);
    expect(() => new OutputFile("--stats", path, { makeFolders: path.startsWith("/proc") })).toThrow(
      CommandError,
    );
  });

  it("leaves the old content, and no part file", () => {
    const path = file("kept");
    const output = new OutputFile("-o", path);
    output.write(NEW);
    output.discard();
    checkOutput("-o", path);
    checkOutput("-o", at("fresh"));
    expect(readFileSync(path, "utf8")).toBe(OLD);
    expect(readdirSync(folder)).toEqual(["kept"]);
  });

  it("leaves no part file when a signal or an exit ends the process", () => {
    for (const ending of ["process.exit(3)", 'process.kill(process.pid, "SIGTERM")', "undefined"]) {
      const script = inNode(
        `onEndSignal((code) => process.exit(code)); const f = new OutputFile("-o", "${file("kept")}"); f.write("x"); ${ending}`,
      );
      expect(() => execFileSync("sh", ["-c", `${script}; true`])).not.toThrow();
      expect(readdirSync(folder)).toEqual(["kept"]);
    }
  });
});

describe("an output that is an open descriptor", () => {
  const outcome = (script: string, redirection: string): string =>
    execFileSync(
      "sh",
      ["-c", `${inNode(`try { ${script} } catch (error) { console.log(error.message) }`)} ${redirection}`],
      {
        encoding: "utf8",
      },
    );

  it.each(["/dev/fd/0", "/dev/stdin", "/proc/self/fd/0", "/proc/thread-self/fd/0"])(
    "is refused if it is open only for reading: %s",
    (descriptor) => {
      const path = file("input");
      const text = outcome(`await writeOutput("--stats", "${descriptor}", "x")`, `< ${path}`);
      expect(text).toBe(
        `--stats ${descriptor}: is open only for reading; give a descriptor opened for writing\n`,
      );
      expect(readFileSync(path, "utf8")).toBe(OLD);
    },
  );

  it.each([
    [">>", `${OLD}x`],
    ["<>", `${OLD}x`],
    [">", "x"],
  ])("is written through if it is open for writing: %s", (operator, expected) => {
    const path = file("output");
    expect(outcome('await writeOutput("--stats", "/dev/fd/7", "x")', `7${operator} ${path}`)).toBe("");
    expect(readFileSync(path, "utf8")).toBe(expected);
  });

  it("is refused if it leads to an input", () => {
    const path = file("input");
    const text = outcome(
      `requireApart([new OutputFile("--stats", "/dev/fd/7")], [{ option: "--kernel", path: "${path}" }])`,
      `7>> ${path}`,
    );
    expect(text).toMatch(/^--stats \/dev\/fd\/7: is the same file as --kernel .*input, which would be lost/);
  });
});

describe("several outputs", () => {
  it("are all written, or none is", () => {
    const one = file("one", 0o600);
    const other = file("other");
    symlinkSync("other", at("link"));
    writeOutputs(
      new Map([
        [one, NEW],
        [at("link"), NEW],
        [at("third"), NEW],
      ]),
    );
    for (const name of ["one", "other", "third"]) expect(readFileSync(at(name), "utf8")).toBe(NEW);
    expect(modeOf(one)).toBe(0o600);
    chmodSync(other, 0o444);
    expect(() =>
      writeOutputs(
        new Map([
          [one, OLD],
          [other, OLD],
        ]),
      ),
    ).toThrow(/other: no permission/);
    expect(() =>
      writeOutputs(
        new Map([
          [at("third"), OLD],
          [folder, OLD],
        ]),
      ),
    ).toThrow(/is a folder/);
    for (const name of ["one", "other", "third"]) expect(readFileSync(at(name), "utf8")).toBe(NEW);
    expect(parts()).toEqual([]);
  });

  it("must be different files", () => {
    symlinkSync("one", at("link"));
    const files = [new OutputFile("--stats", file("one")), new OutputFile("--trace", at("link"))];
    expect(() => requireDistinct(files)).toThrow(
      /^--trace .*link: is the same file as --stats .*one; give each/,
    );
    const fresh = [new OutputFile("--stats", at("new")), new OutputFile("--trace", `${folder}//new`)];
    expect(() => requireDistinct(fresh)).toThrow(/is the same file as/);
    requireDistinct([new OutputFile("--stats", "/dev/null"), new OutputFile("--trace", "/dev/null")]);
    for (const each of [...files, ...fresh]) each.discard();
    expect(existsSync(at("new"))).toBe(false);
  });
});

it("resolves a path to a place", () => {
  const path = file("file");
  linkSync(path, at("twin"));
  symlinkSync(path, at("link"));
  expect(outputPlace("-o", at("link"))).toMatchObject({ path, kind: "rewrite" });
  expect(outputPlace("-o", at("free"))).toMatchObject({ path: at("free"), kind: "new" });
  expect(outputPlace("-o", "/dev/null")).toMatchObject({ path: "/dev/null", kind: "stream" });
});

/** A command that runs a script with this module's functions imported. */
function inNode(script: string): string {
  const entry = join(dirname(new URL(import.meta.url).pathname), "../../dist/emulator/host/index.cjs");
  return `${process.execPath} --input-type=module -e 'import { OutputFile, onEndSignal, requireApart, writeOutput } from "${entry}"; ${script}'`;
}
