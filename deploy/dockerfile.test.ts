import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./testing/command-line.ts";
import { commandsOf, type Instruction, instructionsOf, isIgnored } from "./testing/dockerfile.ts";

const read = (name: string) => readFileSync(join(root, name), "utf8");
const dockerfile = read("deploy/Dockerfile");
const dockerignore = read(".dockerignore");
const manifest: {
  bin: { regionlab: string };
  scripts: Record<string, string>;
  version: string;
  engines: { node: string };
} = JSON.parse(read("package.json"));

const instructions = instructionsOf(dockerfile);
const ofKeyword = (keyword: string, from = instructions) => from.filter((each) => each.keyword === keyword);
const image = instructions.filter(({ stage }) => stage === instructions.at(-1)?.stage);
const commands = ofKeyword("RUN").flatMap(commandsOf);

/** Sources that a COPY takes from the checkout, not from another stage. */
function sourcesOf({ words }: Instruction): string[] {
  return words.some((word) => word.startsWith("--from=")) ? [] : words.slice(0, -1);
}

/** Describes the errors in a Dockerfile's copies. */
function wrongCopies(text: string, ignore: string): string[] {
  return ofKeyword("COPY", instructionsOf(text))
    .flatMap(sourcesOf)
    .flatMap((source) => {
      if (!existsSync(join(root, source))) return [`${source} does not exist`];
      return isIgnored(ignore, source) ? [`${source} is ignored`] : [];
    });
}

describe("deploy/Dockerfile", () => {
  it("copies only files that exist and that .dockerignore allows", () => {
    expect(ofKeyword("COPY").flatMap(sourcesOf).length).toBeGreaterThan(5);
    expect(wrongCopies(dockerfile, dockerignore)).toEqual([]);
  });

  it("is reported if it copies missing or ignored files", () => {
    expect(wrongCopies(dockerfile.replace("COPY bin bin", "COPY bun bun"), dockerignore)).toEqual([
      "bun does not exist",
    ]);
    expect(wrongCopies(dockerfile, dockerignore.replace("!bench\n", ""))).toEqual(["bench is ignored"]);
  });

  it("copies the same files as a checkout without results, tests, packages and builds", () => {
    const kept = ["bench/index.ts", "workloads/bare-metal/bin/hello.elf", "results/schema.ts", ".npmrc"];
    const left = [
      "node_modules/diff/package.json",
      "dist/bin/cli.js",
      ".git/HEAD",
      "bench/code-size.test.ts",
    ];
    const results = ["results/baseline/a.json.gz", "results/latest.json"];
    expect(kept.filter((file) => isIgnored(dockerignore, file))).toEqual([]);
    expect([...left, ...results].filter((file) => !isIgnored(dockerignore, file))).toEqual([]);
  });

  it("runs scripts that package.json has", () => {
    const scripts = commands
      .filter(([npm, run]) => npm === "npm" && run === "run")
      .map((words) => words[2] ?? "");
    expect(scripts).toEqual(["build"]);
    for (const script of scripts) expect(Object.keys(manifest.scripts)).toContain(script);
  });

  it("keeps the package and its dependencies, and puts its command on the path", () => {
    const [copy, ...others] = ofKeyword("COPY", image);
    expect([copy?.words, others]).toEqual([["--from=build", "/opt/regionlab", "/opt/regionlab"], []]);
    const link = commands.find(([program]) => program === "ln");
    expect(link).toEqual([
      "ln",
      "-s",
      `/opt/regionlab/${manifest.bin.regionlab}`,
      "/usr/local/bin/regionlab",
    ]);
    expect(ofKeyword("ENTRYPOINT").map(({ words }) => words)).toEqual([["regionlab"]]);
    expect(commands).toContainEqual(expect.arrayContaining(["npm", "prune", "--omit=dev"]));
  });

  it("installs only Debian packages that .ci/run installs, too", () => {
    const installed = commands
      .filter(([program, verb]) => program === "apt-get" && verb === "install")
      .flatMap((words) => words.slice(2).filter((word) => !word.startsWith("-")));
    expect(installed).toContain("valgrind");
    const [, checked = ""] = read(".ci/run").match(/apt-get install ([\s\S]*?)>/) ?? [];
    expect(checked.split(/[\s\\]+/)).toEqual(expect.arrayContaining(installed));
  });

  it("builds and runs on the same base, with a Node that the package accepts", () => {
    const bases = ofKeyword("FROM").map(({ words }) => words[0] ?? "");
    expect(new Set(bases).size).toBe(1);
    const major = Number(bases[0]?.match(/^node:(\d+)-bookworm-slim$/)?.[1]);
    expect(major).toBeGreaterThanOrEqual(Number(manifest.engines.node.match(/>=(\d+)/)?.[1]));
  });

  it("runs as a user that is not root, in a folder that this user can write to", () => {
    const [user] = ofKeyword("USER", image);
    expect(user?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(ofKeyword("WORKDIR", image).map(({ text }) => text)).toEqual(["/results"]);
    expect(commands).toContainEqual(["install", "-d", "-o", "node", "-g", "node", "/results"]);
  });
});

describe("the version of the image", () => {
  it.each(["deploy/Dockerfile", "deploy/kubernetes/bench-job.yaml", "deploy/kubernetes/merge-job.yaml"])(
    "in %s is that of the package",
    (file) => {
      const versions = [...read(file).matchAll(/\bregionlab:(\d+\.\d+\.\d+)/g)].map(([, version]) => version);
      expect(new Set(versions)).toEqual(new Set([manifest.version]));
    },
  );
});

describe("instructionsOf", () => {
  it("joins continued lines, leaves comments out, and reads arrays", () => {
    const text = '# one\nFROM a AS b\nRUN x \\\n# two\n && y\nFROM c\nCMD ["d", "e f"]\n';
    expect(instructionsOf(text).map(({ keyword, stage, words }) => [keyword, stage, words])).toEqual([
      ["FROM", "b", ["a", "AS", "b"]],
      ["RUN", "b", ["x", "&&", "y"]],
      ["FROM", "1", ["c"]],
      ["CMD", "1", ["d", "e f"]],
    ]);
  });

  it("refuses unknown instructions", () => {
    expect(() => instructionsOf("FROM a\nHEALTHCHECK NONE\n")).toThrow('cannot read "HEALTHCHECK NONE"');
  });
});
