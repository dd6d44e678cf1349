/** Text of a file as the passes see it: without a byte order mark, lines ended by a line feed alone. */
export interface RawText {
  readonly text: string;
  /** Restores the file's byte order mark and line endings in such a text. */
  restore(text: string): string;
}

const byteOrderMark = "\uFEFF";

/** Normalises a file's text. Mixed line endings are left unchanged. */
export function parseRawText(raw: string): RawText {
  const marked = raw.startsWith(byteOrderMark);
  const unmarked = marked ? raw.slice(1) : raw;
  const windows = unmarked.includes("\r\n") && !/(?<!\r)\n/.test(unmarked);
  return {
    text: windows ? unmarked.replaceAll("\r\n", "\n") : unmarked,
    restore: (text) => (marked ? byteOrderMark : "") + (windows ? text.replaceAll("\n", "\r\n") : text),
  };
}
