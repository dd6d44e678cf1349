/** The conversion of QEMU's source: how much of it, whether its diff applies, and whether it comes back. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { qemuSourceFolder } from "../qemu-source.ts";
import { copySources, type Ended, regionlab, run, whyNoSource } from "./testing.ts";

const why = await whyNoSource();
if (why !== undefined) console.log(`skipped: ${why}`);

/** Exit code that says that regions were refused. */
const REFUSED = 3;
const WRITE = ["--write", "--allow-dirty"] as const;

interface Site {
  readonly at: string;
  readonly treatment: string;
  readonly reason?: string;
}

interface Report {
  readonly statistics: {
    readonly regions: number;
    readonly converted: number;
    readonly refused: number;
    readonly heap: { readonly sites: number; readonly converted: number };
  };
  readonly files: readonly string[];
  readonly sites: readonly Site[];
}

describe.skipIf(why !== undefined)("QEMU's source", () => {
  const scratch = mkdtempSync(join(tmpdir(), "regionlab-qemu-"));
  const [written, applied, back] = ["written", "applied", "back"].map((name) => join(scratch, name));
  let report: Report;
  let diff: Ended;

  beforeAll(async () => {
    for (const tree of [written, applied, back]) copySources(`${tree}`);
    diff = await regionlab("c", "to-owned", `${applied}`);
    const file = join(scratch, "report.json");
    const ended = await regionlab("c", "to-owned", `${written}`, ...WRITE, "--json", file);
    expect(ended).toMatchObject({ status: REFUSED, stderr: expect.not.stringContaining("rror:") });
    report = JSON.parse(readFileSync(file, "utf8"));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test("nine of ten fields and allocations are converted; each of the rest has a place and a reason", () => {
    const { regions, converted, refused, heap } = report.statistics;
    console.log(`fields ${converted} of ${regions}, allocations ${heap.converted} of ${heap.sites}`);
    expect(converted / regions).toBeGreaterThanOrEqual(0.9);
    expect(heap.converted / heap.sites).toBeGreaterThanOrEqual(0.9);
    const rest = report.sites.filter(({ treatment }) => treatment === "refused");
    expect(rest.length).toBe(refused + heap.sites - heap.converted);
    for (const site of rest) {
      expect(site.reason).toMatch(/^[a-z-]+$/);
      const [file = "", line] = site.at.split(":");
      const lines = readFileSync(join(qemuSourceFolder(), file), "latin1").split("\n");
      expect(Number(line)).toBeGreaterThanOrEqual(1);
      expect(Number(line)).toBeLessThanOrEqual(lines.length);
    }
  });

  test("git apply takes the diff, which is what --write writes", async () => {
    const check = await run("git", ["apply", "--check", "-"], { folder: `${applied}`, input: diff.stdout });
    expect(check).toEqual({ status: 0, stdout: "", stderr: "" });
    await run("git", ["apply", "-"], { folder: `${applied}`, input: diff.stdout });
    const differences = await run("diff", ["-rq", `${applied}`, `${written}`]);
    expect(differences).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("the census counts what the conversion leaves", async () => {
    const ended = await regionlab("c", "census", qemuSourceFolder(), "--json", "-");
    expect(ended.status).toBe(0);
    const census = JSON.parse(ended.stdout);
    expect(census.fields).toBe(report.statistics.regions);
    const { refused, heap } = report.statistics;
    const counted: readonly number[] = Object.values(census.refusedByReason);
    expect(counted.reduce((total, each) => total + each, 0)).toBe(refused + heap.sites - heap.converted);
  });

  test("99.5 % of the files that --reversible changes come back byte for byte", async () => {
    const file = join(scratch, "reversible.json");
    await regionlab("c", "to-owned", `${back}`, ...WRITE, "--reversible", "--json", file);
    const { files }: Report = JSON.parse(readFileSync(file, "utf8"));
    const isSame = (path: string) =>
      readFileSync(join(`${back}`, path)).equals(readFileSync(join(qemuSourceFolder(), path)));
    expect(files.filter(isSame)).toEqual([]);
    await regionlab("c", "to-embedded", `${back}`, ...WRITE, "--json", join(scratch, "back.json"));
    const different = files.filter((path) => !isSame(path));
    console.log(
      `${files.length - different.length} of ${files.length} came back; not: ${different.join(", ")}`,
    );
    expect(different.length / files.length).toBeLessThanOrEqual(0.005);
  });
});
