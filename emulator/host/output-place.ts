import {
  accessSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { CommandError, systemErrorCode } from "./command-error.ts";
import { writeError } from "./standard-output.ts";

/**
 * Where an output goes.
 *
 * - `new`: nothing exists there; a file is created.
 * - `replace`: a file; a new one is renamed over it once it is complete.
 * - `rewrite`: a file that has other hard links, or whose folder or owner does not allow replacing it: overwritten.
 * - `stream`: a device, a terminal, an open descriptor: written through.
 * - `pipe`: a FIFO, or a descriptor that leads to one: written through once it has a reader.
 */
export type OutputKind = "new" | "replace" | "rewrite" | "stream" | "pipe";

export interface OutputPlace {
  /** The option and the path, for messages. */
  readonly label: string;
  /** The path with all links resolved, those of folders, too. */
  readonly path: string;
  readonly kind: OutputKind;
  /** The descriptor of this process that the path names: others write through it, too. Null: another place. */
  readonly descriptor: number | null;
  /** Of the existing file; null if there is none. */
  readonly stats: Stats | null;
}

/** Characters of a name that are used in that of its part file: names are limited to 255 bytes. */
const LONGEST_STEM = 60;
/** Links followed before they count as a loop, as in Linux. */
const MOST_LINKS = 40;
/** Paths of open descriptors: `/dev/fd/3`, or `/proc/self/fd/1`, to which `/dev/stdout` is a link. */
const DESCRIPTOR = /^(\/proc\/.+|\/dev)\/fd\/\d+$/;

/**
 * Determines what is at a path, and whether an output may go there.
 *
 * @param label the option and the path, as the user gave them
 * @param makeFolders whether missing folders will be created
 * @throws CommandError when it is a folder, cannot be written, or is where standard output or standard error goes
 */
export function outputPlace(label: string, path: string, makeFolders = false): OutputPlace {
  if (path === "") throw new CommandError(`${label}: the path is empty; give a file`);
  if (path.includes("\ufffd"))
    throw new CommandError(`${label}: the name is not valid UTF-8; give one that is`);
  if (path === "-")
    throw new CommandError(
      `${label}: a dash is not standard output here; give /dev/stdout, or ./- for a file of that name`,
    );
  try {
    const stats = statSync(path, { throwIfNoEntry: false }) ?? null;
    if (stats === null && /\/$/.test(path)) throw new CommandError(`${label}: is a folder; give a file`);
    const target = lastTarget(path);
    const place = { label, path: target, stats, descriptor: null };
    if (DESCRIPTOR.test(target)) return descriptorPlace(place);
    if (stats === null) {
      // Folders are created at the path that the user gave, not at the target of a link.
      requireFolder(dirname(target), makeFolders && !isLink(path));
      return { ...place, kind: "new" };
    }
    if (stats.isDirectory()) throw new CommandError(`${label}: is a folder; give a file`);
    if (stats.isSocket()) throw new CommandError(`${label}: is a socket; give a file`);
    // Root may write any file, but one that its owner made read-only is meant to stay.
    if (stats.isFile() && (stats.mode & 0o222) === 0)
      throw Object.assign(new Error(path), { code: "EACCES" });
    accessSync(path, constants.W_OK);
    if (stats.isFIFO()) return { ...place, kind: "pipe" };
    if (!stats.isFile()) return { ...place, kind: "stream" };
    requireNotStandard(label, stats);
    return { ...place, kind: mayReplace(target, stats) ? "replace" : "rewrite" };
  } catch (error) {
    throw error instanceof CommandError ? error : writeError(label, error);
  }
}

/** The place that an open descriptor is, of this process or another. */
function descriptorPlace(place: Omit<OutputPlace, "kind">): OutputPlace {
  const { label, path, stats } = place;
  const own = ownDescriptor(path);
  if (stats === null || (own !== null && isOurOwn(own, path, stats)))
    throw new CommandError(`${label}: is not open; give a descriptor that the shell opened`);
  // Opening its path anew would succeed: the file may be writable, though the descriptor is not.
  if (((flagsOf(path) ?? constants.O_WRONLY) & ACCESS_MODE) === constants.O_RDONLY)
    throw new CommandError(`${label}: is open only for reading; give a descriptor opened for writing`);
  const isPipe = stats.isFIFO() || (own !== null && stats.isSocket());
  return { ...place, kind: isPipe ? "pipe" : "stream", descriptor: own };
}

/** @throws CommandError for a file that this process writes already, as standard output or standard error */
function requireNotStandard(label: string, { dev, ino }: Stats): void {
  for (const [descriptor, name] of [
    [1, "output"],
    [STANDARD_ERROR, "error"],
  ] as const) {
    const stats = statsOfDescriptor(descriptor);
    if (stats?.isFile() && stats.dev === dev && stats.ino === ino)
      throw new CommandError(
        `${label}: is the file that standard ${name} goes to; give another, or /dev/fd/${descriptor}`,
      );
  }
}

function statsOfDescriptor(descriptor: number): Stats | null {
  try {
    return fstatSync(descriptor);
  } catch {
    return null; // closed
  }
}

/** O_NONBLOCK as Linux shows it: set in the pipes that Node opens for itself, not in those that shells open. */
const NONBLOCK = 0o4000;
/** O_ACCMODE, which Node does not name: the bits that tell reading from writing. */
const ACCESS_MODE = 0o3;
const STANDARD_ERROR = 2;

/** The number of a descriptor of this process; null: it belongs to another. */
function ownDescriptor(target: string): number | null {
  const [, owner, digits] = /^\/(?:proc\/(self|thread-self|\d+)(?:\/.*)?|dev)\/fd\/(\d+)$/.exec(target) ?? [];
  if (digits === undefined || (/^\d/.test(owner ?? "") && owner !== `${process.pid}`)) return null;
  return Number(digits);
}

/** Whether this process opened a descriptor of its own for itself, so that the user cannot mean it. */
function isOurOwn(descriptor: number, target: string, stats: Stats): boolean {
  if (descriptor <= STANDARD_ERROR) return false;
  if (!stats.isFile() && !stats.isFIFO() && !stats.isCharacterDevice()) return true; // an eventfd or the like
  return stats.isFIFO() && ((flagsOf(target) ?? 0) & NONBLOCK) !== 0;
}

/** Flags that a descriptor was opened with; null: the system does not tell (it is not Linux). */
function flagsOf(target: string): number | null {
  const info = target.replace(/^\/dev\//, "/proc/self/").replace(/\/fd\/(?=\d+$)/, "/fdinfo/");
  if (!existsSync(info)) return null; // opening reports errors
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(info, "latin1"))?.[1];
  return flags === undefined ? null : Number.parseInt(flags, 8);
}

/** Whether two places are the same file, under whatever names. */
export function isSamePlace(one: OutputPlace, other: OutputPlace): boolean {
  if (one.stats === null || other.stats === null) return one.path === other.path;
  return one.stats.dev === other.stats.dev && one.stats.ino === other.stats.ino;
}

/** Whether several outputs may go there, since each leaves what the others have written. */
export function isShared({ kind, descriptor }: OutputPlace): boolean {
  return kind === "stream" || descriptor !== null;
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
  let target = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    target = join(realFolder(dirname(target)), basename(target));
    if (DESCRIPTOR.test(target) || !isLink(target)) return target;
    const next = readlinkSync(target);
    target = isAbsolute(next) ? next : `${dirname(target)}/${next}`;
  }
  throw Object.assign(new Error(path), { code: "ELOOP" });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** A folder's path without links, also if it does not exist yet. */
function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder); // the other one drops `..` before it follows links
  } catch (error) {
    // What is not there cannot be left upwards.
    if (systemErrorCode(error) !== "ENOENT" || dirname(folder) === folder || basename(folder) === "..")
      throw error;
    return join(realFolder(dirname(folder)), basename(folder));
  }
}
