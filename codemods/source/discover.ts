import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { CommandError, systemErrorCode } from "#host";

/**
 * TypeScript sources among the given files and under the given directories: absolute, sorted, without duplicates.
 * Directories are searched without declaration files, tests and node_modules. @throws CommandError for a path that is
 * missing or contains no source.
 */
export function discoverSources(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const sources = sourcesAt(path);
    if (sources.length === 0) {
      throw new CommandError(
        `${path}: contains no TypeScript source; name a device source or a directory of them`,
      );
    }
    for (const source of sources) found.add(source);
  }
  return [...found].sort();
}

/** Like `discoverSources` for one directory, which may be missing or empty. */
export function sourcesUnder(directory: string): string[] {
  let entries: import("node:fs").Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return [];
    if (code === "EACCES")
      throw new CommandError(`${directory}: no permission to read; grant it and run again`);
    throw error;
  }
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") found.push(...sourcesUnder(path));
    else if (entry.isFile() && isSource(entry.name)) found.push(path);
  }
  return found.sort();
}

function sourcesAt(path: string): string[] {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) throw new CommandError(`${path}: no such file or directory; check the path`);
  if (stats.isDirectory()) return sourcesUnder(absolute);
  if (!/\.[cm]?ts$/.test(path)) {
    throw new CommandError(`${path}: not a TypeScript source; codemods read .ts files only`);
  }
  return [absolute];
}

function isSource(name: string): boolean {
  return /\.ts$/.test(name) && !/\.(d|test)\.ts$/.test(name);
}
