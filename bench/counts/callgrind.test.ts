import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { countProcess, locateValgrind, parseTotal, parseVersion } from "./callgrind.ts";

// Captured from valgrind 3.19.0 on Debian 12, shortened.
const TABLE_3_19 = `# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 8356
cmd:  node --single-threaded --predictable a.mjs
part: 4

desc: Trigger: --dump-before=uv_getrusage
events: Ir
summary: 396993

ob=(18)
fn=(4316)
0 3
calls=1 0
0 12
totals: 396993
`;

describe("parsing", () => {
  it.each([
    ["3.19, captured", TABLE_3_19, 396_993],
    ["a table that was cut off", TABLE_3_19.slice(0, -20), null],
    ["the words elsewhere", "cmd: node totals: 12\n", null],
    ["a broken number", "totals: 12x\n", null],
    ["nothing", "", null],
  ])("reads the total of %s", (_, table, expected) => {
    expect(parseTotal(table)).toBe(expected);
  });

  it("reads any count that can be exact", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        expect(parseTotal(`summary: 1\ntotals: ${count}\n`)).toBe(count);
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
  afterEach(() => vi.unstubAllEnvs());

  /** A shell script in place of valgrind, with a vgdb that records its arguments. */
  const pretend = async (script: string, vgdb = `echo "$@" > ${join(folder, "asked")}`) => {
    const path = join(folder, "valgrind");
    const head = [
      "#!/bin/sh",
      'if [ "$1" = --version ]; then echo valgrind-3.99.1; exit; fi',
      'for each; do case "$each" in --callgrind-out-file=*) table=$(echo "$each" | cut -d= -f2);; esac; go="$each"; done',
      'await() { while [ ! -e "$go" ]; do sleep 0.01; done; }',
    ];
    await writeFile(path, `${[...head, script].join("\n")}\n`);
    await writeFile(join(folder, "vgdb"), `#!/bin/sh\n${vgdb}\n`);
    for (const file of [path, join(folder, "vgdb")]) await chmod(file, 0o755);
    const valgrind = await locateValgrind(folder);
    if (valgrind === null) throw new Error("the script must be found");
    return valgrind;
  };
  const count = async (
    script: string,
    { timeout = 20_000, environment = {} as NodeJS.ProcessEnv, vgdb = undefined as string | undefined } = {},
  ) => countProcess({ valgrind: await pretend(script, vgdb), args: ["work.js", "{}"], environment, timeout });
  const TABLES =
    'for i in 1 2 3 10; do echo "totals: $i" > "$table.$i"; done; mv "$table.10" "$table.4"; echo "totals: 99" > "$table"';

  it("finds it by the search path, with its version", async () => {
    expect(await pretend("")).toEqual({ path: join(folder, "valgrind"), version: "3.99.1" });
    expect(await locateValgrind(`/nowhere:${folder}`)).toMatchObject({ version: "3.99.1" });
  });

  it.each(["", "/nowhere", "/nowhere:/tmp/neither"])("finds none in %j", async (path) => {
    expect(await locateValgrind(path)).toBeNull();
  });

  it("takes the counts between the marks and the report from its own descriptor, without waiting for the end", async () => {
    const script = `echo ready >&3; await; ${TABLES}; echo '{"works":[]}' >&3; exec sleep 30`;
    expect(await count(script)).toEqual({ intervals: [2, 3, 10], report: '{"works":[]}\n' });
  });

  it("tells it to count once it is ready, and only then lets it continue", async () => {
    const vgdb = `[ -e "$(dirname "\${1#*=}")/go" ] || echo "$@" > ${join(folder, "asked")}`;
    await count(`echo ready >&3; await; ${TABLES}; echo '{}' >&3`, { vgdb });
    expect(await readFile(join(folder, "asked"), "utf8")).toMatch(
      /^--vgdb-prefix=\/.*\/vgdb --pid=\d+ instrumentation on\n$/,
    );
  });

  it("passes on arguments and environment, but nothing that changes what Node does", async () => {
    const script = `echo ready >&3; await; ${TABLES}; echo "$@; $NODE_OPTIONS; $OTHER" >&3`;
    const { report } = await count(script, { environment: { NODE_OPTIONS: "--jitless", OTHER: "kept" } });
    expect(report).toMatch(/ --log-fd=4 .* work\.js \{\} \/.*\/go; ; kept$/m);
    expect(report).toContain("--tool=callgrind");
  });

  it("leaves nothing behind, however it ends", async () => {
    const scratch = join(folder, "scratch");
    await mkdir(scratch);
    vi.stubEnv("TMPDIR", scratch);
    await count(`echo ready >&3; await; ${TABLES}; echo '{}' >&3`);
    await expect(count("exit 3")).rejects.toThrow();
    await expect(count("exec sleep 30", { timeout: 100 })).rejects.toThrow();
    expect(await readdir(scratch)).toEqual([]);
  });

  it("counts in a folder whose name valgrind would expand", async () => {
    const scratch = join(folder, "50 %p");
    await mkdir(scratch);
    vi.stubEnv("TMPDIR", scratch);
    const { report } = await count(
      `echo ready >&3; await; table=$(echo "$table" | sed 's/%%/%/g'); ${TABLES}; echo "$@" >&3`,
    );
    expect(report).toContain("/50 %%p/");
  });

  it.each([
    [
      "a crash",
      "echo 'the device exploded' >&2; exit 3",
      /^valgrind ended with exit code 3 \(the device exploded\); its last words:\nthe device exploded$/,
    ],
    ["a crash after it was ready", "echo ready >&3; await; exit 4", /^valgrind ended with exit code 4$/],
    ["a signal", "kill -KILL $$", /^valgrind was ended by SIGKILL$/],
    ["an end without a report", "echo ready >&3; await", /^valgrind ended without a report of the work$/],
    [
      "a count that is missing",
      `echo ready >&3; await; ${TABLES}; rm "$table.3"; echo '{}' >&3`,
      /^valgrind 3\.99\.1 did not write table 3 of its counts$/,
    ],
    [
      "half a count",
      `echo ready >&3; await; ${TABLES}; echo 'tot' > "$table.2"; echo '{}' >&3`,
      /^valgrind 3\.99\.1 did not write table 2 of its counts$/,
    ],
  ])("fails with the reason after %s", async (_, script, message) => {
    await expect(count(script)).rejects.toThrow(message);
  });

  it("fails if valgrind does not respond", async () => {
    const deaf = count("echo ready >&3; await; echo '{}' >&3", {
      vgdb: "echo 'no such process' >&2; exit 1",
    });
    await expect(deaf).rejects.toThrow(/^valgrind could not be told to begin: (.|\n)*no such process/);
  });

  it("kills a process that takes too long", async () => {
    const marker = join(folder, "marker");
    const late = count(`exec sleep 30; touch ${marker}`, { timeout: 300 });
    await expect(late).rejects.toThrow(/no end after 0\.3 s, killed/);
    expect(existsSync(marker)).toBe(false);
  });

  it("also kills processes started by a wrapper script", async () => {
    const marker = join(folder, "survivor");
    const late = count(`(sleep 1; touch ${marker}) & wait`, { timeout: 100 });
    await expect(late).rejects.toThrow(/no end after 0\.1 s, killed/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(existsSync(marker)).toBe(false);
  });

  it("fails if valgrind is gone by then", async () => {
    const valgrind = { path: join(folder, "gone"), version: "3.99.1" };
    const gone = countProcess({ valgrind, args: [], environment: {}, timeout: 1000 });
    await expect(gone).rejects.toThrow(/gone cannot be started/);
  });
});
