/** What a page of regionlab is made of, for pages of other rooms. */
export type HtmlKit = typeof import("./renderers/html/index.ts");

/** Loaded when a page is made: plots and their document model take a quarter of a second. */
export async function loadHtmlKit(): Promise<HtmlKit> {
  return await import("./renderers/html/index.ts");
}
