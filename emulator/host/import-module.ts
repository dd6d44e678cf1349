/**
 * Loads an ES module by its URL. It stands here, in a module of its own in the package, as what the command keeps compiled
 * cannot import on Node 20 (`bin/code-cache.ts`).
 */
export function importModule(url: string): Promise<unknown> {
  return import(/* @vite-ignore */ url);
}
