/** Finds the sources among files and under folders, and says of every other file that looks like one why it is none. */
import { isUtf8 } from "node:buffer";
import { type Dirent, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CommandError, systemErrorCode } from "#host";

/** Why a file is left alone. */
export const SkipReason = {
  Declaration: "declaration",
  JavaScript: "javascript",
  Test: "test",
  BrokenLink: "broken-link",
  IgnoredLink: "ignored-link",
  NotAFile: "not-a-file",
  NotUtf8: "not-utf-8",
} as const;
export type SkipReason = (typeof SkipReason)[keyof typeof SkipReason];

/** One line each, for reports. */
export const skipTexts: Readonly<Record<SkipReason, string>> = {
  [SkipReason.Declaration]:
    "declaration files only declare types; convert the sources that they are made from",
  [SkipReason.JavaScript]: "JavaScript does not say which fields are regions; convert the TypeScript source",
  [SkipReason.Test]: "tests are not devices; name a file to convert it anyway",
  [SkipReason.BrokenLink]: "the link leads nowhere; remove it or give it a target",
  [SkipReason.IgnoredLink]:
    "the link leads into a folder that is not searched; name its target to convert it",
  [SkipReason.NotAFile]: "it is not a regular file",
  [SkipReason.NotUtf8]:
    "it is not in UTF-8, so that it is searched for uses but never rewritten; convert it, for instance by iconv",
};

/** A file that is not converted. */
export interface Skipped {
  readonly path: string;
  readonly reason: SkipReason;
}

export interface Discovered {
  /** Absolute paths without symbolic links, sorted, each once. */
  readonly sources: readonly string[];
  /** Sorted by path. */
  readonly skipped: readonly Skipped[];
}

export interface DiscoverOptions {
  /** Nothing will be written, so that sources in any encoding will do. */
  readonly readOnly?: boolean;
}

/**
 * TypeScript sources (`.ts`, `.mts`, `.cts`, `.tsx`) among the given files and under the given folders. Symbolic links are
 * followed, and every file and folder is visited once, however many links lead to it.
 * @throws CommandError for a path that is missing or contains no source
 */
export function discover(paths: readonly string[], { readOnly = false }: DiscoverOptions = {}): Discovered {
  const search = new Search({ utf8Only: !readOnly });
  for (const path of paths) {
    const before = search.seen;
    search.visit(path);
    if (search.seen === before) throw new CommandError(noSource(path, search.skipped));
  }
  return {
    sources: [...search.sources].sort(),
    skipped: [...search.skipped].map(([path, reason]) => ({ path, reason })).sort(byPath),
  };
}

/** Sources under one directory, which may be missing or empty. */
export function sourcesUnder(directory: string): string[] {
  const search = new Search();
  search.visitRoot(directory);
  return [...search.sources].sort();
}

/** Every file of the package in a directory that code can be in: sources, tests, declarations and JavaScript. Sorted. */
export function codeOfPackage(directory: string): string[] {
  const search = new Search({ withinPackage: true });
  search.visitRoot(directory);
  const others = [...search.skipped].filter(([, reason]) => isCode.has(reason)).map(([path]) => path);
  return [...search.sources, ...others].sort();
}

const isCode: ReadonlySet<SkipReason> = new Set<SkipReason>([
  SkipReason.Declaration,
  SkipReason.JavaScript,
  SkipReason.Test,
]);

function byPath(a: Skipped, b: Skipped): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function noSource(path: string, skipped: ReadonlyMap<string, SkipReason>): string {
  const under = resolve(path);
  const [first] = [...skipped].filter(([each]) => each === real(under) || each.startsWith(`${real(under)}/`));
  const why = first === undefined ? "" : ` (${basename(first[0])}: ${skipTexts[first[1]]})`;
  return `${path}: contains no TypeScript source${why}; name a device source or a directory of them`;
}

/** Folders that hold no sources of the project: `node_modules`, `dist`, and those whose name begins with a dot. */
function isIgnored(folder: string): boolean {
  return folder === "node_modules" || folder === "dist" || folder.startsWith(".");
}

/** What a regular file of this name is: a source, or why not; undefined if it is no code at all. */
function kindOf(name: string): "source" | SkipReason | undefined {
  if (/\.d\.(?:[^.]+\.)?[cm]?ts$/.test(name)) return SkipReason.Declaration;
  if (/\.[cm]?jsx?$/.test(name)) return SkipReason.JavaScript;
  if (!/\.(?:[cm]?ts|tsx)$/.test(name)) return undefined;
  return isTest(name) ? SkipReason.Test : "source";
}

/** True for a source whose name says that it is a test. */
export function isTest(path: string): boolean {
  return /\.(?:test|spec)\.(?:[cm]?ts|tsx)$/.test(path);
}

class Search {
  readonly sources = new Set<string>();
  readonly skipped = new Map<string, SkipReason>();
  /** Number of sources and searched folders met, including those that were met before. */
  seen = 0;
  private readonly folders = new Set<string>();
  private readonly withinPackage: boolean;
  private readonly utf8Only: boolean;
  private root = "";

  /**
   * `withinPackage` leaves out folders with a package.json of their own, `utf8Only` sources in other encodings unless the user
   * named them: those are reported when they are read.
   */
  constructor({ withinPackage = false, utf8Only = false } = {}) {
    this.withinPackage = withinPackage;
    this.utf8Only = utf8Only;
  }

  /** A path that the user named: a source even if it is a test, and searched even if its folder is ignored. */
  visit(path: string): void {
    if (path === "") throw new CommandError("the path is empty; name a device source or a directory of them");
    const absolute = resolve(path);
    const stats = statsOf(absolute);
    if (stats === "circle") throw new CommandError(`${path}: its links lead in a circle; mend one of them`);
    if (stats === undefined) throw new CommandError(`${path}: no such file or directory; check the path`);
    const target = real(absolute);
    if (stats.isDirectory()) {
      if (this.folders.has(target)) this.seen++;
      else this.visitRoot(target);
      return;
    }
    // Reading a pipe or a device could wait forever.
    if (!stats.isFile()) throw new CommandError(`${path}: is not a regular file; give a source or a folder`);
    const kind = kindOf(target);
    if (kind === undefined) {
      throw new CommandError(
        `${path}: not a TypeScript source; codemods read .ts, .mts, .cts and .tsx files only`,
      );
    }
    if (kind === "source" || kind === SkipReason.Test) this.add(target);
    else this.skipped.set(target, kind);
  }

  /** A folder that is searched whatever its name is. */
  visitRoot(folder: string): void {
    this.root = folder;
    this.visitFolder(folder);
  }

  private visitFolder(folder: string): void {
    const target = real(folder);
    if (this.folders.has(target)) return;
    this.folders.add(target);
    const entries = entriesOf(folder);
    const isPackage = entries.some(({ name }) => name === "package.json");
    if (this.withinPackage && isPackage && folder !== this.root) return;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) this.visitLink(path);
      else if (entry.isDirectory()) {
        if (!isIgnored(entry.name)) this.visitFolder(path);
      } else this.visitFile(path, entry.isFile());
    }
  }

  private visitLink(link: string): void {
    const stats = statsOf(link);
    if (stats === undefined || stats === "circle") {
      if (kindOf(link) !== undefined || !/\.[^.]+$/.test(basename(link))) {
        this.skipped.set(link, SkipReason.BrokenLink);
      }
      return;
    }
    const target = real(link);
    const folder = stats.isDirectory() ? target : dirname(target);
    const parts = relative(this.root, folder).split("/");
    if (isIgnored(basename(link)) || parts.some((part) => part !== ".." && isIgnored(part))) {
      if (stats.isDirectory() || kindOf(target) !== undefined) {
        this.skipped.set(link, SkipReason.IgnoredLink);
      }
    } else if (stats.isDirectory()) this.visitFolder(target);
    else this.visitFile(target, stats.isFile());
  }

  private visitFile(path: string, regular: boolean): void {
    const kind = kindOf(path);
    if (kind === undefined) return;
    if (!regular) this.skipped.set(path, SkipReason.NotAFile);
    else if (this.sources.has(path)) this.seen++;
    else if (kind !== "source") this.skipped.set(path, kind);
    else if (this.utf8Only && isInAnotherEncoding(path)) this.skipped.set(path, SkipReason.NotUtf8);
    else this.add(path);
  }

  private add(path: string): void {
    this.sources.add(path);
    this.skipped.delete(path);
    this.seen++;
  }
}

function isInAnotherEncoding(path: string): boolean {
  try {
    return !isUtf8(readFileSync(path));
  } catch {
    return false; // what cannot be read is reported when it is read
  }
}

/** What is at a path, links followed; undefined if there is nothing, or its links lead nowhere. */
function statsOf(path: string): Stats | "circle" | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ELOOP") return "circle";
    if (code === "EACCES") throw new CommandError(`${path}: no permission to read; grant it and run again`);
    if (code === "ENAMETOOLONG") throw new CommandError(`${path}: the name is too long; check the path`);
    throw error;
  }
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return [];
    if (code === "EACCES")
      throw new CommandError(`${directory}: no permission to read; grant it and run again`);
    throw error;
  }
}

/** The path without symbolic links; the path itself if there is nothing. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
