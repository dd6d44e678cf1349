import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validateWorkflow } from "@action-validator/core";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CLI, regionlabCalls, root, runScript, unknownWords } from "./testing/command-line.ts";

const folder = join(root, ".github", "workflows");
const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
const textOf = (name: string) => readFileSync(join(folder, name), "utf8");

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, string>> };
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: {
    readonly workflow_dispatch?: { readonly inputs: Readonly<Record<string, { default: string }>> };
  };
  readonly permissions?: unknown;
  readonly concurrency?: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Its shape is checked by the first test below. */
const workflow = (name: string) => parse(textOf(name)) as Workflow;

function stepsOf({ jobs }: Workflow): Step[] {
  return Object.values(jobs).flatMap(({ steps }) => steps);
}

function job(name: string): Job {
  const found = workflow("bench.yml").jobs[name];
  if (found === undefined) throw new Error(`bench.yml has no job ${name}`);
  return found;
}

/** A step of the benchmark's workflow, run as GitHub's `shell: bash` runs it. */
function runStep(jobName: string, stepName: string, setting: StepSetting = {}) {
  const step = job(jobName).steps.find(({ name }) => name === stepName);
  if (step?.run === undefined) throw new Error(`${jobName} of bench.yml runs no step named ${stepName}`);
  const { values = {}, ...others } = setting;
  const env = Object.fromEntries(
    Object.entries(step.env ?? {}).map(([name, text]) => [name, expand(text, values)]),
  );
  return runScript(step.run, {
    shell: ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"],
    ...others,
    env: { ...env, GITHUB_OUTPUT: "output.txt", GITHUB_STEP_SUMMARY: "summary.md" },
  });
}
interface StepSetting {
  /** Values of expressions: `inputs.shards`, `matrix.shard`. */
  readonly values?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
  readonly present?: readonly string[];
  readonly read?: readonly string[];
}

/** An expression as a workflow writes it. */
const expression = (text: string) => `\${{ ${text} }}`;

function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ ([\w.]+) \}\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the test has no value for ${whole}`);
    return value;
  });
}

describe.each(files)("%s", (name) => {
  it("is a workflow by GitHub's schema", () => {
    expect(validateWorkflow(textOf(name)).errors).toEqual([]);
  });

  it("requests read permission only, has a timeout, and pins every action to a version", () => {
    const { permissions, concurrency, jobs } = workflow(name);
    expect(permissions).toEqual({ contents: "read" });
    expect(concurrency?.group).toContain("github.ref");
    for (const each of Object.values(jobs)) expect(each["timeout-minutes"]).toBeLessThanOrEqual(360);
    for (const { uses } of stepsOf(workflow(name))) if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
  });

  it("passes inputs to scripts only through variables", () => {
    for (const { run = "" } of stepsOf(workflow(name))) expect(run).not.toContain("${{");
  });
});

describe("the validator", () => {
  it.each([
    ["a missing job", /needs: plan/, "needs: plann"],
    ["a step without an action or a script", /^ {8}run: node .*$/m, ""],
    ["an unknown option", "fail-fast: false", "fail-quick: false"],
    ["an unknown type of input", "type: choice", "type: menu"],
  ])("refuses %s", (_, pattern, replacement) => {
    const broken = textOf("bench.yml").replace(pattern, replacement);
    expect(broken).not.toBe(textOf("bench.yml"));
    expect(validateWorkflow(broken).errors).not.toEqual([]);
  });
});

describe("ci.yml", () => {
  it("runs the same script that developers run", () => {
    const script = stepsOf(workflow("ci.yml")).at(-1)?.run?.trim() ?? "";
    expect(existsSync(join(root, script))).toBe(true);
    expect(script).toBe(".ci/run");
  });
});

describe("bench.yml", () => {
  const plan = (shards: string) =>
    runStep("plan", "Number the shards", { values: { "inputs.shards": shards }, read: ["output.txt"] });

  const planned = (shards: string): number[] => {
    const text = plan(shards).files["output.txt"]?.match(/^shards=(.*)\n$/)?.[1] ?? "nothing";
    return JSON.parse(text);
  };

  it("passes the shard numbers from the plan to the matrix", () => {
    expect(job("plan").outputs).toEqual({ shards: expression("steps.divide.outputs.shards") });
    expect(job("measure").needs).toBe("plan");
    expect(job("measure").strategy?.matrix).toEqual({
      shard: expression("fromJSON(needs.plan.outputs.shards)"),
    });
  });

  it.each(["1", "2", "7", "32"])("measures every shard of %s once", (shards) => {
    const measured = planned(shards).map((shard) => {
      const values = {
        "matrix.shard": String(shard),
        "inputs.shards": shards,
        "inputs.mode": "full",
        "inputs.repeats": "",
      };
      const { status, calls } = runStep("measure", "Measure", { values });
      expect([status, calls.length]).toEqual([0, 1]);
      return calls[0]?.slice(0, 5).join(" ");
    });
    const all = Array.from({ length: Number(shards) }, (_, index) => `${index + 1}/${shards}`);
    expect(measured).toEqual(all.map((shard) => `node ${CLI} bench --shard ${shard}`));
  });

  it.each(["", "0", "-1", "33", "100", "two", "2; echo"])("refuses %j shards and says why", (shards) => {
    const { status, stdout, files: written } = plan(shards);
    expect([status, written["output.txt"]]).toEqual([1, ""]);
    expect(stdout).toMatch(/^::error::shards: .* is not a whole number from 1 to 32; give one\n$/);
  });

  it.each([
    ["full", "", []],
    ["quick", "", ["--quick"]],
    ["full", "40", ["--repeats", "40"]],
    ["quick", "4", ["--quick", "--repeats", "4"]],
  ])("passes the mode %s and %j repeats to bench", (mode, repeats, options) => {
    const values = {
      "matrix.shard": "2",
      "inputs.shards": "4",
      "inputs.mode": mode,
      "inputs.repeats": repeats,
    };
    const [words = []] = regionlabCalls(runStep("measure", "Measure", { values }).calls);
    expect(words).toEqual(["bench", "--shard", "2/4", ...options, "-o", "shard.json"]);
  });

  it("merges everything that was uploaded, and reports it", () => {
    const [upload] = job("measure").steps.filter(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
    const [download] = job("merge").steps.filter(({ uses }) =>
      uses?.startsWith("actions/download-artifact@"),
    );
    const names = [1, 2, 3].map((shard) =>
      expand(upload?.with?.name ?? "", { "matrix.shard": String(shard) }),
    );
    for (const name of names)
      expect(name.startsWith((download?.with?.pattern ?? "none").replace("*", ""))).toBe(true);
    // Like download-artifact with a pattern: each artifact goes into a folder of its own name.
    const folders = names.map((name) => `${download?.with?.path}/${name}`);
    const present = folders.map((each) => `${each}/${upload?.with?.path}`);
    const merge = regionlabCalls(runStep("merge", "Merge", { folders, present }).calls);
    expect(merge).toEqual([["results", "merge", ...present, "-o", "merged.json"]]);
    const report = regionlabCalls(runStep("merge", "Report").calls);
    expect(report).toEqual([
      ["report", "merged.json", "--format", "markdown"],
      ["report", "merged.json", "--format", "html", "-o", "merged.html"],
    ]);
  });

  it("uses commands and options that regionlab has", () => {
    const values = {
      "matrix.shard": "1",
      "inputs.shards": "1",
      "inputs.mode": "quick",
      "inputs.repeats": "2",
    };
    const steps = [
      runStep("measure", "Measure", { values }),
      runStep("merge", "Merge"),
      runStep("merge", "Report"),
    ];
    const calls = steps.flatMap((step) => regionlabCalls(step.calls));
    expect(calls.length).toBe(4);
    expect(calls.flatMap(unknownWords)).toEqual([]);
  });

  it("fails to merge if no shard was downloaded", () => {
    const { calls } = runStep("merge", "Merge");
    // The shell leaves the pattern unexpanded: a file that does not exist, which the command refuses.
    expect(regionlabCalls(calls)[0]).toContain("shards/shard-*/shard.json");
  });
});

describe("unknownWords", () => {
  it("finds an option and a command that regionlab does not have, and none that it has", () => {
    expect(unknownWords(["bench", "--quick", "-o", "a.json"])).toEqual([]);
    expect(unknownWords(["report", "--speed", "a.json"])).toEqual(["regionlab report has no option --speed"]);
    expect(unknownWords(["fly", "--quick"])).toEqual(["there is no command regionlab fly"]);
    expect(unknownWords(["results", "fly"])).toEqual(["there is no command regionlab results fly"]);
  });
});
