import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { CommandError } from "./command-error.ts";
import { writeError } from "./standard-output.ts";

/**
 * Where an output goes.
 *
 * - `new`: nothing exists there; a file is created.
 * - `replace`: a file; a new one is renamed over it once it is complete.
 * - `rewrite`: a file that has other hard links, or whose folder or owner does not allow replacing it: overwritten.
 * - `stream`: a device, a terminal, an open descriptor: written through.
 * - `pipe`: a FIFO: written through once it has a reader.
 */
export type OutputKind = "new" | "replace" | "rewrite" | "stream" | "pipe";

export interface OutputPlace {
  /** The option and the path, for messages. */
  readonly label: string;
  /** The path with all links resolved. */
  readonly path: string;
  readonly kind: OutputKind;
  /** Of the existing file; null if there is none. */
  readonly stats: Stats | null;
}

/** Characters of a name that are used in that of its part file: names are limited to 255 bytes. */
const LONGEST_STEM = 60;
/** Links followed before they count as a loop, as in Linux. */
const MOST_LINKS = 40;
/** Paths of open descriptors: `/dev/fd/3`, or `/proc/self/fd/1`, to which `/dev/stdout` is a link. */
const DESCRIPTOR = /^(\/proc\/[^/]+|\/dev)\/fd\/\d+$/;

/**
 * Determines what is at a path, and whether an output may go there.
 *
 * @param label the option and the path, as the user gave them
 * @param makeFolders whether missing folders will be created
 * @throws CommandError when it is a folder, or cannot be written
 */
export function outputPlace(label: string, path: string, makeFolders = false): OutputPlace {
  if (path === "") throw new CommandError(`${label}: the path is empty; give a file`);
  if (path === "-")
    throw new CommandError(
      `${label}: a dash is not standard output here; give /dev/stdout, or ./- for a file of that name`,
    );
  try {
    const stats = statSync(path, { throwIfNoEntry: false }) ?? null;
    if (stats === null) {
      if (/\/$/.test(path)) throw new CommandError(`${label}: is a folder; give a file`);
      const target = lastTarget(path);
      // Folders are created at the path that the user gave, not at the target of a link.
      requireFolder(dirname(target), makeFolders && target === resolve(path));
      return { label, path: target, kind: "new", stats };
    }
    if (stats.isDirectory()) throw new CommandError(`${label}: is a folder; give a file`);
    if (stats.isSocket()) throw new CommandError(`${label}: is a socket; give a file`);
    // Root may write any file, but one that its owner made read-only is meant to stay.
    if (stats.isFile() && (stats.mode & 0o222) === 0)
      throw Object.assign(new Error(path), { code: "EACCES" });
    accessSync(path, constants.W_OK);
    const target = lastTarget(path);
    if (DESCRIPTOR.test(target)) {
      if (isOurOwn(target, stats))
        throw new CommandError(`${label}: is not open; give a descriptor that the shell opened`);
      if (flagsOf(target) % ACCESS_MODES === constants.O_RDONLY)
        throw new CommandError(`${label}: is open for reading only; give one that is open for writing`);
      return { label, path, kind: "stream", stats };
    }
    if (stats.isFIFO()) return { label, path: target, kind: "pipe", stats };
    if (!stats.isFile()) return { label, path: target, kind: "stream", stats };
    return { label, path: target, kind: mayReplace(target, stats) ? "replace" : "rewrite", stats };
  } catch (error) {
    throw error instanceof CommandError ? error : writeError(label, error);
  }
}

/** O_NONBLOCK as Linux shows it: set in the pipes that Node opens for itself, not in those that shells open. */
const NONBLOCK = 0o4000;
/** The lowest bits of a descriptor's flags are how it was opened: for reading, for writing, or both. */
const ACCESS_MODES = 4;
const STANDARD_ERROR = 2;

/** Whether this process opened the descriptor for itself, so that the user cannot mean it. */
function isOurOwn(target: string, stats: Stats): boolean {
  const { owner, digits } = descriptorOf(target);
  if (Number(digits) <= STANDARD_ERROR || (owner !== "self" && owner !== `${process.pid}`)) return false;
  if (!stats.isFile() && !stats.isFIFO() && !stats.isCharacterDevice()) return true; // an eventfd or the like
  return stats.isFIFO() && (flagsOf(target) & NONBLOCK) !== 0;
}

function descriptorOf(target: string): { readonly owner: string; readonly digits: string } {
  const [, owner = "self", digits = ""] = /^\/(?:proc\/([^/]+)|dev)\/fd\/(\d+)$/.exec(target) ?? [];
  return { owner, digits };
}

/** The flags of an open descriptor; those of one open for writing where the system does not show them (not Linux). */
function flagsOf(target: string): number {
  const { owner, digits } = descriptorOf(target);
  const info = `/proc/${owner}/fdinfo/${digits}`;
  if (!existsSync(info)) return constants.O_WRONLY;
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(info, "latin1"))?.[1] ?? "1";
  return Number.parseInt(flags, 8);
}

/** Whether two places are the same file, under whatever names. */
export function isSamePlace(one: OutputPlace, other: OutputPlace): boolean {
  if (one.stats === null || other.stats === null) return one.path === other.path;
  return one.stats.dev === other.stats.dev && one.stats.ino === other.stats.ino;
}

/** Name of the part file, which becomes the output once it is complete. */
export function partOf(path: string): string {
  // A long name must leave space for the rest.
  return join(dirname(path), `.${basename(path).slice(0, LONGEST_STEM)}.${process.pid}.part`);
}

/** Whether a new file can replace this one without changing its links and owner. */
function mayReplace(path: string, { nlink, uid, gid }: Stats): boolean {
  if (nlink > 1) return false;
  const user = process.getuid?.() ?? uid;
  if (user !== 0 && (user !== uid || process.getgid?.() !== gid)) return false;
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws an Error of node:fs when no file can be created in the folder, or the folder itself cannot be created */
function requireFolder(folder: string, makeFolders: boolean): void {
  const stats = statSync(folder, { throwIfNoEntry: !makeFolders });
  if (stats === undefined) requireFolder(dirname(folder), makeFolders);
  else if (!stats.isDirectory()) throw Object.assign(new Error(folder), { code: "ENOTDIR" });
  else accessSync(folder, constants.W_OK | constants.X_OK);
}

/** The target of a path: links are followed even if the last one dangles, but not those of descriptors. */
function lastTarget(path: string): string {
  let target = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    if (DESCRIPTOR.test(target) || !lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink())
      return target;
    const next = readlinkSync(target);
    target = isAbsolute(next) ? next : join(realpathSync(dirname(target)), next);
  }
  throw Object.assign(new Error(path), { code: "ELOOP" });
}
