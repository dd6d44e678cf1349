/** The building blocks of a regionlab page, for pages made elsewhere. */
export type HtmlKit = typeof import("./renderers/html/index.ts");

/** Loads the kit on demand: Plot and its document model take a quarter of a second. */
export async function loadHtmlKit(): Promise<HtmlKit> {
  return await import("./renderers/html/index.ts");
}
