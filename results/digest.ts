import { createHash } from "node:crypto";

/**
 * What a stored run is sealed with: SHA-256 over its JSON without spaces and without this digest. It tells an edit or damage from a
 * run; it is no signature, since whoever edits a run may compute it again.
 */
export function digestOf({ digest: _, ...run }: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(JSON.stringify(run)).digest("hex");
}
