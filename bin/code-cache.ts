/**
 * Keeps what V8 compiles of the program from one start to the next, on Node 20, which is Debian 13's. Later ones have
 * `module.enableCompileCache` for this; the same environment variables apply. Nothing depends on it: what cannot be
 * read or written is compiled again.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { createRequire, Module } from "node:module";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { Script } from "node:vm";
import * as zlib from "node:zlib";

type Checksum = (bytes: Uint8Array) => number;
/** Of Node 20.15 and later. */
const { crc32 } = zlib as { readonly crc32?: Checksum };

/** Lengths of the source and of its code, and the checksum of the latter; 32 bits each. Then both follow. */
const HEAD_BYTES = 12;

/**
 * Loads the CommonJS modules of a folder from kept code, and keeps their code when the process ends.
 * @param folder whose modules import nothing by `import()`: on Node 20, kept code cannot
 */
export function keepCompiledCode(require: ReturnType<typeof createRequire>, folder: string): void {
  // Node finds the sources of what it compiles itself only, for the traces that --verbose asks for.
  const needsSources = process.argv.includes("--verbose");
  if (process.env.NODE_DISABLE_COMPILE_CACHE || needsSources || crc32 === undefined) return;
  const place = process.env.NODE_COMPILE_CACHE || ownPlace();
  if (place === undefined) return;
  const toKeep: (() => void)[] = [];
  process.once("exit", () => {
    for (const keep of toKeep) keep();
  });
  const { extensions } = require;
  const load = extensions[".js"];
  extensions[".cjs"] = (module: Module, file: string) => {
    if (dirname(file) !== folder) return load?.(module, file);
    const source = readFileSync(file);
    const kept = join(place, `${basename(file)}-${process.version}-${process.arch}`);
    const cachedData = readCode(kept, source, crc32);
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
      filename: file,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected)
      toKeep.push(() => writeCode(kept, source, script.createCachedData(), crc32));
    script.runInThisContext()(module.exports, module.require.bind(module), module, file, dirname(file));
  };
}

/** Below the user's cache (XDG Base Directory Specification: a relative path is ignored); undefined without a home. */
function ownPlace(): string | undefined {
  const { XDG_CACHE_HOME = "" } = process.env;
  try {
    return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache"), "regionlab", "code");
  } catch {
    return undefined;
  }
}

/** Much more than the program and its code. */
const MOST_BYTES = 2 ** 25;

/** A regular file of this user; a pipe would keep the start waiting, a device has no end. */
function readOwn(file: string): Buffer | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    const isOwn = process.getuid === undefined || stats.uid === process.getuid();
    return stats.isFile() && isOwn && stats.size <= MOST_BYTES ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** The code kept for a source; undefined if there is none, it is another source's, or it is damaged. */
function readCode(file: string, source: Buffer, checksum: Checksum): Buffer | undefined {
  try {
    const content = readOwn(file);
    if (content === undefined) return undefined;
    const at = HEAD_BYTES + content.readUInt32LE(0);
    const code = content.subarray(at);
    const isWhole = code.length === content.readUInt32LE(4) && checksum(code) === content.readUInt32LE(8);
    return isWhole && source.equals(content.subarray(HEAD_BYTES, at)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Complete or not at all: other processes may read the file meanwhile. */
function writeCode(file: string, source: Buffer, code: Buffer, checksum: Checksum): void {
  const part = `${file}.${process.pid}.part`;
  try {
    makeFolders(dirname(file));
    const head = Buffer.from(Uint32Array.of(source.length, code.length, checksum(code)).buffer);
    writeFileSync(part, Buffer.concat([head, source, code]), { mode: 0o600, flag: "wx" });
    renameSync(part, file);
  } catch {
    try {
      rmSync(part, { force: true });
    } catch {} // there was not even a folder
  }
}

/** Up to three folders: Node's own way of making all that are missing does not end below `/proc`. */
function makeFolders(place: string): void {
  for (const folder of [dirname(dirname(place)), dirname(place), place]) {
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  }
}
