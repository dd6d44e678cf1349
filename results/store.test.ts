import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { checkWritable, loadRun, saveRun, serializeRun, writeAtomically } from "./store.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "regionlab-store-"));
});

describe("saveRun and loadRun", () => {
  it("gives back what was saved, in a folder that it makes", async () => {
    const file = join(folder, "deep", "er", "run.json");
    await saveRun(file, syntheticRun());
    expect(await loadRun(file)).toEqual(syntheticRun());
    expect(await readdir(join(folder, "deep", "er"))).toEqual(["run.json"]);
  });

  it("says what is wrong with a file that is not there, or is a folder", async () => {
    await expect(loadRun(join(folder, "none.json"))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/none\.json: does not exist; check the name/),
    });
    await expect(loadRun(folder)).rejects.toMatchObject({ message: expect.stringMatching(/is a directory/) });
  });
});

describe("writeAtomically", () => {
  it("leaves the old file and no other when it cannot write", async () => {
    await writeFile(join(folder, "file"), "old");
    const place = join(folder, "file", "run.json");
    await expect(writeAtomically(place, "new")).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/run\.json: cannot be written, because a part of its path is a file/),
    });
    await expect(writeAtomically(folder, "new")).rejects.toMatchObject({ exitCode: 2 });
    expect(await readdir(folder)).toEqual(["file"]);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("old");
  });

  it("can be tried beforehand, which leaves nothing behind", async () => {
    await checkWritable(join(folder, "new", "run.json"));
    expect(await readdir(join(folder, "new"))).toEqual([]);
    await expect(checkWritable(folder)).rejects.toMatchObject({
      message: expect.stringMatching(/is a directory/),
    });
    await writeFile(join(folder, "file"), "old");
    await expect(checkWritable(join(folder, "file", "run.json"))).rejects.toMatchObject({ exitCode: 2 });
    // Where folders cannot be made, though nothing forbids it: there Node's own recursive way never ends.
    const refused =
      process.platform === "linux" ? "/proc/none/run.json" : join(folder, "file", "x", "run.json");
    await expect(checkWritable(refused)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/folder cannot be made|part of its path is a file/),
    });
  });

  it("replaces a file in one step", async () => {
    const file = join(folder, "page.html");
    await writeAtomically(file, "one");
    await writeAtomically(file, "two");
    expect(await readFile(file, "utf8")).toBe("two");
    expect(await readdir(folder)).toEqual(["page.html"]);
  });
});

describe("serializeRun", () => {
  it("is JSON of the same value, one line per list of figures", () => {
    const run = syntheticRun({ repeats: 4 });
    const text = serializeRun(run);
    expect(JSON.parse(text)).toEqual(run);
    expect(text).toMatch(/\n {2}"order": \[\n {3}\{"task":"boot","arm":"A","repeat":0/);
  });
});
