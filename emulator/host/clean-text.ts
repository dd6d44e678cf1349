/** What a stored result may not bring to a terminal, a page or a Markdown file: characters that act instead of showing. */

/**
 * Control characters except the newline, and those that reverse or embed directions of text, with which a file could
 * show one thing and mean another. A lone surrogate cannot be written as UTF-8 at all.
 */
const ACTIVE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Shows each character that would act as U+FFFD; newlines stay, tabs become spaces. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(ACTIVE, replacement);
}

function replacement(character: string): string {
  if (character === "\n") return character;
  return character === "\t" ? " " : "\ufffd";
}

/** A copy of plain data in which every string is clean. Every renderer begins with it. */
export function cleaned<T>(value: T): T {
  // Data of the same shape comes out, which the type system cannot follow through the recursion.
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

/** JSON that is safe to print: the same value, with every such character as an escape. */
export function escapeJson(json: string): string {
  return json.replace(ACTIVE, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
