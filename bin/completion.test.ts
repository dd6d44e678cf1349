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
    [
      ["run", "--regions", "="],
      ["embedded", "owned", "heap"],
    ],
    [["run", "--regions", "=", "ow"], ["owned"]],
    [["run", "--regions=ow"], ["--regions=owned"]],
    [["run", "-nogr"], ["-nographic"]],
    [["run", "-mac"], ["-machine"]],
    [
      ["run", "-machine", ""],
      ["virt", "help"],
    ],
    [
      ["tree", "-no"],
      ["-no-reboot", "-nographic", "-nodefaults", "-no-user-config"],
    ],
    [["bench", "-no"], []],
    // The outputs of a run, which tree refuses.
    [["tree", "--trace"], []],
    [["tree", "--sta"], []],
    [["tree", "-snapshot-o"], []],
    [
      ["tree", ""],
      ["mtree", "qom", "qtree", "refs"],
    ],
    [["bench", "di"], ["dispatch"]],
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

/** Types lines with a tab at the end into an interactive zsh, and prints what the line then is, or what it lists. */
const ZSH = `
zmodload zsh/zpty
zpty -b shell "TERM=dumb PS1='% ' zsh -f -i"
seen() {
  local out= part
  repeat 100 {
    while zpty -rt shell part; do out+=$part; done
    [[ -n $1 && $out == *$1* ]] && break
    sleep 0.05
  }
  print -r -- "$out"
}
zpty -w shell "source $1; setopt no_beep; print rea''dy"
seen ready >/dev/null
shift
for line in "$@"; do
  zpty -n -w shell "$line"$'\t'
  zpty -n -w shell $'C-a: C-e #done\n'
  print "== $line"
  seen '#done'
done
zpty -d shell
`;

it("zsh offers the same", (test) => {
  skipWithout(test, "zsh", "zsh");
  const folder = mkdtempSync(join(tmpdir(), "regionlab-completion-"));
  try {
    const file = join(folder, "completion");
    writeFileSync(file, script("zsh"));
    const lines = [
      "regionlab re",
      "regionlab run --snapshot-i",
      "regionlab run -ma",
      "regionlab report --format m",
      "regionlab run --regions=ow",
    ];
    const said = output("zsh", ["-f", "-c", ZSH, "zsh", file, ...lines])
      .split(/^== .*$/m)
      .slice(1);
    const [commands, snapshot, machine, format, regions] = said;
    expect(commands).toMatch(/report +results/);
    expect(snapshot).toContain("run --snapshot-in ");
    expect(machine).toContain("run -machine ");
    expect(format).toContain("--format markdown ");
    expect(regions).toContain("--regions=owned ");
    for (const each of said) expect(each).not.toContain("_regionlab");
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
  expect(complete("regionlab run --regions=ow")).toEqual(["--regions=owned"]);
  expect(complete("regionlab run -nogr")).toEqual(["-nographic"]);
  expect(complete("regionlab run -machine vi")).toEqual(["virt"]);
  expect(complete("regionlab run -ma")).toEqual(["-machine"]);
  expect(complete("regionlab run -sn -sm")).toEqual(["-smp"]);
  expect(complete("regionlab run -s")).toEqual(
    expect.arrayContaining(["-s", "-smp", "-snapshot", "-serial"]),
  );
  expect(complete("regionlab run -de")).toEqual(["-device"]);
  expect(complete("regionlab bench -")).toContain("-o");
  expect(complete("regionlab codemod to")).toEqual(["to-embedded", "to-owned"]);
  for (const line of ["codemod to-owned", "c to-owned", "results merge", "audit"])
    expect(complete(`regionlab ${line} package.js`), line).toEqual(["package.json"]);
});
