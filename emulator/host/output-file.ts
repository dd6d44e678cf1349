import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { CommandError, systemErrorCode } from "./command-error.ts";
import { congestionOf } from "./congestion.ts";
import { isSamePlace, type OutputPlace, outputPlace, partOf } from "./output-place.ts";
import { writeError } from "./standard-output.ts";

/** How often a FIFO is looked at until somebody reads it. */
const READER_POLL_MS = 20;
const COPY_BYTES = 1 << 20;

export interface OutputOptions {
  /** Make the folders that are missing. */
  readonly makeFolders?: boolean;
  /** What messages call it; by default the option and the path. */
  readonly label?: string;
}

/** Parts of outputs that are neither whole nor discarded: they go when the process does. */
const unfinished = new Set<string>();
let watching = false;

/**
 * A file that the user asked for. What is at its path keeps its links, mode and owner, and is touched only when the output is
 * whole: nobody ever sees half of it. What is no regular file is written through.
 */
export class OutputFile {
  readonly place: OutputPlace;
  private readonly folders: boolean;
  /** File that takes the content; null where it is written through. */
  private part: string | null;
  private descriptor = -1;
  private pipe: Socket | null = null;
  private failure: CommandError | null = null;
  private discarded = false;

  /**
   * @param option for messages, as `--stats`
   * @throws CommandError that names the option and the file when it cannot be written
   */
  constructor(option: string, path: string, { makeFolders = false, label }: OutputOptions = {}) {
    this.place = outputPlace(inOneLine(label ?? `${option} ${path}`), path, makeFolders);
    this.folders = makeFolders;
    this.part = this.makePart();
  }

  /** Waits until somebody reads it, where it is a FIFO. Nothing is to be written before. */
  async ready(): Promise<void> {
    const { kind, path, label } = this.place;
    if (kind !== "pipe" || this.pipe !== null) return;
    for (;;) {
      try {
        this.descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
        break;
      } catch (error) {
        if (systemErrorCode(error) !== "ENXIO") throw writeError(label, error);
        await setTimeout(READER_POLL_MS);
        if (this.discarded) return;
      }
    }
    this.pipe = new Socket({ fd: this.descriptor, readable: false, writable: true });
    this.pipe.on("error", (error) => {
      this.failure ??= writeError(label, error);
    });
  }

  /** @throws CommandError when it cannot be written, now or before */
  write(content: string | Uint8Array): void {
    if (this.failure !== null) throw this.failure;
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    if (this.pipe !== null) {
      this.pipe.write(Uint8Array.from(bytes));
      return;
    }
    try {
      writeAll(this.descriptor, bytes);
    } catch (error) {
      this.failure = writeError(this.place.label, error);
      throw this.failure;
    }
  }

  /** What to wait for before more is written; null: nothing. @throws CommandError when it cannot be written */
  congestion(): Promise<void> | null {
    if (this.failure !== null) throw this.failure;
    return this.pipe === null ? null : congestionOf(this.pipe);
  }

  /** Ends it, whole. @throws CommandError when it cannot be written; what was there before is as it was, if it is a file */
  async commit(): Promise<void> {
    const { pipe } = this;
    if (pipe !== null) {
      await new Promise<void>((resolve) => {
        pipe.once("error", () => resolve()).end(resolve);
      });
      if (this.failure !== null) throw this.failure;
      return;
    }
    this.commitSync();
  }

  /** The same, for what is no FIFO. */
  commitSync(): void {
    if (this.failure !== null) throw this.failure;
    try {
      if (this.part !== null) this.moveInto(this.part);
    } catch (error) {
      throw error instanceof CommandError ? error : writeError(this.place.label, error);
    } finally {
      this.removePart();
    }
  }

  /** Ends it without a result; what was there before is as it was. */
  discard(): void {
    this.discarded = true;
    if (this.pipe !== null) {
      this.pipe.destroy();
      this.descriptor = -1;
    }
    this.removePart();
  }

  private makePart(): string | null {
    const { path, kind, label, stats } = this.place;
    try {
      if (kind === "pipe") return null;
      if (kind === "stream") {
        this.descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY);
        return null;
      }
      if (this.folders) makeFolder(dirname(path));
      const part =
        kind === "rewrite" ? join(tmpdir(), `regionlab-${process.pid}-${stats?.ino}.part`) : partOf(path);
      rmSync(part, { force: true }); // of a process that had this number before
      // Readable again for its owner while it is written, whatever it becomes.
      this.descriptor = openSync(part, "wx+", stats === null ? 0o666 : 0o600);
      keep(part);
      return part;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT")
        throw new CommandError(`${label}: no file can be made there; give another path`, { cause: error });
      throw writeError(label, error);
    }
  }

  private moveInto(part: string): void {
    const { path, kind, stats } = this.place;
    if (kind === "rewrite") {
      this.copyInto(part);
    } else if (stats !== null) {
      fchownSync(this.descriptor, stats.uid, stats.gid);
      fchmodSync(this.descriptor, stats.mode & 0o7777);
    }
    closeSync(this.descriptor);
    this.descriptor = -1;
    if (kind !== "rewrite") renameSync(part, path);
  }

  /** The one way in which something can be lost, so that then the whole of it stays somewhere. */
  private copyInto(part: string): void {
    try {
      copyOver(this.descriptor, this.place.path);
    } catch (cause) {
      unfinished.delete(part);
      this.part = null;
      throw new CommandError(`${writeError(this.place.label, cause).message}; all of it is in ${part}`, {
        cause,
      });
    }
  }

  private removePart(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    if (this.part === null) return;
    rmSync(this.part, { force: true });
    unfinished.delete(this.part);
  }
}

/**
 * Writes a whole output at once.
 * @throws CommandError when it cannot be written
 */
export async function writeOutput(
  option: string,
  path: string,
  content: string | Uint8Array,
  options: OutputOptions = {},
): Promise<void> {
  const file = new OutputFile(option, path, options);
  try {
    await file.ready();
    file.write(content);
    await file.commit();
  } catch (error) {
    file.discard();
    throw error;
  }
}

/**
 * Writes several outputs, all or none: nothing is touched before every one of them is written beside its place.
 *
 * @param options.shown how messages name a path
 * @throws CommandError when one cannot be written
 */
export function writeOutputs(
  contents: ReadonlyMap<string, string | Uint8Array>,
  { shown = (path) => path, ...options }: OutputOptions & { readonly shown?: (path: string) => string } = {},
): void {
  const files: OutputFile[] = [];
  try {
    for (const [path, content] of contents) {
      const file = new OutputFile("", path, { ...options, label: shown(path) });
      files.push(file);
      if (file.place.kind === "pipe") throw new CommandError(`${path}: is a named pipe; give a file`);
      file.write(content);
    }
    for (const file of files) file.commitSync();
  } finally {
    for (const file of files) file.discard();
  }
}

/**
 * Makes sure, before anything runs, that an output can be written. Leaves nothing behind.
 * @throws CommandError when it cannot
 */
export function checkOutput(option: string, path: string, options: OutputOptions = {}): void {
  new OutputFile(option, path, options).discard();
}

/** A name may hold a newline; a message has one line. */
function inOneLine(label: string): string {
  return label.trim().replace(/\s*[\r\n]+\s*/g, "\ufffd");
}

/** @throws CommandError when two outputs are one file */
export function requireDistinct(files: readonly OutputFile[]): void {
  for (const [i, { place }] of files.entries()) {
    const same = files.slice(0, i).find((other) => isSamePlace(other.place, place));
    if (same !== undefined && place.kind !== "stream")
      throw new CommandError(
        `${place.label}: is the file of ${same.place.label}, too; give each a file of its own`,
      );
  }
}

/** An input, by the option that names it. */
export interface NamedInput {
  readonly option: string;
  readonly path: string;
}

/** @throws CommandError when an output is a file that is read: it would be lost */
export function requireApart(files: readonly OutputFile[], inputs: readonly NamedInput[]): void {
  for (const { place } of files) {
    const { stats, kind, label } = place;
    if (kind === "stream") continue;
    for (const { option, path } of inputs) {
      const input = statSync(path, { throwIfNoEntry: false });
      const isSame =
        stats === null ? place.path === resolve(path) : input?.dev === stats.dev && input.ino === stats.ino;
      if (isSame)
        throw new CommandError(`${label}: is the file of ${option} ${path}, and would be lost; give another`);
    }
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

/** Puts the content of one file into another, which stays the file it is. */
function copyOver(from: number, path: string): void {
  const to = openSync(path, "r+");
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    let at = 0;
    for (;;) {
      const length = readSync(from, buffer, 0, buffer.length, at);
      if (length === 0) break;
      writeAll(to, buffer.subarray(0, length));
      at += length;
    }
    ftruncateSync(to, at);
  } finally {
    closeSync(to);
  }
}

/** Makes a folder and those that it is in. Node's recursive `mkdir` never returns where a folder refuses new ones as /proc does. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error; // somebody else was faster, or it is a file: writing will tell
  }
}

function keep(part: string): void {
  unfinished.add(part);
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const each of unfinished) rmSync(each, { force: true });
  });
}
