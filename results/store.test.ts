import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { LARGEST_RUN_BYTES, loadRun, pageNameOf, readText, saveRun, serializeRun } from "./store.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "regionlab-store-"));
});

describe("saveRun and loadRun", () => {
  it("refuses an endless device, and reads a FIFO up to the limit", async () => {
    await expect(loadRun("/dev/zero")).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^\/dev\/zero: is not a regular file; give a file that/),
    });
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    const [text] = await Promise.all([readText(fifo, 2 ** 20), writeFile(fifo, "a run")]);
    expect(text).toBe("a run");
    const feeding = writeFile(fifo, "a".repeat(2 ** 20 + 1)).catch(() => undefined); // its reader closes early
    await expect(readText(fifo, 2 ** 20)).rejects.toMatchObject({ message: expect.stringMatching(/1 MiB/) });
    await feeding;
  });

  it("gives back what was saved, in a folder that it creates", async () => {
    const file = join(folder, "deep", "er", "run.json");
    await saveRun(file, syntheticRun());
    expect(await loadRun(file)).toEqual(syntheticRun());
    expect(await readdir(join(folder, "deep", "er"))).toEqual(["run.json"]);
  });

  it("says what is wrong with a file that is missing or a folder", async () => {
    await expect(loadRun(join(folder, "none.json"))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/none\.json: does not exist; check the name/),
    });
    await expect(loadRun(folder)).rejects.toMatchObject({ message: expect.stringMatching(/is a directory/) });
  });
});

describe("compressed runs", () => {
  const run = syntheticRun();

  it("are written if the name ends in .gz, and read under any name", async () => {
    const file = join(folder, "run.json.gz");
    await saveRun(file, run);
    const bytes = await readFile(file);
    expect([...bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(bytes.length).toBeLessThan(serializeRun(run).length / 3);
    expect(await loadRun(file)).toEqual(run);
    await writeFile(join(folder, "renamed.json"), bytes);
    expect(await loadRun(join(folder, "renamed.json"))).toEqual(run);
    await writeFile(join(folder, "plain.gz"), serializeRun(run));
    expect(await loadRun(join(folder, "plain.gz"))).toEqual(run);
  });

  it("that are damaged or cut off give a one-line error", async () => {
    const bytes = gzipSync(serializeRun(run));
    const flipped = Uint8Array.from(bytes, (byte, i) => (i === bytes.length >> 1 ? byte ^ 0xff : byte));
    for (const damaged of [bytes.subarray(0, -9), bytes.subarray(0, 12), flipped]) {
      const file = join(folder, "damaged.json.gz");
      await writeFile(file, damaged);
      await expect(loadRun(file)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(
          /^[^\n]*damaged\.json\.gz: is compressed with gzip and damaged or cut off; copy[^\n]*$/,
        ),
      });
    }
  });

  it("that decompress to more than any run has are refused", async () => {
    const file = join(folder, "bomb.json.gz");
    await writeFile(file, gzipSync(new Uint8Array(3 * 2 ** 20)));
    await expect(readText(file, 2 ** 20)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/bomb\.json\.gz: holds more than 1 MiB, which no run does/),
    });
    await writeFile(file, new Uint8Array(3 * 2 ** 20));
    await expect(readText(file, 2 ** 20)).rejects.toMatchObject({ exitCode: 2 });
    expect(LARGEST_RUN_BYTES).toBe(256 * 1024 * 1024);
  });

  it("have the page of their plain name", () => {
    expect(pageNameOf("a/x.json.gz")).toBe("a/x.html");
    expect(pageNameOf("a/x.json")).toBe("a/x.html");
    expect(pageNameOf("a.json/x")).toBe("a.json/x.html");
  });
});

describe("serializeRun", () => {
  it("is JSON of the same value, one line per list of figures", () => {
    const run = syntheticRun({ repeats: 4 });
    const text = serializeRun(run);
    expect(JSON.parse(text)).toEqual({ ...run, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(text).toMatch(/\n {2}"processes": \[\n {3}\{"task":"proof\/hello","repeat":0/);
  });
});
