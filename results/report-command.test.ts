import { link, mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Command } from "commander";
import { beforeEach, describe, expect, it } from "vitest";
import { parseGrowth } from "./growth.ts";
import { addReportCommand } from "./report-command.ts";
import { loadRun, saveRun } from "./store.ts";
import { syntheticQemuRun, syntheticRun } from "./testing/synthetic-run.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "regionlab-report-"));
  file = join(folder, "run.json");
  await saveRun(file, syntheticRun());
});

async function report(...args: string[]): Promise<string> {
  let printed = "";
  const program = new Command().exitOverride();
  addReportCommand(program, {
    write: (text) => {
      printed += text;
    },
  });
  await program.parseAsync(["report", ...args], { from: "user" });
  return printed;
}

describe("regionlab report", () => {
  it("prints a table", async () => {
    expect(await report(file)).toContain("VERDICTS");
  });

  it.each([
    ["markdown", /^# Does it matter/],
    ["html", /^<!doctype html>/],
    ["json", /^\{\n "schema": "regionlab\.run"/],
    ["summary", /^\{\n "schema": "regionlab\.summary"/],
  ])("prints %s", async (format, start) => {
    expect(await report(file, "--format", format)).toMatch(start);
  });

  it("takes the format from the ending of -o", async () => {
    const page = join(folder, "page.html");
    expect(await report(file, "-o", page)).toBe("");
    expect(await readFile(page, "utf8")).toMatch(/^<!doctype html>/);
  });

  it("writes compressed JSON, or a summary, if the name says so", async () => {
    await report(file, "-o", join(folder, "copy.json.gz"));
    expect(await loadRun(join(folder, "copy.json.gz"))).toEqual(await loadRun(file));
    await report(join(folder, "copy.json.gz"), "-o", join(folder, "copy.summary.json"));
    expect(JSON.parse(await readFile(join(folder, "copy.summary.json"), "utf8"))).toMatchObject({
      schema: "regionlab.summary",
    });
  });

  it("puts figures of QEMU beside those of a run, and stores both", async () => {
    const [qemu, both] = [join(folder, "qemu.json"), join(folder, "both.json")];
    await saveRun(qemu, syntheticQemuRun());
    await report(file, "--qemu", qemu, "-o", both);
    expect(new Set((await loadRun(both)).metrics.map(({ source }) => source))).toEqual(
      new Set(["regionlab", "qemu"]),
    );
    await expect(report(file, "--qemu", qemu, "-o", qemu)).rejects.toThrow(/is the run .*qemu\.json itself/);
    await expect(report(file, "--qemu", file)).rejects.toMatchObject({ exitCode: 2 });
  });

  it("adds how costs grow, in formats for people", async () => {
    const growth = join(import.meta.dirname, "growth/2026-11-30-node20.json");
    expect(await report(file, "--growth", growth)).toContain("GROWTH");
    const markdown = await report(file, file, "--growth", growth, "--format", "markdown");
    expect(markdown).toContain("| map-change | owned |");
    expect(markdown.match(/^## Growth/gm)).toHaveLength(1);
    const page = await report(file, "--growth", growth, "--format", "html");
    const { works } = parseGrowth(await readFile(growth, "utf8"), growth);
    expect(page.match(/aria-label="[\w-]+: cost against n;/g)).toHaveLength(works.length);
    await expect(report(file, "--growth", file)).rejects.toThrow(/is JSON without works and growths/);
    for (const format of ["json", "summary"])
      await expect(report(file, "--growth", growth, "--format", format)).rejects.toThrow(
        `--growth ${growth}: ${format} holds runs only; give --format table, markdown or html`,
      );
    await expect(report(file, "--growth", growth, "--format", "html", "-o", growth)).rejects.toThrow(
      /growth.*\.json: is the run .* itself/,
    );
  });

  it("refuses an ending that names no format", async () => {
    await expect(report(file, "-o", join(folder, "page.pdf"))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/page\.pdf: the ending does not name a format; add --format/),
    });
  });

  it("shows several runs one after the other", async () => {
    const text = await report(file, file, "--format", "html");
    expect(text.match(/<article/g)).toHaveLength(2);
  });

  it("refuses to overwrite a run that it shows, also through a link", async () => {
    const before = await readFile(file, "utf8");
    const [soft, hard] = [join(folder, "soft.json"), join(folder, "hard.json")];
    await symlink(file, soft);
    await link(file, hard);
    for (const output of [file, soft, hard, join(folder, ".", "..", basename(folder), "run.json")]) {
      await expect(report(file, "-o", output, "--format", "summary")).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(
          /^-o .*: is the run .*run\.json itself; give the report another name$/,
        ),
      });
    }
    await expect(report(soft, "-o", file)).rejects.toMatchObject({ exitCode: 2 });
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("fails on a file that is not there", async () => {
    await expect(report(join(folder, "none.json"))).rejects.toMatchObject({ exitCode: 2 });
  });
});
