import { closeSync, constants, createReadStream, openSync, readSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { CommandError, inOneLine, systemErrorCode, writeOutput } from "#host";
import { digestOf } from "./digest.ts";
import { parseRun, parseRuns } from "./parse.ts";
import type { Run } from "./schema.ts";

/** A full run takes a few MiB; a larger file is not a run. */
export const LARGEST_RUN_BYTES = 256 * 2 ** 20;

/**
 * Reads one stored run, compressed or not: the first bytes tell, so the name does not matter.
 * @throws CommandError (exit code 2) when the file cannot be read, is damaged or too large, or is not a run
 */
export async function loadRun(file: string): Promise<Run> {
  return parseRun(await readText(file, LARGEST_RUN_BYTES), file);
}

/** The same for a file that may hold several runs. */
export async function loadRuns(file: string): Promise<Run[]> {
  return parseRuns(await readText(file, LARGEST_RUN_BYTES), file);
}

/**
 * Reads a regular file, a FIFO or standard input to its end. Other devices may never end, and are refused.
 * @param largest size of the text in bytes, uncompressed
 */
export async function readText(file: string, largest: number): Promise<string> {
  let bytes: Uint8Array;
  try {
    const status = await stat(file);
    if (status.isFile() && status.size > largest) throw tooLarge(file, largest);
    bytes = await readBytes(file, status, largest);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`${file}: ${readReason(cause)}`, { cause });
  }
  const text = isGzip(bytes) ? await decompress(bytes, file, largest) : bytes;
  return new TextDecoder().decode(text);
}

const STANDARD_INPUT = "/dev/stdin";

async function readBytes(file: string, status: Stats, largest: number): Promise<Uint8Array> {
  if (status.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  const ends = status.isFile() || status.isFIFO();
  if (!ends && file !== STANDARD_INPUT) {
    throw new CommandError(`${file}: is not a regular file; give a file that \`regionlab bench -o\` wrote`);
  }
  // Standard input may be a socket, which cannot be opened by name. Opening a FIFO would block, deaf to signals.
  const stream: AsyncIterable<Uint8Array> = status.isFIFO()
    ? readFifo(file)
    : ends
      ? createReadStream(file)
      : process.stdin;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > largest) throw tooLarge(file, largest);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Interval at which a FIFO is polled. */
const FIFO_POLL_MS = 10;
const FIFO_BYTES = 1 << 16;
/** Polls without a writer before the user is told what the command waits for. */
const POLLS_BEFORE_NOTE = 100;

/** Yields the contents of a FIFO, from when a writer opens it until no writer is left. */
async function* readFifo(file: string): AsyncIterable<Uint8Array> {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (let begun = false, polls = 0; ; polls++) {
      if (polls === POLLS_BEFORE_NOTE && !begun)
        process.stderr.write(`regionlab: ${inOneLine(file)}: waiting for a program to write to it\n`);
      const chunk = new Uint8Array(FIFO_BYTES);
      let length = 0;
      try {
        length = readSync(handle, chunk);
        if (length === 0 && begun) return;
        begun ||= length > 0;
      } catch (error) {
        if (systemErrorCode(error) !== "EAGAIN") throw error;
        begun = true; // a writer has opened it
      }
      if (length > 0) yield chunk.subarray(0, length);
      else await setTimeout(FIFO_POLL_MS);
    }
  } finally {
    closeSync(handle);
  }
}

/** Whether two names lead to the same file, also through links; false if either does not exist. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((file) => stat(file, { bigint: true }).catch(() => null)),
  );
  return a != null && b != null && a.dev === b.dev && a.ino === b.ino;
}

function isGzip([first, second]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b;
}

async function decompress(bytes: Uint8Array, file: string, largest: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: largest });
  } catch (cause) {
    if (systemErrorCode(cause) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(file, largest, cause);
    throw new CommandError(
      `${file}: is compressed with gzip and damaged or cut off; copy it again, or run \`regionlab bench -o\` again`,
      { cause },
    );
  }
}

function tooLarge(file: string, largest: number, cause?: unknown): CommandError {
  return new CommandError(
    `${file}: holds more than ${largest / 2 ** 20} MiB, which no run does; give a file that \`regionlab bench -o\` wrote`,
    { cause },
  );
}

/** Stores a run, compressed if the name ends in `.gz`. Creates missing folders. */
export async function saveRun(file: string, run: Run): Promise<void> {
  await writeText(file, serializeRun(run));
}

/** Writes a text, compressed if the name ends in `.gz`. Creates missing folders. */
export async function writeText(file: string, text: string): Promise<void> {
  const compressed = file.toLowerCase().endsWith(".gz");
  const content = compressed ? await promisify(gzip)(text, { level: 9 }) : text;
  await writeOutput("-o", file, content, { makeFolders: true });
}

/** Name of the page that belongs to a stored run: `x.html` for `x.json` and `x.json.gz`. */
export function pageNameOf(file: string): string {
  return `${file.replace(/\.gz$/i, "").replace(/\.json$/i, "")}.html`;
}

/**
 * The stored form: JSON with its digest, in which everything that fits on one line is on one line, so that runs can be
 * read and compared as text.
 */
export function serializeRun(run: Run): string {
  return `${layOut({ ...run, digest: digestOf({ ...run }) }, "")}\n`;
}

const LINE_WIDTH = 110;

function layOut(value: unknown, indent: string): string {
  const flat = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + flat.length <= LINE_WIDTH) return flat;
  const inner = `${indent} `;
  const items = Array.isArray(value)
    ? value.map((item) => layOut(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${layOut(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
}

function readReason(cause: unknown): string {
  switch (systemErrorCode(cause)) {
    case "ENOENT":
      return "does not exist; check the name, or write it with `regionlab bench -o`";
    case "EISDIR":
      return "is a directory; give a file that `regionlab bench -o` wrote";
    case "EACCES":
    case "EPERM":
      return "may not be read; change its permissions";
    default:
      return `cannot be read (${systemErrorCode(cause)})`;
  }
}
