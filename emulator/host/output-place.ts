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
 * - `new`: nothing is there; a file is made.
 * - `replace`: a file, whose name a new one takes once that is whole.
 * - `rewrite`: a file that has other names, or whose folder or owner does not allow a replacement: it is written over.
 * - `stream`: a device, a terminal, an open descriptor: it is written through.
 * - `pipe`: a FIFO: it is written through once somebody reads it.
 */
export type OutputKind = "new" | "replace" | "rewrite" | "stream" | "pipe";

export interface OutputPlace {
  /** The option and the path, for messages. */
  readonly label: string;
  /** The path after all links. */
  readonly path: string;
  readonly kind: OutputKind;
  /** Of the file that is there; null where there is none. */
  readonly stats: Stats | null;
}

/** Characters of a name that go into that of its part: names may have 255 bytes. */
const LONGEST_STEM = 60;
/** Links that are followed before they count as a circle, as in Linux. */
const MOST_LINKS = 40;
/** What leads to something that is open already: `/dev/stdout` does, `/dev/fd/3`, `/proc/self/fd/1`. */
const DESCRIPTOR = /^(\/proc\/[^/]+|\/dev)\/fd\/\d+$/;

/**
 * Finds out what is at a path, and whether an output may go there.
 *
 * @param label the option and the path, as the user gave them
 * @param makeFolders whether folders that are missing will be made
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
      // Folders are made where the user named them, not where some link leads.
      requireFolder(dirname(target), makeFolders && target === resolve(path));
      return { label, path: target, kind: "new", stats };
    }
    if (stats.isDirectory()) throw new CommandError(`${label}: is a folder; give a file`);
    if (stats.isSocket()) throw new CommandError(`${label}: is a socket; give a file`);
    // Root may write all files; one that its owner protected is meant to stay.
    if (stats.isFile() && (stats.mode & 0o222) === 0)
      throw Object.assign(new Error(path), { code: "EACCES" });
    accessSync(path, constants.W_OK);
    const target = lastTarget(path);
    if (DESCRIPTOR.test(target)) {
      if (isOurOwn(target, stats))
        throw new CommandError(`${label}: is not open; give a descriptor that the shell opened`);
      return { label, path, kind: "stream", stats };
    }
    if (stats.isFIFO()) return { label, path: target, kind: "pipe", stats };
    if (!stats.isFile()) return { label, path: target, kind: "stream", stats };
    return { label, path: target, kind: mayReplace(target, stats) ? "replace" : "rewrite", stats };
  } catch (error) {
    throw error instanceof CommandError ? error : writeError(label, error);
  }
}

/** Flag of descriptors that never wait, as Linux shows it: shells open none so, and Node all of its own. */
const NONBLOCK = 0o4000;
const STANDARD_ERROR = 2;

/** Whether a descriptor is one that this process opened for itself, which nobody can mean. */
function isOurOwn(target: string, stats: Stats): boolean {
  const [, owner = "self", digits = ""] = /^\/(?:proc\/([^/]+)|dev)\/fd\/(\d+)$/.exec(target) ?? [];
  if (Number(digits) <= STANDARD_ERROR || (owner !== "self" && owner !== `${process.pid}`)) return false;
  if (!stats.isFile() && !stats.isFIFO() && !stats.isCharacterDevice()) return true; // an event of Node's
  const info = `/proc/self/fdinfo/${digits}`;
  if (!existsSync(info)) return false; // another system: opening it will tell
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(info, "latin1"))?.[1] ?? "0";
  return stats.isFIFO() && (Number.parseInt(flags, 8) & NONBLOCK) !== 0;
}

/** Whether two places are one file, whatever its names. */
export function isSamePlace(one: OutputPlace, other: OutputPlace): boolean {
  if (one.stats === null || other.stats === null) return one.path === other.path;
  return one.stats.dev === other.stats.dev && one.stats.ino === other.stats.ino;
}

/** Name of the file that becomes the output when it is whole. */
export function partOf(path: string): string {
  // Beside a long name there must be room for the rest.
  return join(dirname(path), `.${basename(path).slice(0, LONGEST_STEM)}.${process.pid}.part`);
}

/** Whether a new file can take this one's place without anybody seeing a difference. */
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

/** @throws Error of node:fs where no file can be made in a folder, or the folder cannot be made */
function requireFolder(folder: string, makeFolders: boolean): void {
  const stats = statSync(folder, { throwIfNoEntry: !makeFolders });
  if (stats === undefined) requireFolder(dirname(folder), makeFolders);
  else if (!stats.isDirectory()) throw Object.assign(new Error(folder), { code: "ENOTDIR" });
  else accessSync(folder, constants.W_OK | constants.X_OK);
}

/** What a path leads to, the last link followed even where nothing is at its end; descriptors are not followed. */
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
