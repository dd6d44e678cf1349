import { createHash } from "node:crypto";

/**
 * The digest of a stored run: SHA-256 over its JSON without white space and without the digest. It detects edits and
 * damage, but is not a signature: whoever edits a run can compute it again.
 */
export function digestOf({ digest: _, ...run }: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(JSON.stringify(run)).digest("hex");
}
