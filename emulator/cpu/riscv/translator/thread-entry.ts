/**
 * Where the built thread of the translator is. The build replaces this module in whatever it bundles
 * (`rolldown.config.ts`); the sources have no such file, so that they never run a translator other than their own.
 */

/** The file; undefined if there is none. */
export function threadEntry(): URL | undefined {
  return undefined;
}
