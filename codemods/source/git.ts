import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError, cleanText, systemErrorCode } from "#host";
import { ExitCode } from "../errors.ts";
import { shown } from "./workspace.ts";

/**
 * Makes sure that git could restore every file. @throws CommandError that names the first file that has uncommitted
 * changes, is not tracked, or is outside any repository.
 */
export function requireClean(paths: readonly string[]): void {
  for (const [directory, files] of groupByRepository(paths)) {
    for (const chunk of chunksOf(files)) {
      const dirty = statusOf(directory, chunk);
      if (dirty === undefined) continue;
      throw new CommandError(`${dirty}; commit it first, or use --allow-dirty`, { exitCode: ExitCode.Usage });
    }
  }
}

/** The files of each repository, since asking git takes long; those outside any stay with their directory. */
function groupByRepository(paths: readonly string[]): Map<string, string[]> {
  const roots = new Map<string, string | undefined>();
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const directory = repositoryAbove(dirname(path), roots) ?? dirname(path);
    const known = groups.get(directory);
    if (known === undefined) groups.set(directory, [path]);
    else known.push(path);
  }
  return groups;
}

/** Number of files that one call of git is asked about: a command line has limits. */
const filesPerCall = 500;

function chunksOf(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / filesPerCall);
  return Array.from({ length: count }, (_, index) =>
    files.slice(index * filesPerCall, (index + 1) * filesPerCall),
  );
}

function repositoryAbove(directory: string, roots: Map<string, string | undefined>): string | undefined {
  if (roots.has(directory)) return roots.get(directory);
  const parent = dirname(directory);
  const isRoot = existsSync(join(directory, ".git"));
  const found = isRoot ? directory : parent === directory ? undefined : repositoryAbove(parent, roots);
  roots.set(directory, found);
  return found;
}

/** What is wrong with the first file that is not clean; undefined if all are. */
function statusOf(directory: string, files: readonly string[]): string | undefined {
  const [first = directory] = files;
  const changed = ["status", "--porcelain", "-z", "--ignored", "--untracked-files=all"];
  const status = askGit(directory, changed, files);
  if ("failure" in status) return `${shown(first)}: ${status.failure}, so it could not be restored`;
  const [entry = ""] = status.entries;
  if (entry !== "") {
    const untracked = entry.startsWith("??") || entry.startsWith("!!");
    return `${named(entry.slice(3), files)}: ${untracked ? "not tracked by git" : "has uncommitted changes"}`;
  }
  const flags = askGit(directory, ["ls-files", "-v", "-z"], files);
  // Lower case and S: files whose changes git does not look for.
  const unseen = "entries" in flags ? flags.entries.find((each) => /^[a-zS] /.test(each)) : undefined;
  return unseen === undefined
    ? undefined
    : `${named(unseen.slice(2), files)}: git is told not to look for its changes (git update-index --no-assume-unchanged --no-skip-worktree undoes that)`;
}

function named(entry: string, files: readonly string[]): string {
  return shown(files.find((path) => path.endsWith(entry)) ?? entry);
}

/** Answer of git about files, by entry; or why there is none. */
function askGit(
  directory: string,
  words: readonly string[],
  files: readonly string[],
): { readonly entries: readonly string[] } | { readonly failure: string } {
  const args = ["--literal-pathspecs", ...words, "--", ...files];
  const env = { ...process.env, LC_ALL: "C" };
  const { error, status, stdout, stderr } = spawnSync("git", args, {
    ...{ cwd: directory, encoding: "utf8", env },
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) {
    const isMissing = systemErrorCode(error) === "ENOENT";
    return { failure: isMissing ? "git is not installed, or not in PATH" : `git failed (${error.message})` };
  }
  if (status === 0) return { entries: stdout.split("\0") };
  const [line = ""] = stderr.split("\n");
  return {
    failure: /not a git repository/.test(line) ? "not in a git repository" : `git says "${cleanText(line)}"`,
  };
}
