import { once } from "node:events";
import type { Writable } from "node:stream";

/** Bytes that a reader may be behind before whoever writes is asked to wait. */
const MOST_PENDING = 1 << 16;

/** What to wait for before more is written to a stream: its reader has fallen behind. Null: nothing, also where it takes no more. */
export function congestionOf(stream: Writable): Promise<void> | null {
  if (stream.writableLength <= MOST_PENDING || stream.destroyed || stream.errored !== null) return null;
  const abort = new AbortController();
  const { signal } = abort;
  const waits = [once(stream, "drain", { signal }), once(stream, "close", { signal })];
  return Promise.race(waits.map((wait) => wait.catch(() => undefined))).then(() => abort.abort());
}
