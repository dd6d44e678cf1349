/** Every output of every command, with all kinds of paths; every command with a broken standard output. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
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
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "dist/bin/cli.js");
const HELLO = join(ROOT, "workloads/bare-metal/bin/hello.elf");
const BUS_ERRORS = join(ROOT, "workloads/bare-metal/bin/bus-errors.elf");
const RUN = join(ROOT, "results/baseline/2026-11-29-node20.json.gz");
const DEVICE = join(ROOT, "emulator/hw/embedded/rtc/goldfish-rtc.ts");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "outputs-"));
});
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const at = (...names: string[]) => join(folder, ...names);

function regionlab(...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, ...words],
      { cwd: folder, maxBuffer: 2 ** 28, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 99;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** A shell line in which `regionlab` stands for the command. */
function shell(line: string): Promise<Ended> {
  const script = line.replaceAll("regionlab", `'${process.execPath}' '${CLI}'`);
  return new Promise((resolve) => {
    execFile(
      "bash",
      ["-c", script],
      { cwd: folder, maxBuffer: 2 ** 28, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 99;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** An output: the words of a command that writes it, a pattern that its content matches, and what the command says. */
interface Output {
  readonly words: (path: string) => readonly string[];
  readonly holds: RegExp;
  /** On standard error, if it succeeds; nothing by default. */
  readonly says?: RegExp;
}

const C_SOURCE = join(ROOT, "codemods/c/fixtures/mmio-single.c");
const convertC = (...words: string[]): Output => ({
  words: (path) => ["c", ...words, C_SOURCE, "--json", path],
  holds: /"version": 1/,
  says: /^[^\n]*regions?[^\n]*\n/,
});

const OUTPUTS: Readonly<Record<string, Output>> = {
  "run --stats": {
    words: (path) => ["run", "--kernel", HELLO, "--stats", path],
    holds: /"consoleSha256"/,
  },
  "run --trace": {
    words: (path) => ["run", "--kernel", HELLO, "--max-instructions", "50", "--trace", path],
    holds: /^0 M 0000000000001000: .* auipc/,
  },
  "run --trace-mmio": {
    words: (path) => ["run", "--kernel", HELLO, "--trace-mmio", path],
    holds: /write 1 0x10000000 0x48/,
  },
  "run --snapshot-out": {
    words: (path) => ["run", "--kernel", HELLO, "--max-instructions", "50", "--snapshot-out", path],
    holds: /^regionlab snapshot 2\n/,
  },
  "report -o": {
    words: (path) => ["report", RUN, "--format", "markdown", "-o", path],
    holds: /^# Does it matter/,
  },
  "codemod --json": {
    words: (path) => ["codemod", "to-owned", DEVICE, "--json", path],
    holds: /"files"|"version"/,
  },
  "audit --json": { words: (path) => ["audit", DEVICE, "--json", path], holds: /"regions"/ },
  "audit --sarif": { words: (path) => ["audit", DEVICE, "--sarif", path], holds: /sarif-2\.1\.0/ },
  "run --log-file": {
    words: (path) => ["run", "--kernel", BUS_ERRORS, "--log", "guest_errors,unimp", "--log-file", path],
    holds: /unimplemented register/,
  },
  "run -serial file": {
    words: (path) => ["run", "--kernel", HELLO, "-serial", `file:${path}`],
    holds: /^Hello from hart/,
  },
  "run -chardev file": {
    words: (path) => ["run", "--kernel", HELLO, "-chardev", `file,id=c,path=${path}`, "-serial", "chardev:c"],
    holds: /^Hello from hart/,
  },
  "c census --json": { ...convertC("census"), says: /^$/ },
  "c audit --sarif": {
    words: (path) => ["c", "audit", C_SOURCE, "--sarif", path],
    holds: /sarif-2\.1\.0/,
  },
  "c to-owned --json": convertC("to-owned"),
};
const NAMES = Object.keys(OUTPUTS);
const outputOf = (name: string): Output => {
  const output = OUTPUTS[name];
  if (output === undefined) throw new RangeError(name);
  return output;
};
const asRoot = process.getuid?.() === 0;

describe.each(NAMES)("%s", (name) => {
  const { words, holds, says = /^$/ } = outputOf(name);
  const parts = () => readdirSync(folder).filter((each) => each.includes(".part"));
  const written = async (path: string) => {
    const ended = await regionlab(...words(path));
    expect(ended.stderr).toMatch(says);
    expect(ended.code).toBe(0);
    expect(parts()).toEqual([]);
    return readFileSync(path, "latin1");
  };

  it("creates a file; keeps the mode of an existing one and replaces all of its content", async () => {
    expect(await written(at("new"))).toMatch(holds);
    writeFileSync(at("old"), "x".repeat(1_000_000));
    chmodSync(at("old"), 0o600);
    expect((await written(at("old"))).length).toBeLessThan(1_000_000);
    expect(statSync(at("old")).mode & 0o777).toBe(0o600);
  });

  it("follows links, including dangling ones, and preserves hard links", async () => {
    symlinkSync("target", at("link"));
    expect(await written(at("link"))).toMatch(holds);
    expect(await written(at("link"))).toMatch(holds);
    expect(readlinkSync(at("link"))).toBe("target");
    linkSync(at("target"), at("twin"));
    writeFileSync(at("target"), "old");
    expect(await written(at("target"))).toMatch(holds);
    expect(readFileSync(at("twin"), "latin1")).toMatch(holds);
    expect(statSync(at("twin")).ino).toBe(statSync(at("target")).ino);
  });

  it("is delivered to the reader of a named pipe, which remains a pipe", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const reader = spawn("cat", [at("pipe")]);
    const chunks: Buffer[] = [];
    reader.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [{ code, stderr }] = await Promise.all([regionlab(...words(at("pipe"))), once(reader, "close")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(says) });
    expect(Buffer.concat(chunks).toString("latin1")).toMatch(holds);
    expect(statSync(at("pipe")).isFIFO()).toBe(true);
  });

  it.runIf(asRoot)("is written through to devices, which remain devices", async () => {
    execFileSync("mknod", [at("null"), "c", "1", "3"]);
    execFileSync("mknod", [at("full"), "c", "1", "7"]);
    expect(await regionlab(...words(at("null")))).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(says),
    });
    const { code, stderr } = await regionlab(...words(at("full")));
    expect(code).toBe(2);
    // The option and the path, or the option that contains the path.
    expect(stderr).toMatch(
      /^(.*\n)?regionlab: -[^\n]*[ :=][^ :=]*full: no space left on the device; make room[^\n]*\n$/s,
    );
    for (const each of ["null", "full"]) expect(statSync(at(each)).isCharacterDevice()).toBe(true);
  });

  it("refuses folders and unwritable paths before anything runs", async () => {
    mkdirSync(at("folder"));
    writeFileSync(at("protected"), "mine");
    chmodSync(at("protected"), 0o444);
    writeFileSync(at("file"), "");
    symlinkSync("circle", at("circle"));
    for (const [path, why] of [
      ["folder", /: is a folder; give a file/],
      ["protected", /: no permission to write there/],
      ["file/below", /: a part of its path is a file/],
      ["circle", /: its links lead in a circle/],
    ] as const) {
      const { code, stdout, stderr } = await regionlab(...words(at(path)));
      expect(stderr).toMatch(why);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    }
    expect(readFileSync(at("protected"), "utf8")).toBe("mine");
    expect(readdirSync(at("folder"))).toEqual([]);
    expect(parts()).toEqual([]);
  });
});

describe("codemod --write", () => {
  const fixtures = join(ROOT, "codemods/fixtures");
  const source = join(fixtures, "converted/goldfish-rtc/before.ts");
  const code = readFileSync(source, "utf8");
  const convert = (path: string) => regionlab("codemod", "to-owned", path, "--write", "--allow-dirty");
  // The components that the source imports.
  beforeEach(() => {
    cpSync(join(fixtures, "package.json"), at("package.json"));
    cpSync(join(fixtures, "stub"), at("stub"), { recursive: true });
    mkdirSync(at("devices"));
  });

  it("keeps modes, links and hard links of sources", async () => {
    mkdirSync(at("apart"));
    copyFileSync(source, at("apart", "rtc.ts"));
    chmodSync(at("apart", "rtc.ts"), 0o600);
    symlinkSync("../apart/rtc.ts", at("devices", "rtc.ts"));
    linkSync(at("apart", "rtc.ts"), at("apart", "twin"));
    expect(await convert("devices/rtc.ts")).toMatchObject({ code: 0 });
    const after = readFileSync(at("apart", "rtc.ts"), "utf8");
    expect(after).not.toBe(code);
    expect(readFileSync(at("apart", "twin"), "utf8")).toBe(after);
    expect(lstatSync(at("devices", "rtc.ts")).isSymbolicLink()).toBe(true);
    expect(statSync(at("apart", "rtc.ts")).mode & 0o777).toBe(0o600);
  });

  it("writes nothing if one source is write-protected", async () => {
    copyFileSync(source, at("devices", "one.ts"));
    copyFileSync(source, at("devices", "two.ts"));
    chmodSync(at("devices", "two.ts"), 0o444);
    const { code: exit, stderr } = await convert("devices");
    expect(exit).toBe(2);
    expect(stderr).toMatch(/two\.ts: no permission to write/);
    expect(readFileSync(at("devices", "one.ts"), "utf8")).toBe(code);
  });
});

const PRINTING = [
  `run --kernel ${HELLO}`,
  "run --help",
  "tree mtree",
  "tree qom",
  "tree refs",
  "claims C1",
  `report ${RUN}`,
  `report ${RUN} --format json`,
  `codemod to-owned ${DEVICE}`,
  `audit ${DEVICE}`,
  "bench --help",
  "results merge --help",
  "--help",
  "--version",
];

describe.each(PRINTING)("%s", (words) => {
  it("ends quietly when the reader is gone", async () => {
    const { stderr } = await shell(`regionlab ${words} | true`);
    expect(stderr).toBe("");
    const head = await shell(`regionlab ${words} | head -1`);
    expect(head.stderr).toBe("");
    expect(head.stdout.length).toBeGreaterThan(0);
  });

  it.runIf(existsSync("/dev/full"))("reports in one line that standard output is full", async () => {
    const { code, stderr } = await shell(`regionlab ${words} > /dev/full`);
    expect(stderr).toMatch(/^regionlab: standard output: no space left on the device; make room[^\n]*\n$/);
    expect(code).toBe(2);
  });
});

describe.runIf(existsSync("/dev/full"))("an output that fails takes no other with it:", () => {
  it.each<[string, string]>([
    ["the instruction trace", "--trace /dev/full"],
    ["the trace of device accesses", "--trace-mmio /dev/full"],
    ["the serial line", "-serial file:/dev/full"],
    ["standard output", "> /dev/full"],
    ["the log", "-d guest_errors,unimp -D /dev/full"],
  ])("%s", async (_, failing) => {
    const { code, stderr } = await shell(
      `regionlab run --kernel '${BUS_ERRORS}' --snapshot-out snapshot --stats stats.json ${failing}`,
    );
    expect(stderr).toMatch(/^regionlab: .*no space left/im);
    expect(code).toBe(2);
    expect(JSON.parse(readFileSync(at("stats.json"), "utf8"))).toHaveProperty("end");
    expect(statSync(at("snapshot")).size).toBeGreaterThan(1000);
  });

  it("the statistics", async () => {
    const { code, stderr } = await shell(
      `regionlab run --kernel '${HELLO}' --snapshot-out snapshot --trace trace --stats /dev/full`,
    );
    expect(stderr).toMatch(/^regionlab: --stats \/dev\/full: .*no space left/i);
    expect(code).toBe(2);
    expect(statSync(at("snapshot")).size).toBeGreaterThan(1000);
    expect(statSync(at("trace")).size).toBeGreaterThan(1000);
  });

  it("the log on standard error", async () => {
    const { code } = await shell(
      `regionlab run --kernel '${BUS_ERRORS}' --snapshot-out snapshot --stats stats.json -d guest_errors,unimp 2> /dev/full`,
    );
    expect(code).toBe(2);
    expect(JSON.parse(readFileSync(at("stats.json"), "utf8"))).toHaveProperty("end");
    expect(statSync(at("snapshot")).size).toBeGreaterThan(1000);
  });

  it.each<[string, string, RegExp]>([
    ["its timeout", "--timeout 1", /before the timeout, so nothing has run$/m],
    ["a signal", "& sleep 2; kill -TERM $!; wait $!", /before the run was ended, so nothing has run$/m],
  ])("a pipe that nobody opens, by %s: all others are as after no instruction", async (how, end, said) => {
    const outputs = {
      "--stats": /"instructions": 0,/,
      "--trace": /^$/,
      "--trace-mmio": /^$/,
      "--snapshot-out": /^regionlab snapshot/,
      "-D": /^$/,
      "-serial": /^$/,
    };
    const names = Object.keys(outputs);
    const given = (name: string, path: string) => `${name} ${name === "-serial" ? "file:" : ""}${path}`;
    execFileSync("mkfifo", [at("pipe")]);
    await Promise.all(
      names.map(async (unread, i) => {
        const words = names.map((name, j) => given(name, i === j ? "pipe" : `${i}-${j}`));
        writeFileSync(at(`${i}-${(i + 1) % names.length}`), "old");
        const { code, stdout, stderr } = await shell(
          `regionlab run --kernel '${HELLO}' -d unimp ${words.join(" ")} ${end}`,
        );
        expect(stderr).toContain(
          `regionlab: ${given(unread, "pipe")}: no program has opened its other end before`,
        );
        expect(stderr).toMatch(said);
        expect([stdout, code]).toEqual(["", how === "a signal" ? 143 : 124]);
        for (const [j, content] of Object.values(outputs).entries())
          if (i !== j) expect(readFileSync(at(`${i}-${j}`), "latin1")).toMatch(content);
      }),
    );
    expect(readdirSync(folder).filter((name) => name.includes(".part"))).toEqual([]);
  });

  it.each(["poweroff", "timeout"])(
    "a socket that listens waits for a client, as in QEMU: %s",
    async (end) => {
      const words = "-chardev socket,id=c,path=socket,server=on -serial chardev:c --stats stats.json";
      const started = shell(
        `regionlab run --kernel '${HELLO}' ${words} ${end === "timeout" ? "--timeout 1" : ""}`,
      );
      let heard = "";
      if (end === "poweroff") {
        while (!existsSync(at("socket"))) await new Promise((resolve) => setTimeout(resolve, 20));
        const client = connect(at("socket")).on("data", (bytes) => {
          heard += String(bytes);
        });
        await new Promise((resolve) => client.once("close", resolve));
      }
      const { code, stderr } = await started;
      expect(stderr).toMatch(/: waiting for a client; wait=off starts the guest without one\n/);
      const { instructions } = JSON.parse(readFileSync(at("stats.json"), "utf8"));
      if (end === "poweroff") expect([code, heard]).toEqual([0, expect.stringMatching(/ 0 failed\n$/)]);
      else expect([code, instructions]).toEqual([124, 0]);
    },
  );

  it("is not waited for with wait=off, and refused where there is no client to wait for", async () => {
    const run = (more: string) =>
      shell(`regionlab run --kernel '${HELLO}' -chardev socket,id=c,path=socket,${more} -serial chardev:c`);
    for (const words of ["server=on,wait=off", "server,nowait", "server=yes,wait=false"])
      expect(await run(words)).toMatchObject({ code: 0, stderr: "" });
    expect(await run("wait=on")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no client to wait for/),
    });
  });

  it("a snapshot taken before the first instruction continues like a run that was not waited for", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const run = `regionlab run --kernel '${HELLO}'`;
    await shell(`${run} --trace pipe --snapshot-out snapshot --timeout 1`);
    const resumed = await shell(`${run} --snapshot-in snapshot`);
    expect(resumed).toEqual(await shell(run));
  });

  it("a trace whose reader leaves", async () => {
    const { code } = await shell(
      `mkfifo pipe; head -c 100 pipe > /dev/null & regionlab run --kernel '${HELLO}' --trace pipe --snapshot-out snapshot --stats stats.json`,
    );
    expect(code).toBe(2);
    expect(existsSync(at("stats.json")) && existsSync(at("snapshot"))).toBe(true);
  });
});

describe("a run that a signal ends", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("by %s writes everything, and exits with %i", async (signal, exit) => {
    writeFileSync(at("loop.bin"), LOOP);
    const words = ["--stats", "stats", "--trace-mmio", "trace", "--snapshot-out", "snapshot"];
    const child = spawn(process.execPath, [CLI, "run", "--kernel", "loop.bin", ...words], { cwd: folder });
    await once(child.stdout, "data");
    child.stdout.resume();
    child.kill(signal);
    const [code] = await once(child, "close");
    expect(code).toBe(exit);
    expect(JSON.parse(readFileSync(at("stats"), "utf8"))).toMatchObject({ end: "stopped" });
    expect(readFileSync(at("trace"), "utf8")).toMatch(/write 1 0x10000000 0x78\n$/);
    expect(readFileSync(at("snapshot"), "latin1")).toMatch(/^regionlab snapshot/);
    expect(readdirSync(folder).sort()).toEqual(["loop.bin", "snapshot", "stats", "trace"]);
  });

  it.each([
    ["", "alone"],
    ["+$?#3f", "alone"],
    ["+$c#63", "after another"],
  ])("ends while a debugger stays connected that has sent %j, %s", async (sent, place) => {
    writeFileSync(at("loop.bin"), LOOP);
    const words = ["run", "--kernel", "loop.bin", "--gdb", "0", "--stats", "stats"];
    const child = spawn(process.execPath, [CLI, ...words], { cwd: folder });
    child.stdout.resume();
    const [greeting] = (await once(child.stderr, "data")) as [Buffer];
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(greeting.toString())?.[1]);
    if (place === "after another") {
      const before = connect(port, "127.0.0.1");
      await once(before, "connect");
      before.end();
    }
    const debuggerSide = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    debuggerSide.on("error", () => {}); // the connection is reset in the end
    await once(debuggerSide, "connect");
    debuggerSide.resume();
    if (sent !== "") {
      debuggerSide.write(sent);
      await once(debuggerSide, "data"); // it is served
    }
    const closed = once(child, "close");
    child.kill("SIGTERM");
    // Only if the run ends by itself: a second signal, or the debugger's leaving, would end it in any case.
    expect(await closed).toEqual([143, null]);
    debuggerSide.destroy();
    expect(JSON.parse(readFileSync(at("stats"), "utf8"))).toMatchObject({ end: "stopped" });
  });

  it("whose console is closed ends quietly, and writes everything", async () => {
    writeFileSync(at("loop.bin"), LOOP);
    const { stdout, stderr } = await shell(
      `regionlab run --kernel loop.bin --stats stats | head -c 10; echo " $\{PIPESTATUS[0]}"`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: "xxxxxxxxxx 141\n", stderr: "" });
    expect(JSON.parse(readFileSync(at("stats"), "utf8"))).toMatchObject({ end: "stopped" });
  });

  it("whose console stalls pauses, and does not grow in memory", async () => {
    writeFileSync(at("loop.bin"), LOOP);
    const child = spawn(process.execPath, [CLI, "run", "--kernel", "loop.bin", "--stats", "stats"], {
      cwd: folder,
    });
    await once(child.stdout, "data");
    child.stdout.pause();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill("SIGTERM");
    child.stdout.resume();
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(child, "close");
    // A guest that is not held back prints some 20 MB in that time.
    expect(bytes).toBeLessThan(4e6);
  });
});

describe("a run whose console stalls for good ends all the same", () => {
  it.each<[string, string[], NodeJS.Signals | null, number]>([
    ["by its timeout", ["--timeout", "1"], null, 124],
    ["by a signal", [], "SIGTERM", 143],
  ])("%s", async (_, words, signal, code) => {
    writeFileSync(at("loop.bin"), LOOP);
    const child = spawn(process.execPath, [CLI, "run", "--kernel", "loop.bin", "--stats", "s", ...words], {
      cwd: folder,
    });
    await once(child.stdout, "data");
    child.stdout.pause();
    const exit = once(child, "exit");
    if (signal !== null) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      child.kill(signal);
    }
    expect(await exit).toEqual([code, null]);
    const end = signal === null ? "timeout" : "stopped";
    expect(JSON.parse(readFileSync(at("s"), "utf8"))).toMatchObject({ end });
    child.stdout.destroy();
  });
});

describe("how a run ends", () => {
  it("is exit code 4 if --until was not reached, and 0 if it was", async () => {
    const missed = await regionlab("run", "--kernel", HELLO, "--until", "goodbye");
    expect(missed.code).toBe(4);
    expect(missed.stderr).toBe(
      "regionlab: --until goodbye: the console has not printed it; ended by: poweroff\n",
    );
    expect((await regionlab("run", "--kernel", HELLO, "--until", "Hello")).code).toBe(0);
  });

  it("is exit code 124 if --timeout ended it", async () => {
    writeFileSync(at("loop.bin"), LOOP);
    const { code } = await regionlab(
      "run",
      "--kernel",
      "loop.bin",
      "--timeout",
      "0.5",
      "--until",
      "y",
      "--stats",
      "s",
    );
    expect(code).toBe(124);
    expect(JSON.parse(readFileSync(at("s"), "utf8"))).toMatchObject({ end: "timeout" });
    for (const wrong of ["0", "-1", "1e3", "x", "99999999"]) {
      const { code: exit, stderr } = await regionlab("run", "--kernel", HELLO, `--timeout=${wrong}`);
      expect(exit).toBe(2);
      expect(stderr).toMatch(/^regionlab: --timeout=.*: give a number of seconds above 0/);
    }
  });

  it("is the guest's own code with --guest-exit-code", async () => {
    writeFileSync(at("fail.bin"), failWith(5));
    expect((await regionlab("run", "--kernel", "fail.bin")).code).toBe(1);
    expect((await regionlab("run", "--kernel", "fail.bin", "--guest-exit-code")).code).toBe(5);
    expect((await regionlab("run", "--kernel", HELLO, "--guest-exit-code")).code).toBe(0);
  });
});

/** Prints `x` forever: lui t0, 0x10000; li t1, 'x'; 1: sb t1, 0(t0); j 1b */
const LOOP = words(0x1000_02b7, 0x0780_0313, 0x0062_8023, 0xffdf_f06f);

/** Sends back what it receives (lbu, andi, beqz, lbu, sb), and powers off after a full stop (addi, bnez; lui, lui, addi, sw). */
const ECHO = words(
  ...[0x1000_02b7, 0x0052_c303, 0x0013_7313, 0xfe03_0ce3, 0x0002_c303, 0x0062_8023, 0xfd23_0313, 0xfe03_14e3],
  ...[0x0010_02b7, 0x0000_5337, 0x5553_0313, 0x0062_a023, 0x0000_006f],
);

/** Writes a failure with a code to the test finisher: lui t0, 0x100; lui t1, code << 4 | 3; addi t1, t1, 0x333; sw t1, 0(t0) */
function failWith(code: number): Uint8Array {
  const lui = (register: number, value: number) => ((value << 12) | (register << 7) | 0x37) >>> 0;
  const addi = 0x3333_0313 >>> 0; // addi t1, t1, 0x333
  return words(lui(5, 0x100), lui(6, (code << 4) | 3), addi, 0x0062_a023, 0x0000_006f);
}

function words(...values: number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    bytes.setUint32(4 * i, value, true);
  });
  return new Uint8Array(bytes.buffer);
}

describe("an output that is an input", () => {
  it.each<[string, readonly string[]]>([
    ["a kernel", ["--kernel", "kernel", "--stats", "kernel"]],
    ["a kernel by a link", ["--kernel", "kernel", "--trace-mmio", "link"]],
    ["a disk", ["--kernel", "kernel", "-drive", "file=disk,if=virtio", "--snapshot-out", "disk"]],
    ["a firmware file", ["--kernel", "kernel", "-fw_cfg", "name=opt/x,file=disk", "--stats", "disk"]],
  ])("is refused and left unchanged: %s", async (_, words) => {
    copyFileSync(HELLO, at("kernel"));
    symlinkSync("kernel", at("link"));
    writeFileSync(at("disk"), new Uint8Array(65_536).fill(7));
    const { code, stdout, stderr } = await regionlab("run", ...words);
    expect(stderr).toMatch(
      /^regionlab: --\S+ \S+: is the same file as -+\S+ .*, which would be lost; give another\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(readFileSync(at("kernel")).equals(readFileSync(HELLO))).toBe(true);
    expect(new Set(readFileSync(at("disk")))).toEqual(new Set([7]));
  });

  it.each<[string, readonly string[]]>([
    ["a kernel as the serial port's file", ["--kernel", "kernel", "-serial", "file:kernel"]],
    ["a kernel by a link", ["--kernel", "kernel", "-serial", "file:link"]],
    ["a disk", ["--kernel", HELLO, "-drive", "file=disk,if=virtio,readonly=on", "-serial", "file:disk"]],
    ["a firmware file", ["--kernel", HELLO, "-fw_cfg", "name=opt/x,file=disk", "-serial", "file:disk"]],
    [
      "an initrd as a chardev's file",
      ["--kernel", HELLO, "--initrd", "disk", "-chardev", "file,id=c,path=disk", "-serial", "chardev:c"],
    ],
  ])("that the guest would write is refused and left unchanged: %s", async (_, words) => {
    copyFileSync(HELLO, at("kernel"));
    symlinkSync("kernel", at("link"));
    writeFileSync(at("disk"), new Uint8Array(65_536).fill(7));
    const { code, stdout, stderr } = await regionlab("run", ...words);
    expect(stderr).toMatch(
      /^regionlab: -\S+ \S+: is the same file as -+\S+ .*, which would be lost; give another\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(readFileSync(at("kernel")).equals(readFileSync(HELLO))).toBe(true);
    expect(new Set(readFileSync(at("disk")))).toEqual(new Set([7]));
  });

  it.each([
    ["audit", "--json"],
    ["audit", "--sarif"],
    ["codemod", "to-owned", "--json"],
    ["c", "census", "--json"],
    ["c", "audit", "--json"],
    ["c", "audit", "--sarif"],
    ["c", "to-owned", "--json"],
    ["c", "to-owned", "--write", "--allow-dirty", "--json"],
    ["c", "to-embedded", "--json"],
  ])("is refused if it is a source to convert: %s %s %s %s %s", async (...words) => {
    const [original, name] = words[0] === "c" ? [C_SOURCE, "beep.c"] : [DEVICE, "rtc.ts"];
    copyFileSync(original, at(name));
    symlinkSync(name, at("link"));
    linkSync(at(name), at("twin"));
    const option = words.at(-1) ?? "";
    for (const path of [name, "link", "twin"]) {
      const { code, stdout, stderr } = await regionlab(...words.slice(0, -1), ".", option, path);
      expect(stderr).toMatch(
        new RegExp(`^regionlab: ${option} ${path}: is the same file as the source .*, which would be lost`),
      );
      expect([code, stdout]).toEqual([2, ""]);
    }
    expect(readFileSync(at(name)).equals(readFileSync(original))).toBe(true);
  });
});

describe("an output that is read with the sources", () => {
  const files = {
    "base.ts": "export const base = 1;\n",
    "shared.json": '{ "compilerOptions": { "strict": true } }\n',
    "tsconfig.json": '{ "extends": "./shared.json" }\n',
    "package.json": "{}\n",
    ".prettierrc": "{}\n",
    ".editorconfig": "root = true\n",
  };
  it.each([
    ["codemod", "to-owned", "--json"],
    ["audit", "--json"],
    ["audit", "--sarif"],
    ["audit", "--write-baseline", "--baseline"],
  ])("is refused: %s %s %s", async (...words) => {
    copyFileSync(DEVICE, at("rtc.ts"));
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
    const option = words.at(-1) ?? "";
    for (const [name, text] of Object.entries(files)) {
      const { code, stdout, stderr } = await regionlab(...words.slice(0, -1), "rtc.ts", option, name);
      expect(stderr).toMatch(
        new RegExp(
          `^regionlab: ${option} ${name}: is (a source or a configuration by its name, and|the same file as the configuration .*, which) would be lost`,
        ),
      );
      expect({ code, stdout, text: readFileSync(at(name), "utf8") }).toEqual({ code: 2, stdout: "", text });
    }
  });

  it("is refused if it is the baseline of an audit", async () => {
    copyFileSync(DEVICE, at("rtc.ts"));
    const text = '{ "version": 1, "accepted": [] }\n';
    writeFileSync(at("accepted"), text);
    for (const option of ["--json", "--sarif"]) {
      const { code, stderr } = await regionlab(
        "audit",
        "rtc.ts",
        "--baseline",
        "accepted",
        option,
        "./accepted",
      );
      expect(stderr).toMatch(/ is the same file as --baseline accepted, which would be lost/);
      expect({ code, text: readFileSync(at("accepted"), "utf8") }).toEqual({ code: 2, text });
    }
  });

  it("is refused if it is a header", async () => {
    copyFileSync(C_SOURCE, at("beep.c"));
    writeFileSync(at("beep.h"), "#include <stdint.h>\n");
    const { code, stderr } = await regionlab("c", "census", "beep.c", "--json", "beep.h");
    expect(stderr).toMatch(/^regionlab: --json beep\.h: is a source or a configuration by its name/);
    expect({ code, text: readFileSync(at("beep.h"), "utf8") }).toEqual({
      code: 2,
      text: "#include <stdint.h>\n",
    });
  });
});

describe("two outputs in one file", () => {
  const RUN_OUTPUTS = {
    ...Object.fromEntries(
      ["stats", "trace", "trace-mmio", "snapshot-out"].map((name) => [
        name,
        (path: string) => [`--${name}`, path],
      ]),
    ),
    "log-file": (path: string) => ["-d", "unimp", "-D", path],
    serial: (path: string) => ["-serial", `file:${path}`],
    chardev: (path: string) => ["-chardev", `file,id=c,path=${path}`, "-serial", "chardev:c"],
    pipe: (path: string) => ["-serial", `pipe:${path.replace(/\.out$/, "")}`],
  } satisfies Record<string, (path: string) => string[]>;
  const names = Object.keys(RUN_OUTPUTS);
  const isSerial = (name: string) => /serial|chardev|pipe/.test(name); // there is only one port
  // Each pair has one of them; all are tried on one pair beside the code.
  const NAMINGS = [
    ["d/new.out", "link.out"],
    ["link.out", "d/new.out"],
    ["d/new.out", "e/new.out"],
    ["e/../d/new.out", "d/new.out"],
  ] as const;
  const pairs = names
    .flatMap((one, i) => names.slice(i + 1).map((other) => [one, other] as const))
    .filter((pair) => !pair.every(isSerial))
    .map(([one, other], i) => [one, other, ...(NAMINGS[i % NAMINGS.length] ?? NAMINGS[0])] as const);

  it.each(pairs)(
    "are refused before either is touched: %s, %s as %s, %s",
    async (one, other, first, second) => {
      mkdirSync(at("d"));
      symlinkSync("d", at("e"));
      symlinkSync("d/new.out", at("link.out"));
      const wordsOf = (name: string) => RUN_OUTPUTS[name as keyof typeof RUN_OUTPUTS]; // one of its keys
      const words = ["--kernel", HELLO, ...wordsOf(one)(first), ...wordsOf(other)(second)];
      const { code, stdout, stderr } = await regionlab("run", ...words);
      expect([code, stdout, stderr]).toEqual([
        2,
        "",
        expect.stringMatching(/^regionlab: -.*: is the same file as -.*; give each a file of its own\n$/),
      ]);
      expect(readdirSync(at("d"))).toEqual([]);
    },
  );

  it("are refused for codemods", async () => {
    symlinkSync("new", at("link"));
    for (const words of [
      ["c", "audit", C_SOURCE],
      ["audit", DEVICE],
    ]) {
      const { code, stderr } = await regionlab(...words, "--json", "new", "--sarif", "link");
      expect([code, stderr]).toEqual([2, expect.stringMatching(/is the same file as --json new/)]);
      expect(existsSync(at("new"))).toBe(false);
    }
  });

  it("share it if they are one open file, standard output included", async () => {
    const alone = await regionlab("run", "--kernel", HELLO, "--trace", "trace");
    const expected = alone.stdout.length + statSync(at("trace")).size;
    for (const way of ["> out", ">> out", "| cat > out"])
      for (const path of ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]) {
        writeFileSync(at("out"), "");
        const { code, stderr } = await shell(`regionlab run --kernel ${HELLO} --trace ${path} ${way}`);
        expect({ code, stderr, size: statSync(at("out")).size }).toEqual({
          code: 0,
          stderr: "",
          size: expected,
        });
      }
  });

  it("are refused if one is where standard output goes, by its own name", async () => {
    writeFileSync(at("out"), "old");
    symlinkSync("out", at("link"));
    for (const line of [
      `run --kernel ${HELLO} --stats out`,
      `run --kernel ${HELLO} --trace link`,
      `run --kernel ${HELLO} -serial file:out`,
      `c audit ${C_SOURCE} --json out`,
      `audit ${DEVICE} --json out`,
      `codemod to-owned ${DEVICE} --json link`,
      `report ${RUN} --format json -o out`,
    ]) {
      const { code, stderr } = await shell(`regionlab ${line} >> out`);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/is the file that standard output goes to/)]);
    }
    expect(readFileSync(at("out"), "utf8")).toBe("old");
  });
});

describe("what the guest's output is written to", () => {
  const SERIAL = [
    ["-serial", "file:log"],
    ["-chardev", "file,id=c,path=log", "-serial", "chardev:c"],
  ];

  it.each<[string, string[]]>([
    ["an unknown device", ["-device", "nope"]],
    ["no such kernel", ["-kernel", "none"]],
    ["no such firmware", ["-bios", "none.bin"]],
    ["no such initrd", ["-initrd", "none"]],
    ["too little memory", ["-m", "1k"]],
    ["a damaged snapshot", ["--snapshot-in", "log"]],
    ["no such drive", ["-drive", "file=none,if=virtio"]],
    ["a bad property for all", ["-global", "a.b=c"]],
    ["an output in no folder", ["--stats", "none/x"]],
    ["a debugger's port", ["-gdb", "tcp::99999"]],
    ["a socket that nobody listens on", ["-chardev", "socket,id=s,path=none"]],
    ["pipes that do not exist", ["-chardev", "pipe,id=p,path=none"]],
  ])("stays as it is if the run is refused: %s", async (_, words) => {
    for (const serial of SERIAL) {
      writeFileSync(at("log"), "precious");
      const { code, stdout } = await regionlab("run", "--kernel", HELLO, ...serial, ...words);
      expect([code, stdout, readFileSync(at("log"), "utf8")]).toEqual([2, "", "precious"]);
    }
  });

  it("is an empty log if nothing is logged, as in QEMU", async () => {
    writeFileSync(at("log"), "old");
    expect(await regionlab("run", "-kernel", BUS_ERRORS, "-D", "log")).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(at("log"), "utf8")).toBe("");
  });

  it("stays as it is if nothing runs: tree, lists, a chardev without a device", async () => {
    writeFileSync(at("log"), "precious");
    for (const serial of SERIAL)
      for (const words of [
        ["tree", "qom"],
        ["tree", "mtree"],
        ["tree", "refs"],
        ["tree", "qtree"],
        ["tree", "qom", "-D", "log", "-d", "guest_errors"],
      ])
        expect((await regionlab(...words, ...serial)).code).toBe(0);
    for (const words of [
      ["run", ...(SERIAL[0] ?? []), "-device", "help"],
      ["run", "-kernel", HELLO, "-chardev", "file,id=c,path=log"],
    ])
      expect((await regionlab(...words)).code).toBe(0);
    expect(readFileSync(at("log"), "utf8")).toBe("precious");
  });

  it("is not touched by tree either if it is a pipe or a socket", async () => {
    for (const words of [
      ["-serial", "pipe:none"],
      ["-chardev", "socket,id=s,path=socket,server=on", "-serial", "chardev:s"],
      ["-netdev", "user,id=n,hostfwd=tcp::1-:1"],
    ])
      expect(await regionlab("tree", "qom", ...words)).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("follows the rules of descriptors", async () => {
    writeFileSync(at("log"), "old\n");
    const run = (words: string) => shell(`regionlab run --kernel ${HELLO} -serial file:/dev/fd/9 ${words}`);
    expect(await run("9< log")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/open only for reading/),
    });
    expect(readFileSync(at("log"), "utf8")).toBe("old\n");
    expect((await run("9>> log")).code).toBe(0);
    expect(readFileSync(at("log"), "utf8")).toMatch(/^old\nHello/);
    expect((await run("9> log")).code).toBe(0);
    expect(readFileSync(at("log"), "utf8")).toMatch(/^Hello/);
  });

  it("must be named pipes for a pipe", async () => {
    writeFileSync(at("p.in"), "");
    writeFileSync(at("p.out"), "precious");
    const { code, stderr } = await regionlab("run", "--kernel", HELLO, "-serial", "pipe:p");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/p\.in: is not a named pipe; make one with mkfifo/),
    ]);
    expect(readFileSync(at("p.out"), "utf8")).toBe("precious");
  });
});

describe("a series of patches", () => {
  it("does not overwrite one that exists, by whatever name", async () => {
    const convert = () => regionlab("c", "to-owned", C_SOURCE, "--series", "series");
    expect((await convert()).code).toBe(0);
    const [name = ""] = readdirSync(at("series"));
    writeFileSync(at("series", name), "edited");
    expect(await convert()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--series .*: exists already/),
    });
    expect(readFileSync(at("series", name), "utf8")).toBe("edited");
    rmSync(at("series", name));
    writeFileSync(at("kept"), "kept");
    symlinkSync("../kept", at("series", name));
    expect((await convert()).code).toBe(2);
    expect(readFileSync(at("kept"), "utf8")).toBe("kept");
  });
});

describe("a run whose pipe", () => {
  /** A program that opens a pipe as the reader or writer, and does nothing more. */
  const idle = (how: string) => spawn("sh", ["-c", `exec 3${how}; echo; exec sleep 60`], { cwd: folder });
  const pipes = () => execFileSync("mkfifo", [at("pipe"), at("p.in"), at("p.out")]);
  const PIPES: [string, string[]][] = [
    ["is a trace", ["--trace", "pipe", "-serial", "null"]],
    ["is a trace of devices", ["--trace-mmio", "pipe", "-serial", "null"]],
    ["is the serial port's file", ["-serial", "file:pipe"]],
    ["is a chardev's file", ["-chardev", "file,id=c,path=pipe", "-serial", "chardev:c"]],
  ];

  it.each(PIPES)("%s and has no reader ends by a signal and by its timeout", async (_, words) => {
    pipes();
    const late = await shell(`timeout 30 regionlab run --kernel ${HELLO} --timeout 0.5 ${words.join(" ")}`);
    expect(late.code).toBe(124);
    const child = spawn(process.execPath, [CLI, "run", "--kernel", HELLO, ...words], { cwd: folder });
    await once(child.stderr, "data"); // it says that it waits
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([143, null]);
  });

  it.each(PIPES)("%s and has a reader that stalls ends by a signal and by its timeout", async (_, words) => {
    pipes();
    writeFileSync(at("loop.bin"), LOOP);
    const reader = spawn("sh", ["-c", "exec 3<>pipe; echo; exec sleep 120"], { cwd: folder });
    await once(reader.stdout, "data");
    const run = ["run", "--kernel", "loop.bin", "--stats", "stats", ...words];
    const late = await shell(`timeout 60 regionlab ${run.join(" ")} --timeout 1`);
    expect([late.code, late.stderr]).toEqual([
      124,
      expect.stringMatching(/pipe: its reader has stalled; the rest is lost/),
    ]);
    expect(JSON.parse(readFileSync(at("stats"), "utf8"))).toMatchObject({ end: "timeout" });
    const child = spawn(process.execPath, [CLI, ...run], { cwd: folder });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
    expect(JSON.parse(readFileSync(at("stats"), "utf8"))).toMatchObject({ end: "stopped" });
    reader.kill();
  });

  it.each([
    ["nobody else has opened", []],
    ["has a writer that says nothing", ["<>p.in"]],
    ["has both", ["<>p.in", "<>p.out"]],
  ])("is the serial port's, and %s, ends when the guest does", async (_, others) => {
    pipes();
    const programs = others.map(idle);
    await Promise.all(programs.map(({ stdout }) => once(stdout, "data")));
    const { code, stderr } = await shell(`timeout 30 regionlab run --kernel ${HELLO} -serial pipe:p`);
    for (const each of programs) each.kill();
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("is the serial port's carries both directions, all of it", async () => {
    pipes();
    writeFileSync(at("echo.bin"), ECHO);
    const text = `${"x".repeat(20_000)}.`;
    const reader = spawn("cat", [at("p.out")]);
    const chunks: Buffer[] = [];
    reader.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const writer = spawn("sh", ["-c", "exec cat > p.in"], { cwd: folder });
    writer.stdin.end(text);
    const [{ code }] = await Promise.all([
      regionlab("run", "--kernel", "echo.bin", "-serial", "pipe:p"),
      once(reader, "close"),
    ]);
    expect([code, Buffer.concat(chunks).toString()]).toEqual([0, text]);
  });

  it("is the serial port's and whose reader stalls ends by a signal, and says what is lost", async () => {
    pipes();
    writeFileSync(at("loop.bin"), LOOP);
    const child = spawn(process.execPath, [CLI, "run", "--kernel", "loop.bin", "-serial", "pipe:p"], {
      cwd: folder,
    });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([143, null]);
    expect(said).toMatch(/^regionlab: -serial pipe:p: its reader has stalled; \d+ bytes are lost\n$/);
  });
});

describe("a run that is held up", () => {
  it("times out even while tracing or waiting for the reader of a pipe", async () => {
    writeFileSync(at("loop.bin"), LOOP);
    execFileSync("mkfifo", [at("pipe")]);
    for (const words of [
      ["--trace", "/dev/null"],
      ["--stats", "pipe"],
    ]) {
      const { code } = await shell(
        `timeout 30 regionlab run --kernel loop.bin --timeout 0.5 ${words.join(" ")} > /dev/null`,
      );
      expect(code).toBe(124);
    }
    expect(statSync(at("pipe")).isFIFO()).toBe(true);
  });

  it("is a failure even if the guest's code is 0", async () => {
    writeFileSync(at("fail.bin"), failWith(0));
    expect((await regionlab("run", "--kernel", "fail.bin")).code).toBe(1);
    expect((await regionlab("run", "--kernel", "fail.bin", "--guest-exit-code")).code).toBe(1);
  });
});
