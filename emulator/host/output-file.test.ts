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

  it("takes back the folders that it made for an output that is discarded, and no others", () => {
    mkdirSync(at("there"));
    checkOutput("-o", at("there", "x", "y", "z"), { makeFolders: true });
    expect(readdirSync(at("there"))).toEqual([]);
    const [first, second] = ["one", "two"].map(
      (name) => new OutputFile("-o", at("there", "x", name), { makeFolders: true }),
    );
    second?.write("2");
    first?.discard();
    second?.commitSync();
    second?.discard();
    expect(readdirSync(at("there", "x"))).toEqual(["two"]);
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

/** What a script prints with descriptors that the shell opened. */
const outcome = (script: string, redirection: string): string =>
  execFileSync(
    "sh",
    ["-c", `${inNode(`try { ${script} } catch (error) { console.log(error.message) }`)} ${redirection}`],
    {
      encoding: "utf8",
    },
  );

describe("an output that is an open descriptor", () => {
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
    ["<>", `x${OLD.slice(1)}`],
    [">", "x"],
  ])("is written at its own position if it is open for writing: %s", (operator, expected) => {
    const path = file("output");
    for (const script of [
      'await writeOutput("--stats", "/dev/fd/7", "x")',
      'const f = new OutputFile("-serial", "/dev/fd/7", { growing: "emptied" }); f.start(); f.write("x"); await f.commit()',
    ]) {
      writeFileSync(path, OLD);
      expect(outcome(script, `7${operator} ${path}`)).toBe("");
      expect(readFileSync(path, "utf8")).toBe(expected);
    }
  });

  it.each([
    ["a file", "> out"],
    ["a file that is appended to", ">> out"],
    ["a pipe", "| cat > out"],
  ])("shares its place with what is printed: %s", (_, redirection) => {
    file("out");
    const script = `const o = new OutputFile("--trace", "/dev/stdout"); await o.ready();
      for (let i = 0; i < 2000; i++) { process.stdout.write("a".repeat(50)); o.write("b".repeat(50)); }
      await o.commit(); process.stdout.write("c")`;
    execFileSync("sh", ["-c", `cd ${folder} && ${inNode(script)} ${redirection}`]);
    const text = readFileSync(at("out"), "utf8");
    expect(text.replace(OLD, "")).toBe(`${`${"a".repeat(50)}${"b".repeat(50)}`.repeat(2000)}c`);
  });

  it("is refused if it is not open", () => {
    expect(outcome('await writeOutput("--stats", "/dev/fd/77", "x")', "")).toMatch(
      /is not open; give a descriptor/,
    );
  });

  it("that is a pipe which nobody reads is an error, not something to wait for", () => {
    const script = `await new Promise((resolve) => setTimeout(resolve, 300));
      try { await writeOutput("-o", "/dev/fd/7", "x") } catch (error) { console.error(error.message) }`;
    execFileSync("sh", ["-c", `${inNode(script)} 7>&1 2> ${at("errors")} | true`]);
    expect(readFileSync(at("errors"), "utf8")).toBe("-o /dev/fd/7: nobody reads it any more\n");
  });

  it("is refused if it leads to an input", () => {
    const path = file("input");
    const text = outcome(
      `requireApart([outputPlace("--stats /dev/fd/7", "/dev/fd/7")], [{ option: "--kernel", path: "${path}" }])`,
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

  const placesOf = (...paths: string[]) => paths.map((path, i) => outputPlace(`-${i}`, path));

  it.each<[string, () => readonly [string, string]]>([
    ["one file", () => [file("one"), at("one")]],
    ["a new file", () => [at("new"), `${folder}//new`]],
    ["a file and a link", () => [file("one"), link("one", "link")]],
    ["a file and a hard link", () => [file("one"), at("twin")]],
    ["a new file and a link to it", () => [at("new"), link("new", "link")]],
    ["two links to a new file", () => [link("new", "link"), link("link", "other")]],
    ["a new file in a folder and in a link to it", () => [at("d", "new"), join(link("d", "e"), "new")]],
    [
      "a new file by a path that leaves a link upwards",
      () => [at("new"), `${link("d/below", "e")}/../../new`],
    ],
    ["a named pipe", () => [at("fifo"), link("fifo", "link")]],
  ])("must be different files: %s", (_, make) => {
    mkdirSync(at("d", "below"), { recursive: true });
    execFileSync("mkfifo", [at("fifo")]);
    linkSync(file("one"), at("twin"));
    const [one, other] = make();
    for (const paths of [
      [one, other],
      [other, one],
    ])
      expect(() => requireDistinct(placesOf(...paths))).toThrow(
        /^-1 .*is the same file as -0$|is the same file as -0/,
      );
  });

  it("may be one device, or one descriptor", () => {
    requireDistinct(placesOf("/dev/null", "/dev/null"));
    const text = outcome(
      'requireDistinct(["/dev/fd/7", "/proc/self/fd/7"].map((path) => outputPlace("-o", path)))',
      `7> ${at("out")}`,
    );
    expect(text).toBe("");
  });

  it.each(["1", "2"])("is refused if descriptor %s leads to the file", (descriptor) => {
    const path = file("out");
    symlinkSync("out", at("link"));
    for (const name of [path, at("link")]) {
      // Descriptor 3 receives the message, since neither 1 nor 2 may.
      const script = `try { checkOutput("-o", "${name}") } catch (error) { (await import("node:fs")).writeSync(3, error.message) }`;
      const text = execFileSync(
        "sh",
        ["-c", `${inNode(script)} 3>&1 1>/dev/null 2>/dev/null ${descriptor}>>${path}`],
        {
          encoding: "utf8",
        },
      );
      expect(text).toMatch(
        /is the file that standard (output|error) goes to; give another, or \/dev\/fd\/[12]$/,
      );
    }
    expect(readFileSync(path, "utf8")).toBe(OLD);
  });
});

describe("an output that grows", () => {
  const grown = (path: string, growing: "emptied" | "appended") =>
    new OutputFile("-serial", path, { growing });

  it("leaves the file as it is until it starts, whatever happens before", async () => {
    const path = file("old");
    for (const growing of ["emptied", "appended"] as const) {
      const output = grown(path, growing);
      await output.ready();
      expect(readFileSync(path, "utf8")).toBe(OLD);
      output.discard();
      await output.commit();
      output.start(); // too late
    }
    const fresh = grown(at("fresh"), "emptied");
    await fresh.ready();
    await fresh.commit();
    expect(readFileSync(path, "utf8")).toBe(OLD);
    expect(existsSync(at("fresh"))).toBe(false);
  });

  it.each([
    ["emptied", "x"],
    ["appended", `${OLD}x`],
  ] as const)("is %s, and can be followed", async (growing, expected) => {
    const path = file("log", 0o640);
    const output = grown(path, growing);
    output.start();
    output.write("x");
    expect(readFileSync(path, "utf8")).toBe(expected);
    await output.commit();
    expect(modeOf(path)).toBe(0o640);
  });

  it.each<[string, () => string, RegExp]>([
    ["a folder", () => folder, /is a folder; give a file/],
    ["in a circle of links", () => link("loop", "loop"), /links lead in a circle/],
    ["read only", () => file("protected", 0o444), /no permission to write there/],
    ["in no folder", () => at("none", "x"), /its folder does not exist/],
    ["in a folder that is left before it exists", () => `${folder}/none/../x`, /its folder does not exist/],
  ])("is refused like every other: %s", (_, place, message) => {
    expect(() => grown(place(), "emptied")).toThrow(message);
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
  return `${process.execPath} --input-type=module -e 'import { checkOutput, OutputFile, onEndSignal, outputPlace, requireApart, requireDistinct, writeOutput } from "${entry}"; ${script}'`;
}
