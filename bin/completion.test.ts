/** Tests the scripts in the shells themselves. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { skipWithout } from "../workloads/testing/programs.ts";

const command = join(fileURLToPath(new URL("..", import.meta.url)), "dist", "bin", "cli.js");

beforeAll(() => {
  if (!existsSync(command)) throw new Error(`${command} is missing; run npm run build first`);
});

function output(program: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: "utf8", timeout: 60_000 });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

const script = (shell: string) => output(process.execPath, [command, "completion", shell]);

/** Completions that bash offers for the last of these words, which follow `regionlab`. */
function offers(completion: string, words: readonly string[]): string[] {
  const asked = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _regionlab; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = output("bash", ["-c", `${completion}\n${asked}`, "bash", "regionlab", ...words]);
  return said.split("\n").filter((line) => line !== "");
}

describe("bash", () => {
  let completion: string;
  beforeAll(() => {
    completion = script("bash");
  });

  it.each<[string[], string[]]>([
    [["re"], ["results", "report"]],
    [["results", "m"], ["merge"]],
    [
      ["codemod", "to-"],
      ["to-owned", "to-embedded"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["report", "--format", "m"], ["markdown"]],
    [
      ["run", "--snapshot"],
      ["--snapshot", "--snapshot-in", "--snapshot-out"],
    ],
    [["run", "--kernel", "x.elf", "--until"], ["--until"]],
    [["run", "-nogr"], ["-nographic"]],
    [["run", "-mac"], ["-machine"]],
    [
      ["run", "-machine", ""],
      ["virt", "help"],
    ],
    [
      ["tree", "-no"],
      ["-nographic", "-nodefaults", "-no-user-config"],
    ],
    [["bench", "-no"], []],
    // A disk image.
    [["run", "-hda", ""], []],
    // Files: bash completes them itself.
    [["run", "--kernel", ""], []],
    [["report", ""], []],
    [["nonsense", "--ker"], []],
  ])("%j", (words, expected) => {
    expect(offers(completion, words)).toEqual(expected);
  });

  it.each(["run", "bench", "results merge", "report", "codemod", "audit", "tree"])(
    "offers every option that %s has",
    (name) => {
      const help = output(process.execPath, [command, ...name.split(" "), "--help"]);
      const told = [...help.matchAll(/^ +(?:-\w, )?(--[a-z_-]+)/gm)].map(([, option]) => option);
      expect(told.length).toBeGreaterThan(1);
      const offered = offers(completion, [...name.split(" "), "-"]);
      expect(offered).toEqual(expect.arrayContaining(told.filter((option) => option !== "--help")));
    },
  );
});

it("zsh and fish accept their scripts", (test) => {
  skipWithout(test, "zsh", "zsh");
  skipWithout(test, "fish", "fish");
  const folder = mkdtempSync(join(tmpdir(), "regionlab-completion-"));
  try {
    for (const shell of ["zsh", "fish"]) {
      const file = join(folder, shell);
      writeFileSync(file, script(shell));
      output(shell, ["-n", file]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("fish offers the same", (test) => {
  skipWithout(test, "fish", "fish");
  const completion = script("fish");
  const complete = (line: string) =>
    output("fish", ["--no-config", "-c", `${completion}\ncomplete -C '${line}'`])
      .split("\n")
      .map((each) => each.split("\t")[0])
      .filter((each) => each !== "");
  expect(complete("regionlab re")).toEqual(["report", "results"]);
  expect(complete("regionlab report --format m")).toEqual(["markdown"]);
  expect(complete("regionlab run --snapshot-")).toEqual(["--snapshot-in", "--snapshot-out"]);
  expect(complete("regionlab run -nogr")).toEqual(["-nographic"]);
  expect(complete("regionlab run -machine vi")).toEqual(["virt"]);
});
