/** Replaces the characters from `start` up to `end` (offsets in the original text) with `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits; several insertions at one position keep their order. @throws RangeError if edits overlap. */
export function applyEdits(source: string, edits: readonly TextEdit[]): string {
  return substitute(source, 0, source.length, edits);
}

/** The text from `start` to `end` with the edits within it applied. Throws like `applyEdits`. */
export function substitute(source: string, start: number, end: number, edits: readonly TextEdit[]): string {
  const inside = edits.filter((edit) => edit.start >= start && edit.end <= end);
  inside.sort((a, b) => a.start - b.start || a.end - b.end);
  let result = "";
  let position = start;
  for (const edit of inside) {
    if (edit.start < position) throw new RangeError(`edits overlap at offset ${edit.start}`);
    result += source.slice(position, edit.start) + edit.text;
    position = edit.end;
  }
  return result + source.slice(position, end);
}
