/** Trees of QEMU: copies of them, what regionlab says of them, and whether their files compile. */
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CommandError } from "#host";
import { packageRoot } from "#workloads";
import { run, type Timed, timed } from "./run.ts";

const CLI = join(packageRoot(), "dist", "bin", "cli.js");

/** @throws CommandError (exit code 2) when a folder is no tree of QEMU */
export function checkTree(option: string, tree: string): void {
  if (existsSync(join(tree, "hw")) && existsSync(join(tree, "include"))) return;
  throw new CommandError(`${option} ${tree}: has no hw and include; give the root of a QEMU tree`);
}

/** Runs `regionlab c`. @throws CommandError when it fails otherwise than by refusing regions */
export async function regionlab(...args: string[]): Promise<Timed> {
  const ran = await timed(process.execPath, [CLI, "c", ...args]);
  const REFUSED = 3;
  if (ran.status !== 0 && ran.status !== REFUSED)
    throw new CommandError(`regionlab c ${args.join(" ")}: ${ran.stderr.trim().slice(-400)}`, {
      exitCode: 1,
    });
  return ran;
}

export interface TreeCensus {
  /** Fields that are regions. */
  readonly fields: number;
  readonly initCalls: number;
}

/** Embedded fields of a tree, and calls of `memory_region_init*`. */
export async function census(tree: string): Promise<TreeCensus> {
  const { stdout } = await regionlab("census", tree, "--json", "-");
  const json: { fields: number; initCalls: Record<string, number> } = JSON.parse(
    stdout.slice(stdout.indexOf("{")),
  );
  return {
    fields: json.fields,
    initCalls: Object.values(json.initCalls).reduce((sum, calls) => sum + calls, 0),
  };
}

/** Folders that hold no code which is converted, and would take as long to copy as all others. */
const LEFT_OUT = new Set([".git", "build", "pc-bios", "roms", "po", "python", "subprojects", "tests"]);

/** Copies what a conversion reads. */
export function copyTree(tree: string, to: string): void {
  cpSync(tree, to, {
    recursive: true,
    filter: (path) => dirname(path) !== resolve(tree) || !LEFT_OUT.has(basename(path)),
  });
}

/** Generated headers of a build, to where a copy of its tree looks for them. */
export function copyGenerated(build: string, to: string): void {
  mkdirSync(to, { recursive: true });
  cpSync(build, to, {
    recursive: true,
    filter: (path) => {
      const stats = lstatSync(path); // links lead to firmware, which may be missing
      return stats.isDirectory() || (stats.isFile() && /\.(?:h|inc|def|c)$/.test(path));
    },
  });
}

export interface CompilerCommand {
  /** Relative to the tree. */
  readonly file: string;
  readonly args: readonly string[];
}

interface Listed {
  readonly directory: string;
  readonly command: string;
  readonly file: string;
}

/**
 * How the files of a tree are compiled for their target, without output, by the list that meson writes into a build.
 * @param copy folder of a copy of the tree, with the generated headers in `build`
 */
export function compilerCommands(tree: string, build: string, copy: string): CompilerCommand[] {
  const path = join(build, "compile_commands.json");
  if (!existsSync(path))
    throw new CommandError(
      `--build ${build}: has no compile_commands.json; give a folder in which QEMU was built`,
    );
  const listed: Listed[] = JSON.parse(readFileSync(path, "utf8"));
  const [from, inside] = [resolve(tree), resolve(build)];
  return listed.map(({ directory, command, file }) => ({
    file: relative(from, resolve(directory, file)),
    args: syntaxOnly(command.split(/\s+/))
      .map((word) => word.replaceAll(inside, join(copy, "build")))
      .map((word) => word.replaceAll(from, copy)),
  }));
}

/** A compiler's words without those that name outputs. */
export function syntaxOnly(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 1; i < words.length; i++) {
    const word = words[i] ?? "";
    if (["-o", "-MF", "-MQ"].includes(word)) i++;
    else if (word !== "-MD" && word !== "-c" && word !== "")
      kept.push(word.replaceAll('\\"', '"').replace(/^'(.*)'$/, "$1"));
  }
  return ["-fsyntax-only", ...kept];
}

export interface Compiled {
  readonly checked: number;
  /** Files with an error. */
  readonly broken: readonly string[];
  /** Files that compile, with a warning about the type of a pointer. */
  readonly warned: readonly string[];
}

const WARNING =
  /warning: .*(?:incompatible pointer|from incompatible|makes pointer|makes integer|int-conversion)/;

/** Compiles files of a copy, each for every target that the build has. */
export async function compile(
  commands: readonly CompilerCommand[],
  changed: ReadonlySet<string>,
  copy: string,
): Promise<Compiled> {
  const [broken, warned, checked] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { file, args } of commands.filter((command) => changed.has(command.file))) {
    const { status, stderr } = await run("cc", args, { cwd: join(copy, "build") });
    checked.add(file);
    if (status !== 0) broken.add(file);
    else if (WARNING.test(stderr)) warned.add(file);
  }
  return { checked: checked.size, broken: [...broken], warned: [...warned] };
}
