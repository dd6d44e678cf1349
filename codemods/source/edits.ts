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

/** All edits of several groups of them, by the path of the file. */
export function editsByPath(
  groups: readonly { readonly edits: ReadonlyMap<string, readonly TextEdit[]> }[],
): Map<string, TextEdit[]> {
  const byPath = new Map<string, TextEdit[]>();
  for (const { edits } of groups) {
    for (const [path, each] of edits) {
      const known = byPath.get(path);
      if (known === undefined) byPath.set(path, [...each]);
      else known.push(...each);
    }
  }
  return byPath;
}

/** Translates offsets between a text and the same text after edits. */
export class OffsetMap {
  private readonly edits: readonly TextEdit[];

  constructor(edits: readonly TextEdit[]) {
    this.edits = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  }

  /** Offset in the edited text. An offset inside a replaced stretch becomes the start of its replacement. */
  toEdited(original: number): number {
    let shift = 0;
    for (const { start, end, text } of this.edits) {
      if (start > original || (start === original && end > start)) break;
      if (original < end) return start + shift;
      shift += text.length - (end - start);
    }
    return original + shift;
  }

  /** Offset in the original text, and the edit that wrote what is there: then the offset is that edit's start. */
  toOriginal(edited: number): { readonly offset: number; readonly edit: TextEdit | undefined } {
    let shift = 0;
    for (const edit of this.edits) {
      const start = edit.start + shift;
      if (start > edited) break;
      if (edited < start + edit.text.length) return { offset: edit.start, edit };
      shift += edit.text.length - (edit.end - edit.start);
    }
    return { offset: edited - shift, edit: undefined };
  }
}
