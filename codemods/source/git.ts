import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "#host";
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
  let status: string;
  try {
    const args = ["--literal-pathspecs", "status", "--porcelain", "-z", "--ignored", "--untracked-files=all"];
    status = execFileSync("git", [...args, "--", ...files], {
      cwd: directory,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return `${shown(first)}: not in a git repository, so it could not be restored`;
  }
  const entry = status.split("\0")[0] ?? "";
  if (entry === "") return undefined;
  const name = files.find((path) => path.endsWith(entry.slice(3))) ?? first;
  const untracked = entry.startsWith("??") || entry.startsWith("!!");
  return `${shown(name)}: ${untracked ? "not tracked by git" : "has uncommitted changes"}`;
}
