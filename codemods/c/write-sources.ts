import { join, resolve } from "node:path";
import { type PreparedOutputs, prepareOutputs } from "#host";

/**
 * Gets sources of a tree ready to be rewritten, all of them or none. Texts are latin-1: a character is a byte.
 *
 * @param changes new texts by path relative to the root
 * @param allowDirty also files that git could not restore
 * @throws CommandError when one cannot be written, or must not be
 */
export async function prepareSources(
  root: string,
  changes: ReadonlyMap<string, string>,
  allowDirty: boolean,
): Promise<PreparedOutputs> {
  const outputs = new Map(
    [...changes].map(([path, text]) => [resolve(join(root, path)), Buffer.from(text, "latin1")] as const),
  );
  if (!allowDirty) {
    const { requireClean } = await import("../source/git.ts"); // loads the compiler of TypeScript
    requireClean([...outputs.keys()]);
  }
  return prepareOutputs(outputs);
}
