import { OffsetMap, type TextEdit } from "./edits.ts";

/** A place in a text; line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Translates places in a text into places in the text after edits. Both texts end their lines with a line feed. */
export class PositionMap {
  private readonly before: readonly number[];
  private readonly after: readonly number[];
  private readonly map: OffsetMap;

  constructor(before: string, after: string, edits: readonly TextEdit[]) {
    this.before = lineStarts(before);
    this.after = lineStarts(after);
    this.map = new OffsetMap(edits);
  }

  /** Where the code at this place is after the edits; if it is gone, where it was. */
  toEdited({ line, column }: Position): Position {
    const offset = this.map.toEdited((this.before[line - 1] ?? 0) + column - 1);
    const index = lineAt(this.after, offset);
    return { line: index + 1, column: offset - (this.after[index] ?? 0) + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let feed = text.indexOf("\n"); feed >= 0; feed = text.indexOf("\n", feed + 1)) starts.push(feed + 1);
  return starts;
}

/** Index of the last line that starts at or before an offset. */
function lineAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
