/** Replaces the characters from `start` up to `end` (offsets in the original text) by `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits that do not overlap; several insertions at one place keep their order. @throws RangeError if they do. */
export function applyEdits(source: string, edits: readonly TextEdit[]): string {
  return substitute(source, 0, source.length, edits);
}

/** The text from `start` to `end` with those edits applied that lie within. Same errors as `applyEdits`. */
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
