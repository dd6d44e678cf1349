/** An installed package outside the repository, end to end. Takes a minute or two. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workload } from "#workloads";
import { CLI, root } from "./testing/command-line.ts";
import { instructionsOf, isIgnored } from "./testing/dockerfile.ts";
import { installPackage } from "./testing/package.ts";

/** For copying and removing some ten thousand package files on a busy machine. */
const COPY_MILLISECONDS = 5 * 60_000;

let folder: string;
let command: string;

beforeAll(() => {
  if (!existsSync(join(root, CLI))) throw new Error(`${CLI} is missing; run npm run build first`);
  folder = mkdtempSync(join(tmpdir(), "regionlab-package-"));
  command = installPackage(folder);
}, COPY_MILLISECONDS);
afterAll(() => rmSync(folder, { recursive: true }), COPY_MILLISECONDS);

function regionlab(...words: string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: folder, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("an installed package", () => {
  it("prints its version", () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(regionlab("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("runs a guest that it contains", () => {
    const hello = workload("hello");
    if (hello.kind !== "bare-metal") throw new Error("hello is no program of ours");
    const kernel = join(dirname(command), "..", "regionlab", relative(root, hello.kernel));
    const { status, stdout } = regionlab("run", "--kernel", kernel);
    expect([status, stdout]).toEqual([0, readFileSync(hello.expectedConsole, "utf8")]);
  });

  it("audits and converts a device", () => {
    const source = join(root, "emulator", "hw", "embedded", "rtc", "goldfish-rtc.ts");
    const device = join(dirname(command), "..", "..", "goldfish-rtc.ts");
    cpSync(source, join(folder, "goldfish-rtc.ts"));
    expect(regionlab("audit", "goldfish-rtc.ts").stderr).toContain("#memory does not resolve from there");
    // An outsider's device imports the package by its name.
    writeFileSync(device, readFileSync(source, "utf8").replaceAll('"#', '"regionlab/'));
    const audit = regionlab("audit", device);
    expect([audit.status, audit.stderr]).toEqual([0, ""]);
    expect(audit.stdout).toMatch(/MECH +io +GoldfishRtc\.iomem.*no lifetime bugs found/s);
    const { status, stdout } = regionlab("codemod", "to-owned", device, "--prove");
    expect([status, stdout]).toEqual([0, expect.stringContaining("+    const iomem = MemoryRegion.newIo(")]);
    expect(stdout).toContain("1 device proved equal");
  });

  it("runs a benchmark end to end, and reports it", () => {
    const bench = regionlab("bench", "dispatch", "--quick", "--repeats", "2", "-o", "x.json");
    expect([bench.status, bench.status === 0 ? "" : bench.stderr]).toEqual([0, ""]);
    const { codeSize, metrics } = JSON.parse(readFileSync(join(folder, "x.json"), "utf8"));
    expect(metrics.length).toBeGreaterThan(0);
    expect(codeSize).toEqual(JSON.parse(readFileSync(join(root, "dist", "bench", "code-size.json"), "utf8")));
    for (const format of ["table", "markdown", "html", "json"]) {
      const { status, stdout } = regionlab("report", "x.json", "--format", format);
      expect([format, status]).toEqual([format, 0]);
      expect(stdout).toContain("dispatch");
    }
  });
});

describe("deploy/Dockerfile", () => {
  it("copies everything that the build needs", () => {
    const checkout = join(folder, "image");
    const ignore = readFileSync(join(root, ".dockerignore"), "utf8");
    const copies = instructionsOf(readFileSync(join(root, "deploy", "Dockerfile"), "utf8")).filter(
      ({ keyword, text }) => keyword === "COPY" && !text.startsWith("--from="),
    );
    for (const source of copies.flatMap(({ words }) => words.slice(0, -1))) {
      const filter = (path: string) => !isIgnored(ignore, relative(root, path));
      cpSync(join(root, source), join(checkout, source), { recursive: true, filter });
    }
    symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
    const build = spawnSync("npm", ["run", "--silent", "build"], { cwd: checkout, encoding: "utf8" });
    expect([build.status, build.stdout, build.stderr]).toEqual([0, "", ""]);
    const built = execFileSync(process.execPath, [CLI, "--help"], { cwd: checkout, encoding: "utf8" });
    expect(built).toMatch(/^Usage: regionlab/);
    // Of another folder, but of the same sources.
    const sizes = (of: string) => readFileSync(join(of, "dist", "bench", "code-size.json"), "utf8");
    expect(sizes(checkout)).toBe(sizes(root));
  });
});
