import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { CommandError } from "#host";
import { ExitCode } from "../errors.ts";
import { shown } from "./workspace.ts";

/**
 * Makes sure that git could restore every file. @throws CommandError that names the first file that has uncommitted
 * changes, is not tracked, or is outside any repository.
 */
export function requireClean(paths: readonly string[]): void {
  for (const [directory, files] of groupByDirectory(paths)) {
    const dirty = statusOf(directory, files);
    if (dirty === undefined) continue;
    throw new CommandError(`${dirty}; commit it first, or use --allow-dirty`, { exitCode: ExitCode.Usage });
  }
}

function groupByDirectory(paths: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const directory = dirname(path);
    groups.set(directory, [...(groups.get(directory) ?? []), path]);
  }
  return groups;
}

/** What is wrong with the first file that is not clean; undefined if all are. */
function statusOf(directory: string, files: readonly string[]): string | undefined {
  const [first = directory] = files;
  let status: string;
  try {
    const args = ["status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--", ...files];
    status = execFileSync("git", args, {
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
