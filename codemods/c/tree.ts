/** Reads the sources of a tree. */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { CommandError, tell } from "#host";

/** Folders that hold no code of the emulator itself. */
const skippedFolders = new Set([
  ".git",
  "roms",
  "subprojects",
  "pc-bios",
  "linux-headers",
  "standard-headers",
  "build",
  "node_modules",
  "tcg",
  "scripts",
  "docs",
  "po",
  "python",
]);

export interface TreeTexts {
  readonly root: string;
  /** Latin-1 texts of C sources and headers, by path relative to the root. */
  readonly texts: Map<string, string>;
  readonly rust: Map<string, string>;
}

/** Reads all C and Rust sources below the given files and folders. @throws CommandError if one cannot be read. */
export function readTree(paths: readonly string[]): TreeTexts {
  const texts = new Map<string, string>();
  const rust = new Map<string, string>();
  const root = rootOf(paths);
  const { files, broken } = sourceFiles(paths);
  for (const path of files) {
    const name = relative(root, path).split(sep).join("/");
    (name.endsWith(".rs") ? rust : texts).set(name, readFileSync(path, "latin1"));
  }
  for (const link of broken) tell(`warning: ${link}: the link leads nowhere; left out`);
  if (texts.size === 0) {
    throw new CommandError(`${paths.join(", ")}: no C source found; name a QEMU tree or files of it`);
  }
  return { root, texts, rust };
}

/**
 * The files that {@link readTree} reads. Links are followed; a file or folder that several lead to is visited once, by its own
 * name if it has one there.
 * @throws CommandError if a path is missing
 */
export function sourceFiles(paths: readonly string[]): {
  readonly files: readonly string[];
  /** Links that lead nowhere. */
  readonly broken: readonly string[];
} {
  const files: string[] = [];
  const broken: string[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const stats = statOf(path);
    if (!stats.isDirectory() && !stats.isFile())
      throw new CommandError(`${path}: is not a regular file; name a QEMU tree or files of it`);
    const links: string[] = [];
    visit(path, stats.isDirectory(), realpathSync(path), links);
    for (const link of links) follow(link, links);
  }
  return { files, broken };

  function visit(path: string, isFolder: boolean, real: string, links: string[]): void {
    if (seen.has(real)) return;
    seen.add(real);
    if (!isFolder) {
      files.push(path);
      return;
    }
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (
        entry.isDirectory() ? isSkipped(entry.name, inside) : !entry.isSymbolicLink() && !isSource(entry.name)
      )
        continue;
      if (entry.isSymbolicLink()) links.push(inside);
      else if (entry.isDirectory() || entry.isFile())
        visit(inside, entry.isDirectory(), join(real, entry.name), links);
    }
  }

  function follow(link: string, links: string[]): void {
    const stats = statSync(link, { throwIfNoEntry: false });
    if (stats === undefined) {
      if (isSource(link)) broken.push(link);
      return;
    }
    const real = realpathSync(link);
    if (stats.isDirectory() ? !isSkipped(basename(link), link) : stats.isFile() && isSource(link))
      visit(link, stats.isDirectory(), real, links);
  }
}

function isSource(name: string): boolean {
  return /\.(?:[chm]|inc|rs)$/.test(name);
}

function isSkipped(name: string, path: string): boolean {
  return skippedFolders.has(name) && (name !== "tcg" || path.includes("tests"));
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch {
    throw new CommandError(`${path}: no such file or folder; name a QEMU tree or files of it`);
  }
}

/** The folder that paths are relative to: the first folder named, or the folder of the first file. */
function rootOf(paths: readonly string[]): string {
  const folders = paths.filter((path) => statOf(path).isDirectory());
  return folders.length === 1 && paths.length === 1 ? (folders[0] ?? ".") : ".";
}
