/**
 * Keeps what V8 compiles of the program from one start to the next, on Node 20, which is Debian 13's. Later ones have
 * `module.enableCompileCache` for this; the same environment variables apply. Nothing depends on it: what cannot be
 * read or written is compiled again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { createRequire, Module } from "node:module";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";

/** A file begins with the digest of the source that its code belongs to, and that of the code. */
const DIGEST_BYTES = 20;

const digest = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Loads the CommonJS modules of a folder from kept code, and keeps their code when the process ends.
 * @param folder whose modules import nothing dynamically: code that was kept cannot
 */
export function keepCompiledCode(require: ReturnType<typeof createRequire>, folder: string): void {
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return;
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const place = process.env.NODE_COMPILE_CACHE || join(cache, "regionlab", "code");
  const { extensions } = require;
  const load = extensions[".js"];
  extensions[".cjs"] = (module: Module, file: string) => {
    if (!file.startsWith(folder)) return load?.(module, file);
    const source = readFileSync(file, "utf8");
    const key = digest(`${process.arch} ${cachedDataVersionTag()} ${file}\n`, source);
    const kept = join(place, `${basename(file)}-${process.version}`);
    const cachedData = readCode(kept, key);
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
      filename: file,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected)
      process.once("exit", () => writeCode(kept, key, script.createCachedData()));
    const call = script.runInThisContext();
    call(module.exports, module.require.bind(module), module, file, dirname(file));
  };
}

/** The code kept for a source; undefined if there is none, or it is damaged. */
function readCode(file: string, key: Buffer): Buffer | undefined {
  try {
    const content = readFileSync(file);
    const [source, code] = [
      content.subarray(0, DIGEST_BYTES),
      content.subarray(DIGEST_BYTES, 2 * DIGEST_BYTES),
    ];
    const cachedData = content.subarray(2 * DIGEST_BYTES);
    return source.equals(key) && code.equals(digest(cachedData)) ? cachedData : undefined;
  } catch {
    return undefined;
  }
}

/** Complete or not at all: other processes may read the file meanwhile. */
function writeCode(file: string, key: Buffer, code: Buffer): void {
  const part = `${file}.${process.pid}.part`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(part, Buffer.concat([key, digest(code), code]), { mode: 0o600 });
    renameSync(part, file);
  } catch {
    try {
      rmSync(part, { force: true });
    } catch {} // there was not even a folder
  }
}
