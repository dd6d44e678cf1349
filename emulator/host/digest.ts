import type { Hash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A SHA-256 to be computed. Node's module is loaded here: doing so takes a tenth of a short run, and most need none. */
export function createSha256(): Hash {
  const crypto = require("node:crypto") as typeof import("node:crypto");
  return crypto.createHash("sha256");
}
