import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Environment, saveRun } from "#results";
import { syntheticRun } from "#results/testing";
import { packageRoot } from "#workloads";
import { addBenchCommand } from "./bench-command.ts";
import { captureEnvironment } from "./environment.ts";
import { describeRuntimeOptions } from "./plan.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const said: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "regionlab-bench-"));
  await mkdir(at("folder.json"));
  await mkdir(at("page.html"));
  await mkdir(at("journal.json.partial"));
  await writeFile(at("file"), "");
  await writeFile(at("newer.json"), '{"schema": "regionlab.run", "version": 99}');
  await writeFile(at("damaged.json"), '{"schema": "regionlab.run", ');
  const here = captureEnvironment(packageRoot(), describeRuntimeOptions());
  const store = (name: string, change: Partial<Environment>) =>
    saveRun(at(name), { ...syntheticRun(), synthetic: false, machines: [{ ...here, ...change }] });
  await store("other-machine.json", { cpuModel: "Another Processor" });
  await store("other-node.json", { node: "18.0.0" });
  await store("other-options.json", { execArgv: ["slices: --jitless"] });
  await saveRun(at("synthetic.json"), syntheticRun());
  await saveRun(at("retention.json"), syntheticRun({ suites: ["retention"] }));
  const run = syntheticRun();
  await saveRun(at("forms.json"), {
    ...run,
    options: {
      ...run.options,
      forms: { A: "embedded", B: "embedded" },
      command: `${run.options.command} --regions embedded,embedded`,
    },
    lifetimes: [],
  });
});

afterAll(() => rm(folder, { recursive: true }));

/** Nothing is measured in these tests, so nothing may be converted either. */
const convertDevices = () => Promise.reject(new Error("converts devices"));

async function bench(...args: string[]): Promise<void> {
  const write = (text: string) => said.push(text);
  const program = new Command().exitOverride().enablePositionalOptions();
  addBenchCommand(program, convertDevices, convertDevices, { output: { write }, notes: { write } });
  await program.parseAsync(["bench", ...args], { from: "user" });
}

describe("regionlab bench", () => {
  it.each<[string, string[], RegExp]>([
    ["an unknown suite", ["speed"], /^bench speed: there is no such suite/],
    [
      "an option of a subcommand",
      ["scaling", "--repeats", "101"],
      /^--repeats 101: give a whole number from 1 to 100/,
    ],
    ["one form", ["--regions", "embedded"], /^--regions embedded: give two of embedded, owned/],
    [
      "converted devices in a suite with devices of its own",
      ["dispatch", "--convert", "virtio/*"],
      /^bench dispatch --convert: measures devices of its own.*give boot, count/,
    ],
    [
      "converted devices and forms",
      ["--convert", "virtio/*", "--regions", "owned,embedded"],
      /^--regions owned,embedded --convert: .*leave one out/,
    ],
    [
      "a pattern that no command could repeat",
      ["--convert", "virtio *"],
      /^--convert virtio \*: has a space/,
    ],
    ["an unknown guest", ["--workload", "doom"], /^--workload doom: there is no such guest/],
    ["one process", ["--repeats", "1"], /^--repeats 1: is not a whole number from 2/],
    ["half a process", ["--repeats", "2.5"], /^--repeats 2\.5: is not a whole number/],
    ["a negative seed", ["--seed", "-3"], /^--seed -3: is not a whole number from 0/],
    [
      "an impossible part",
      ["--shard", "3/2"],
      /^--shard 3\/2: the 2 parts are 1 to 2; give the part and the number of parts/,
    ],
    [
      "more parts than tasks, whichever part it is",
      ["dispatch", "--quick", "--shard", "1/9", "--shard-by", "metrics"],
      /^--shard 1\/9: there are \d tasks, so some parts would measure nothing; use fewer parts/,
    ],
    ["an unknown division", ["--shard-by", "luck"], /^--shard-by luck: shards divide processes or metrics/],
    [
      "counting without counting",
      ["count", "--no-count"],
      /^bench count --no-count: asks to count and not to/,
    ],
    [
      "a limit without a baseline",
      ["--max-regression", "3"],
      /^--max-regression 3: there is nothing to compare with/,
    ],
    ["a force without a baseline", ["--force"], /^--force: there is no baseline to compare with/],
    [
      "a run in place of its baseline",
      ["--baseline", "./base.json", "-o", "base.json"],
      /^-o base\.json: is the same file as --baseline \.\/base\.json, which would be lost/,
    ],
    ["another format", ["-o", "run.txt"], /^-o run\.txt: a run is stored as JSON; end the name in \.json/],
  ])("refuses %s before anything is measured", async (_, args, message) => {
    await expectRefusal(args, message);
  });

  it.each<[string, () => string[], RegExp]>([
    ["a folder for a file", () => ["-o", at("folder.json")], /folder\.json: /],
    ["a place under a file", () => ["-o", at("file/run.json")], /file\/run\.json: /],
    ["a page that is a folder", () => ["-o", at("page.json")], /page\.html: /],
    ["a journal that is a folder", () => ["-o", at("journal.json")], /journal\.json\.partial: /],
    ["no baseline", () => ["--baseline", at("none.json")], /none\.json: does not exist/],
    [
      "a baseline of a newer format",
      () => ["--baseline", at("newer.json")],
      /newer\.json: .*newer regionlab/,
    ],
    ["a damaged baseline", () => ["--baseline", at("damaged.json")], /damaged\.json: /],
    [
      "a baseline of another processor",
      () => ["--baseline", at("other-machine.json")],
      /other-machine\.json.*--force/s,
    ],
    ["a baseline of another Node", () => ["--baseline", at("other-node.json")], /other-node\.json.*--force/s],
    [
      "a baseline of other options",
      () => ["--baseline", at("other-options.json")],
      /other-options\.json.*--force/s,
    ],
    [
      "a baseline of other suites",
      () => ["dispatch", "--baseline", at("retention.json")],
      /retention\.json: has none of the suites dispatch, but retention/,
    ],
    [
      "a baseline of other forms",
      () => ["--baseline", at("forms.json")],
      /forms\.json: measured embedded, this run measures embedded and owned/,
    ],
    [
      "a baseline of whole trees for converted devices",
      () => ["--convert", "virtio/*", "--baseline", at("retention.json"), "--force"],
      /retention\.json: measured whole trees, this run measures --convert virtio/,
    ],
    ["a synthetic baseline", () => ["--baseline", at("synthetic.json")], /synthetic\.json.*synthetic/s],
  ])("refuses %s, and leaves nothing half written", async (_, args, message) => {
    const before = await readdir(folder);
    const output = args().includes("-o") ? [] : ["-o", at("run.json")];
    await expectRefusal([...args(), ...output], message);
    expect(await readdir(folder)).toEqual(before);
  });
});

async function expectRefusal(args: string[], message: RegExp): Promise<void> {
  said.length = 0;
  await expect(bench(...args)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(message),
  });
  expect(said).toEqual([]);
}
