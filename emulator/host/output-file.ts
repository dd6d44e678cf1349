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
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { inOneLine } from "./clean-text.ts";
import { CommandError, systemErrorCode } from "./command-error.ts";
import { holdEndSignals } from "./end-signals.ts";
import { isSamePlace, isShared, type OutputPlace, outputPlace, partOf } from "./output-place.ts";
import { FileSink, type OutputSink, PipeSink, writeAll } from "./output-sink.ts";
import { writeError } from "./standard-output.ts";
import { tell } from "./tell.ts";

/** How often to check whether a FIFO has a reader. */
const READER_POLL_MS = 20;
/** Polls without a reader before the user is told what the command waits for. */
const POLLS_BEFORE_NOTE = 50;
const COPY_BYTES = 1 << 20;

export interface OutputOptions {
  /** Create missing folders. */
  readonly makeFolders?: boolean;
  /** What messages call the output; by default the option and the path. */
  readonly label?: string;
  /**
   * The output is written where it will be from the start, so that readers can follow it: after the file has been emptied,
   * or after what it holds.
   */
  readonly growing?: "emptied" | "appended";
}

/** Part files of outputs neither committed nor discarded; removed when the process exits. */
const unfinished = new Set<string>();
let watching = false;
let releaseSignals = (): void => {};

/**
 * An output file that the user named. Unless it is growing, an existing file keeps its links, mode and owner, and is touched
 * only once the output is complete, so that no reader sees half of it. Anything but a regular file is written through.
 *
 * Creating one changes nothing that exists: declare all outputs of a command first, then check them ({@link requireDistinct},
 * {@link requireApart}), and open them (`ready`, `start`) once nothing else can be refused.
 */
export class OutputFile {
  readonly place: OutputPlace;
  private readonly folders: boolean;
  /** Folders that were made for it, which go again if it is discarded. */
  private readonly made: string[] = [];
  private readonly growing: OutputOptions["growing"];
  /** Whether a part file receives the content, from the first write on; otherwise the output is written through. */
  private readonly hasPart: boolean;
  private part: string | null = null;
  /** The descriptor of the part file. */
  private descriptor = -1;
  private sink: OutputSink | null = null;
  private failure: CommandError | null = null;
  private isOver = false;
  /** Whether it is a FIFO that waits for a reader. */
  waits = false;
  private ending: Promise<void> | null = null;

  /**
   * @param option for messages, such as `--stats`
   * @throws CommandError that names the option and the file when it cannot be written
   */
  constructor(option: string, path: string, { makeFolders = false, label, growing }: OutputOptions = {}) {
    this.place = outputPlace(inOneLine(label ?? `${option} ${path}`), path, makeFolders);
    this.folders = makeFolders;
    this.growing = growing;
    const { kind } = this.place;
    this.hasPart = growing === undefined && kind !== "pipe" && kind !== "stream";
    if (!this.hasPart) return;
    this.makePart(); // to see whether one can be made
    this.removePart();
  }

  /** Waits for a reader if the output is a FIFO, opens devices. Must be awaited before the first write. */
  async ready(): Promise<void> {
    const { kind, label, descriptor } = this.place;
    if (kind === "stream") this.start();
    if (kind !== "pipe" || this.sink !== null) return;
    const failed = (error: Error): void => {
      this.failure ??= writeError(label, error);
    };
    if (descriptor === 1 || descriptor === 2) {
      // Whatever else is written there waits in the same queue.
      this.sink = new PipeSink(descriptor === 1 ? process.stdout : process.stderr, failed);
      return;
    }
    this.waits = true;
    const end = await this.openPipe();
    this.waits = false;
    if (end !== null) this.sink = new PipeSink(end, failed);
  }

  /** Opens a FIFO once it has a reader; null if the output has been abandoned meanwhile. */
  private async openPipe(): Promise<number | null> {
    const { path, label, descriptor } = this.place;
    for (let polls = 0; !this.isOver; polls++) {
      if (polls === POLLS_BEFORE_NOTE) tell(`${label}: waiting for a program to read from it`);
      try {
        return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch (error) {
        if (systemErrorCode(error) !== "ENXIO") throw writeError(label, error);
        // Who had the other end of an open pipe has closed it, and cannot come back.
        if (descriptor !== null) throw writeError(label, Object.assign(new Error(path), { code: "EPIPE" }));
        await setTimeout(READER_POLL_MS);
      }
    }
    return null;
  }

  /** Opens the output, and empties a growing file. Otherwise the first write does. */
  start(): void {
    const { path, kind, label, descriptor } = this.place;
    if (this.sink !== null || this.isOver || kind === "pipe") return;
    if (this.hasPart) {
      this.makePart();
      return;
    }
    if (descriptor !== null) {
      this.sink = new FileSink(descriptor, false);
      return;
    }
    const how = kind === "stream" || this.growing === "appended" ? constants.O_APPEND : constants.O_TRUNC;
    const make = kind === "stream" ? 0 : constants.O_CREAT;
    try {
      if (this.folders) makeFolder(dirname(path), this.made);
      this.sink = new FileSink(openSync(path, constants.O_WRONLY | constants.O_NOCTTY | make | how), true);
    } catch (error) {
      throw writeError(label, error);
    }
  }

  /** @throws CommandError when this write or an earlier one has failed */
  write(content: string | Uint8Array): void {
    if (this.failure !== null) throw this.failure;
    if (this.sink === null) this.start();
    try {
      this.sink?.write(typeof content === "string" ? Buffer.from(content) : content);
    } catch (error) {
      this.failure = writeError(this.place.label, error);
      throw this.failure;
    }
  }

  /** What to await before writing more; null if nothing. @throws CommandError when a write has failed */
  congestion(): Promise<void> | null {
    if (this.failure !== null) throw this.failure;
    return this.sink === null ? null : this.sink.congestion();
  }

  /** Waits until a FIFO has taken everything written so far. @throws CommandError when a write has failed */
  async flush(): Promise<void> {
    if (this.failure === null) await this.sink?.flush();
    if (this.failure !== null) throw this.failure;
  }

  /**
   * Completes the output, once. A FIFO has then taken everything.
   * @throws CommandError when it cannot be written; a file to be replaced is then unchanged
   */
  commit(): Promise<void> {
    this.ending ??= this.complete();
    return this.ending;
  }

  private async complete(): Promise<void> {
    if (this.hasPart) return this.commitSync();
    this.isOver = true;
    if (this.failure === null) await this.sink?.close();
    if (this.failure !== null) throw this.failure;
  }

  /** The same for a file. */
  commitSync(): void {
    this.start(); // nothing may have been written
    this.isOver = true;
    if (this.failure !== null) throw this.failure;
    try {
      if (this.part !== null) this.moveInto(this.part);
    } catch (error) {
      throw error instanceof CommandError ? error : writeError(this.place.label, error);
    } finally {
      this.removePart();
    }
  }

  /** Abandons the output; an existing file is unchanged unless it is growing. */
  discard(): void {
    this.isOver = true;
    this.sink?.destroy();
    this.removePart();
    for (const folder of this.made.splice(0).reverse()) {
      try {
        rmdirSync(folder);
      } catch {} // something else is in it
    }
  }

  private makePart(): void {
    const { path, kind, label, stats } = this.place;
    try {
      if (this.folders) makeFolder(dirname(path), this.made);
      const part =
        kind === "rewrite" ? join(tmpdir(), `regionlab-${process.pid}-${stats?.ino}.part`) : partOf(path);
      rmSync(part, { force: true }); // left by an earlier process with the same pid
      // Opened for reading, too, for `copyInto`; private until it takes on the mode of the file that it replaces.
      this.descriptor = openSync(part, "wx+", stats === null ? 0o666 : 0o600);
      keep(part);
      this.part = part;
      this.sink = new FileSink(this.descriptor, false);
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

  /** The only step that can destroy the old file halfway: on failure the part file is kept. */
  private copyInto(part: string): void {
    try {
      copyOver(this.descriptor, this.place.path);
    } catch (cause) {
      forget(part);
      this.part = null;
      throw new CommandError(
        `${writeError(this.place.label, cause).message}; the complete output is in ${part}`,
        {
          cause,
        },
      );
    }
  }

  private removePart(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    this.sink = null;
    if (this.part === null) return;
    rmSync(this.part, { force: true });
    forget(this.part);
    this.part = null;
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

/** Several outputs that are complete, but not yet where they were to be written. */
export interface PreparedOutputs {
  /** @throws CommandError when one cannot be put in its place */
  commit(): void;
  /** Abandons what has not been committed; existing files are unchanged. */
  discard(): void;
}

interface SeveralOutputsOptions extends OutputOptions {
  /** How messages name a path. */
  readonly shown?: (path: string) => string;
}

/**
 * Writes several outputs to part files: no file is touched before all are complete, and whatever else must succeed first has.
 * @throws CommandError when one cannot be written; nothing is left of the others
 */
export function prepareOutputs(
  contents: ReadonlyMap<string, string | Uint8Array>,
  { shown = (path) => path, ...options }: SeveralOutputsOptions = {},
): PreparedOutputs {
  const files: OutputFile[] = [];
  const discard = () => {
    for (const file of files) file.discard();
  };
  try {
    for (const [path, content] of contents) {
      const file = new OutputFile("", path, { ...options, label: shown(path) });
      files.push(file);
      if (file.place.kind === "pipe") throw new CommandError(`${path}: is a named pipe; give a file`);
      file.write(content);
    }
  } catch (error) {
    discard();
    throw error;
  }
  const commit = () => {
    try {
      for (const file of files) file.commitSync();
    } finally {
      discard();
    }
  };
  return { commit, discard };
}

/**
 * Writes several outputs, all or none.
 * @throws CommandError when one cannot be written
 */
export function writeOutputs(
  contents: ReadonlyMap<string, string | Uint8Array>,
  options: SeveralOutputsOptions = {},
): void {
  prepareOutputs(contents, options).commit();
}

/**
 * Checks, before anything runs, that an output can be written. Leaves nothing behind.
 * @throws CommandError when it cannot
 */
export function checkOutput(option: string, path: string, options: OutputOptions = {}): void {
  new OutputFile(option, path, options).discard();
}

/** @throws CommandError when two outputs are the same file, of which one would be lost */
export function requireDistinct(places: readonly OutputPlace[]): void {
  for (const [i, place] of places.entries()) {
    const same = places.slice(0, i).find((other) => isSamePlace(other, place));
    if (same !== undefined && !(isShared(place) && isShared(same)))
      throw new CommandError(
        `${place.label}: is the same file as ${same.label}; give each a file of its own`,
      );
  }
}

/** A file, by the option that names it. */
export interface NamedFile {
  readonly option: string;
  readonly path: string;
}

/** @throws CommandError when an output would overwrite an input */
export function requireApart(places: readonly OutputPlace[], inputs: readonly NamedFile[]): void {
  for (const { stats, kind, label, path } of places) {
    // What a descriptor leads to may be a file; a device or a terminal can be read and written.
    if (kind === "stream" && stats?.isFile() !== true) continue;
    const lost = inputs.find((input) =>
      stats === null ? path === resolve(input.path) : isFileOf(input.path, stats),
    );
    if (lost !== undefined)
      throw new CommandError(
        `${label}: is the same file as ${lost.option} ${lost.path}, which would be lost; give another`,
      );
  }
}

/** Whether a path leads to the file with this status, under whatever name. */
function isFileOf(path: string, { dev, ino }: Stats): boolean {
  try {
    const found = statSync(path);
    return found.dev === dev && found.ino === ino;
  } catch {
    return false; // what cannot be read is reported when it is
  }
}

/** Overwrites a file with the content of another, in place. */
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

/**
 * Creates a folder and its parents. Node's recursive `mkdir` hangs in folders that refuse new ones, such as /proc.
 * @param made gets those that were created
 */
function makeFolder(folder: string, made: string[]): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder), made);
  try {
    mkdirSync(folder);
    made.push(folder);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error; // created meanwhile, or it is a file: opening reports that
  }
}

function keep(part: string): void {
  if (unfinished.size === 0) releaseSignals = holdEndSignals();
  unfinished.add(part);
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const each of unfinished) rmSync(each, { force: true });
  });
}

function forget(part: string): void {
  unfinished.delete(part);
  if (unfinished.size === 0) releaseSignals();
}
