import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countProcess, locateValgrind, parseInstructions, parseVersion } from "./cachegrind.ts";

// Captured from valgrind 3.19.0 on Debian 12.
const LOG_3_19 = `==6697== Cachegrind, a cache and branch-prediction profiler
==6697== Copyright (C) 2002-2017, and GNU GPL'd, by Nicholas Nethercote et al.
==6697== Using Valgrind-3.19.0 and LibVEX; rerun with -h for copyright info
==6697== Command: node --single-threaded --predictable --hash-seed=1 --random-seed=1 s.js light embedded 1
==6697== Parent PID: 6694
==6697== 
--6697-- warning: L3 cache found, using its data for the LL simulation.
==6697== 
==6697== I   refs:      869,741,838
`;

describe("parsing", () => {
  it.each([
    ["3.19, captured", LOG_3_19, 869_741_838],
    // The manual of 3.21 and later, "Running Cachegrind": one column, since the caches are not simulated by default.
    [
      "3.21 and later",
      "==1== Cachegrind, a high-precision tracing profiler\n==1== \n==1== I refs:        1,037\n",
      1037,
    ],
    // The manual of 3.20 and earlier, with the caches simulated: lines of misses begin alike.
    [
      "with caches",
      "==2== I   refs:      27,742,716\n==2== I1  misses:           276\n==2== LLi misses:           275\n",
      27_742_716,
    ],
    ["nothing", "==3== Command: node\n", null],
    ["the words elsewhere", "==3== Command: node I refs: 12 of them\n", null],
    ["a broken number", "==3== I refs: 12x\n", null],
  ])("reads the instructions of %s", (_, log, expected) => {
    expect(parseInstructions(log)).toBe(expected);
  });

  it("reads any count that can be exact, however it is grouped", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), (count, pid) => {
        const line = `==${pid}== I   refs:      ${count.toLocaleString("en-US")}`;
        expect(parseInstructions(`==${pid}== \n${line}\n`)).toBe(count);
      }),
    );
  });

  it.each([
    ["valgrind-3.19.0\n", "3.19.0"],
    ["valgrind-3.24.0.GIT\n", "3.24.0"],
    ["==9== warning\nvalgrind-3.22.0\n", "3.22.0"],
    ["not found", null],
  ])("reads the version from %j", (text, version) => {
    expect(parseVersion(text)).toBe(version);
  });
});

describe("with a valgrind of our own", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "regionlab-valgrind-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const pretend = async (script: string) => {
    const path = join(folder, "valgrind");
    await writeFile(
      path,
      `#!/bin/sh\nif [ "$1" = --version ]; then echo valgrind-3.99.1; exit; fi\n${script}\n`,
    );
    await chmod(path, 0o755);
    const valgrind = await locateValgrind(folder);
    if (valgrind === null) throw new Error("the script must be found");
    return valgrind;
  };
  const count = async (script: string, timeout = 20_000, environment: NodeJS.ProcessEnv = {}) =>
    countProcess({ valgrind: await pretend(script), args: ["work.js", "{}"], environment, timeout });

  it("finds it by the search path, with its version", async () => {
    expect(await pretend("")).toEqual({ path: join(folder, "valgrind"), version: "3.99.1" });
    expect(await locateValgrind(`/nowhere:${folder}`)).toMatchObject({ version: "3.99.1" });
  });

  it.each(["", "/nowhere", "/nowhere:/tmp/neither"])("finds none in %j", async (path) => {
    expect(await locateValgrind(path)).toBeNull();
  });

  it("takes the count from the log and the report from its own descriptor", async () => {
    const script = "echo '==5== I refs: 1,234' >&4; echo '{\"rounds\":3}' >&3; echo noise; echo noise >&2";
    expect(await count(script)).toEqual({ instructions: 1234, report: '{"rounds":3}\n' });
  });

  it("hands on arguments and environment, but nothing that changes what Node does", async () => {
    const script = 'echo "==5== I refs: 1" >&4; echo "$@; $NODE_OPTIONS; $OTHER" >&3';
    const { report } = await count(script, 20_000, { NODE_OPTIONS: "--jitless", OTHER: "kept" });
    expect(report).toContain(`--log-fd=4 ${process.execPath} work.js {}; ; kept`);
    expect(report).toContain("--cachegrind-out-file=/dev/null");
  });

  it.each([
    [
      "a crash",
      "echo 'the device exploded' >&2; exit 3",
      /^exit code 3; its last words:\nthe device exploded$/,
    ],
    ["a signal", "kill -KILL $$", /^ended by SIGKILL$/],
    ["a log without a count", "echo '==5== Command: x' >&4", /^valgrind 3\.99\.1 reported no instructions/],
  ])("fails with the reason after %s", async (_, script, message) => {
    await expect(count(script)).rejects.toThrow(message);
  });

  it("kills what takes too long", async () => {
    const marker = join(folder, "marker");
    await expect(count(`exec sleep 30; touch ${marker}`, 300)).rejects.toThrow(/no end after 0\.3 s, killed/);
    expect(existsSync(marker)).toBe(false);
  });

  it("fails where valgrind is gone by then", async () => {
    const valgrind = { path: join(folder, "gone"), version: "3.99.1" };
    const gone = countProcess({ valgrind, args: [], environment: {}, timeout: 1000 });
    await expect(gone).rejects.toThrow(/gone cannot be started/);
  });
});
