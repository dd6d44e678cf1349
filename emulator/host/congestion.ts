import { once } from "node:events";
import type { Writable } from "node:stream";

/** Unread bytes above which the writer must wait. */
const MOST_PENDING = 1 << 16;

/**
 * What to await before writing more to a stream whose reader has fallen behind. Null if there is no need to wait, or if
 * the stream is closed or has failed.
 */
export function congestionOf(stream: Writable): Promise<void> | null {
  if (stream.writableLength <= MOST_PENDING || stream.destroyed || stream.errored !== null) return null;
  const abort = new AbortController();
  const { signal } = abort;
  const waits = [once(stream, "drain", { signal }), once(stream, "close", { signal })];
  return Promise.race(waits.map((wait) => wait.catch(() => undefined))).then(() => abort.abort());
}
