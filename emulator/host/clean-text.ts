/** Removes from stored text the characters that act on a terminal, a page or a Markdown file instead of showing. */

/**
 * Control characters and line separators; bidirectional controls, with which a file could show one thing and mean
 * another; and lone surrogates, which UTF-8 cannot encode. The newline matches, too: callers let it pass.
 */
const ACTIVE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Replaces each such character with U+FFFD; newlines stay, tabs become spaces. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(ACTIVE, replacement);
}

/** A file's name as part of a message: without line breaks and control characters. */
export function inOneLine(name: string): string {
  return cleanText(name.trim().replace(/\s*[\r\n]+\s*/g, "\ufffd"));
}

function replacement(character: string): string {
  if (character === "\n") return character;
  return character === "\t" ? " " : "\ufffd";
}

/** Copies plain data with every string cleaned. Every renderer starts with this. */
export function cleaned<T>(value: T): T {
  // The result has the same shape, which the type checker cannot follow through the recursion.
  return cleanedData(value) as T;
}

function cleanedData(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return typeof value[0] === "number" && value.every((item) => typeof item === "number")
      ? value
      : value.map(cleanedData);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleanedData(item)]));
}

/** Makes JSON safe to print: the same value, with every such character escaped. */
export function escapeJson(json: string): string {
  return json.replace(ACTIVE, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
