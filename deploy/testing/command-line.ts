/** Records the calls that scripts make, by running them, and reads the commands and options from the built help. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const CLI = "dist/bin/cli.js";

/** Programs that are replaced by stubs, which record their arguments. */
const RECORDED = ["node", "npm", "regionlab", "sudo", "git"];

export interface ScriptRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Every recorded call: the program, and its arguments as the shell parsed them. */
  readonly calls: readonly (readonly string[])[];
  /** Content of the files in `read`; empty for files that the script did not write. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ScriptSetting {
  /** The command line, without the script itself. */
  readonly shell: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders to create first, relative to the working folder. */
  readonly folders?: readonly string[];
  /** Empty files to create first. */
  readonly present?: readonly string[];
  /** Files to read afterwards. */
  readonly read?: readonly string[];
}

/** Runs a script in a temporary folder, with stub programs that record their arguments. */
export function runScript(script: string, setting: ScriptSetting): ScriptRun {
  const { shell, env = {}, folders = [], present = [], read = [] } = setting;
  const folder = mkdtempSync(join(tmpdir(), "regionlab-script-"));
  try {
    const programs = join(folder, ".programs");
    const record = join(folder, ".calls");
    writeFileSync(record, "");
    for (const name of [".programs", ...folders]) mkdirSync(join(folder, name), { recursive: true });
    for (const name of present) writeFileSync(join(folder, name), "");
    for (const program of RECORDED) {
      const file = join(programs, program);
      // JSON would be hard to write from a shell; no argument contains these two separators.
      writeFileSync(
        file,
        `#!/bin/sh\n{ printf '%s\\037' ${program} "$@"; printf '\\036'; } >> '${record}'\n`,
      );
      chmodSync(file, 0o755);
    }
    const [program, ...options] = shell;
    const { status, stdout, stderr } = spawnSync(program, [...options, script], {
      cwd: folder,
      env: { ...env, PATH: `${programs}:/usr/bin:/bin` },
      encoding: "utf8",
      timeout: 20_000,
    });
    const calls = readFileSync(record, "utf8").split("\u001e").slice(0, -1);
    return {
      status,
      stdout,
      stderr,
      calls: calls.map((call) => call.split("\u001f").slice(0, -1)),
      files: Object.fromEntries(read.map((name) => [name, contentOf(join(folder, name))])),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function contentOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The arguments of every call of regionlab, as itself or as `node dist/bin/cli.js`. */
export function regionlabCalls(calls: ScriptRun["calls"]): string[][] {
  return calls.flatMap(([program, ...words]) => {
    if (program === "regionlab") return [words];
    return program === "node" && words[0] === CLI ? [words.slice(1)] : [];
  });
}

/** Commands that have subcommands. */
const GROUPS: ReadonlySet<string> = new Set(["results"]);

/**
 * Describes the parts of a call that the built command line does not know; empty if it knows all of them.
 *
 * @param words the call without the program's name: `["bench", "--quick"]`
 */
export function unknownWords(words: readonly string[]): string[] {
  const command = words.slice(0, GROUPS.has(words[0] ?? "") ? 2 : 1);
  const called = `regionlab ${command.join(" ")}`;
  const help = helpOf(command);
  if (help === null) return [`there is no command ${called}`];
  const known = optionsIn(help);
  return words
    .slice(command.length)
    .filter((word) => word.startsWith("-") && !known.has(word))
    .map((option) => `${called} has no option ${option}`);
}

const helpTexts = new Map<string, string | null>();

/** Help of a command; null if there is no such command. */
export function helpOf(command: readonly string[]): string | null {
  const called = command.join(" ");
  const known = helpTexts.get(called);
  if (known !== undefined) return known;
  const file = join(root, CLI);
  if (!existsSync(file)) throw new Error(`${file} is missing; run npm run build first`);
  const { status, stdout } = spawnSync(process.execPath, [file, ...command, "--help"], { encoding: "utf8" });
  // For an unknown command, the help of its parent may be shown.
  const help = status === 0 && stdout.startsWith(`Usage: regionlab ${called} `) ? stdout : null;
  helpTexts.set(called, help);
  return help;
}

/** Options that a help text lists, long and short: `  -o, --output <file>  where to …`. */
export function optionsIn(help: string): Set<string> {
  const options = help.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm);
  return new Set([...options].flatMap(([, ...names]) => names.filter((name) => name !== undefined)));
}
