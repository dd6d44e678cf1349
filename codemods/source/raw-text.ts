/** Text of a file as the passes see it: without byte order mark, lines ended by a line feed alone. */
export interface RawText {
  readonly text: string;
  /** Gives a text of that kind the mark and the line ends of the file. */
  restore(text: string): string;
}

const byteOrderMark = "\uFEFF";

/** Takes a file's text apart. Line ends that are mixed are left as they are. */
export function parseRawText(raw: string): RawText {
  const marked = raw.startsWith(byteOrderMark);
  const unmarked = marked ? raw.slice(1) : raw;
  const windows = unmarked.includes("\r\n") && !/(?<!\r)\n/.test(unmarked);
  return {
    text: windows ? unmarked.replaceAll("\r\n", "\n") : unmarked,
    restore: (text) => (marked ? byteOrderMark : "") + (windows ? text.replaceAll("\n", "\r\n") : text),
  };
}
