import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CommandError, systemErrorCode } from "../errors.ts";
import { shown } from "./workspace.ts";

/**
 * Replaces files as nearly at once as a file system can: all texts go to temporary files beside their targets first, and
 * only when every one of them is written are they renamed. @throws CommandError when one cannot be written; no target
 * has been touched then.
 */
export function writeAll(texts: ReadonlyMap<string, string>): void {
  const temporary = new Map<string, string>();
  try {
    for (const [path, text] of texts) {
      requireWritable(path);
      const place = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
      mkdirSync(dirname(path), { recursive: true });
      temporary.set(path, place);
      writeFileSync(place, text, { flag: "wx", mode: modeOf(path) });
    }
    for (const [path, place] of temporary) renameSync(place, path);
  } catch (error) {
    for (const place of temporary.values()) rmSync(place, { force: true });
    throw error instanceof CommandError ? error : failure(error, [...temporary.keys()].at(-1));
  }
}

/** A rename needs no permission on the file it replaces, but a file that its owner protected is meant to stay. */
function requireWritable(path: string): void {
  const mode = modeOf(path);
  if ((mode & 0o200) !== 0) return;
  throw new CommandError(`${shown(path)}: no permission to write; grant it and run again`);
}

function modeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0o644 : stats.mode & 0o777;
}

function failure(error: unknown, path: string | undefined): unknown {
  const code = systemErrorCode(error);
  const place = path === undefined ? "the target" : shown(path);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new CommandError(`${place}: no permission to write in its directory; grant it and run again`);
  }
  return code === undefined
    ? error
    : new CommandError(`${place}: cannot be written (${code}); nothing was changed`);
}
