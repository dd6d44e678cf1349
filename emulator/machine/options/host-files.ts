/** Properties of drives and block nodes that say how QEMU's host reaches a file. */
import type { OptionReader } from "./key-values.ts";

const SWITCH = ["off", "on"] as const;

/** Nothing here depends on them, but command lines often have them. */
const IGNORED = [
  ["cache", ["writeback", "none", "writethrough", "directsync", "unsafe"]],
  ["cache.direct", SWITCH],
  ["cache.no-flush", SWITCH],
  ["cache.writeback", ["on", "off"]],
  ["aio", ["threads", "native", "io_uring"]],
  ["discard", ["ignore", "off", "unmap", "on"]],
  ["detect-zeroes", ["off", "on", "unmap"]],
  ["locking", ["auto", "off", "on"]],
  ["auto-read-only", ["on", "off"]],
] as const;

/** Takes those properties from a reader. */
export function takeHostProperties(reader: OptionReader): void {
  for (const [name, choices] of IGNORED) reader.choice(name, choices, choices[0]);
}
