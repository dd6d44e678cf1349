/** File patterns of configuration files: `**`, `*`, `?`, `[…]` and `{a,b}`. */

/** True if a path relative to the pattern's folder matches. A pattern without a slash matches in every folder. */
export function matchesGlob(pattern: string, path: string): boolean {
  const anchored = pattern.replace(/^\.?\//, "");
  const anywhere = anchored.includes("/") || pattern.startsWith("/") ? anchored : `**/${anchored}`;
  return new RegExp(`^${expressionOf(anywhere)}$`).test(path);
}

const parts = /\*\*\/?|\*|\?|\[[^\]]*\]|[{},]|[^*?[{},]+/g;

function expressionOf(pattern: string): string {
  let depth = 0;
  return pattern.replace(parts, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.startsWith("[")) return part.replace(/^\[!/, "[^");
    if (part === "{") return ++depth > 0 ? "(?:" : "";
    if (part === "}" && depth > 0) return --depth >= 0 ? ")" : "";
    if (part === "," && depth > 0) return "|";
    return part.replace(/[.+^${}()|\\]/g, "\\$&");
  });
}
