/**
 * The interpreter that nearly every machine needs, generated when the package is built: generating takes longer than
 * short guests run. The build replaces this module in whatever it bundles (`rolldown.config.ts`). The sources have no
 * such file, so that they never run an interpreter other than their own.
 */

/** Reads the interpreter of `USUAL` settings; undefined if there is none. */
export function readReadyMade(): Uint8Array<ArrayBuffer> | undefined {
  return undefined;
}
