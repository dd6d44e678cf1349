/** Reads the sources of a tree. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { CommandError } from "#host";

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
  for (const path of paths) {
    const stats = statOf(path);
    if (stats.isDirectory()) folder(path);
    else if (stats.isFile()) file(path);
    else throw new CommandError(`${path}: is not a regular file; name a QEMU tree or files of it`);
  }
  if (texts.size === 0) {
    throw new CommandError(`${paths.join(", ")}: no C source found; name a QEMU tree or files of it`);
  }
  return { root, texts, rust };

  function folder(path: string): void {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name) || (entry.name === "tcg" && !inside.includes("tests")))
          folder(inside);
      } else if (entry.isFile() && /\.(?:[chm]|inc|rs)$/.test(entry.name)) file(inside);
    }
  }

  function file(path: string): void {
    const name = relative(root, path).split(sep).join("/");
    const text = readFileSync(path, "latin1");
    (name.endsWith(".rs") ? rust : texts).set(name, text);
  }
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
