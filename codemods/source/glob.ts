/** File patterns of options and configuration files: `**`, `*`, `?`, `[…]` and `{a,b}`. */
import { CommandError } from "#host";

/**
 * True if a path relative to the pattern's folder matches. A pattern without a slash matches in every folder, and one
 * that is malformed matches nothing.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return globOf(pattern)?.test(path) ?? false;
}

/** Whether paths match the pattern that an option gives. @throws CommandError when it is malformed */
export function globOption(option: string, pattern: string): (path: string) => boolean {
  const glob = globOf(pattern);
  if (glob === undefined)
    throw new CommandError(
      `${option} ${pattern}: not a file pattern; close every [ and {, and give ranges upwards, as in [a-z]; the characters themselves are [[] and [{]`,
    );
  return (path) => glob.test(path);
}

function globOf(pattern: string): RegExp | undefined {
  const anchored = pattern.replace(/^\.?\//, "");
  const anywhere = anchored.includes("/") || pattern.startsWith("/") ? anchored : `**/${anchored}`;
  const expression = expressionOf(anywhere);
  if (expression === undefined) return undefined;
  try {
    return new RegExp(`^${expression}$`);
  } catch {
    return undefined; // a range downwards
  }
}

const parts = /\*\*\/?|\*|\?|\[[^\]]*\]|[[{},]|[^*?[{},]+/g;

/** Undefined if a bracket or brace is not closed. */
function expressionOf(pattern: string): string | undefined {
  let depth = 0;
  let isOpen = false;
  const expression = pattern.replace(parts, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part === "[") isOpen = true;
    if (part.startsWith("[")) return part.replace(/^\[!/, "[^");
    if (part === "{") return ++depth > 0 ? "(?:" : "";
    if (part === "}" && depth > 0) return --depth >= 0 ? ")" : "";
    if (part === "," && depth > 0) return "|";
    return part.replace(/[.+^${}()|\\]/g, "\\$&");
  });
  return isOpen || depth > 0 ? undefined : expression;
}
