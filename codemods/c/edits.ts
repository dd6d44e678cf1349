/** Collects the edits of a file: small ones, and rewritten calls that contain small ones. */
import { applyEdits, substitute, type TextEdit } from "../source/edits.ts";

/** A stretch whose text is made from what the small edits inside it leave. */
export interface Rewrite {
  readonly start: number;
  readonly end: number;
  /** Given a function that returns the text of a part of the stretch, after the small edits. */
  readonly make: (part: (start: number, end: number) => string) => string;
}

export class FileEdits {
  readonly text: string;
  private readonly small: TextEdit[] = [];
  private readonly rewrites: Rewrite[] = [];

  constructor(text: string) {
    this.text = text;
  }

  replace(start: number, end: number, text: string): void {
    this.small.push({ start, end, text });
  }

  /** Takes back the insertions at an offset. */
  cancel(offset: number): void {
    for (let index = this.small.length - 1; index >= 0; index--) {
      const edit = this.small[index];
      if (edit?.start === offset && edit.end === offset) this.small.splice(index, 1);
    }
  }

  rewrite(rewrite: Rewrite): void {
    this.rewrites.push(rewrite);
  }

  /** True if an edit deletes or replaces the character at an offset. */
  isReplaced(offset: number): boolean {
    return this.small.some(({ start, end }) => start <= offset && offset < end);
  }

  /** All edits, without overlaps. @throws RangeError if two contradict each other. */
  final(): TextEdit[] {
    const rewrites = [...this.rewrites].sort((a, b) => a.start - b.start);
    const result: TextEdit[] = [];
    let rest = [...this.small];
    for (const { start, end, make } of rewrites) {
      const inside = rest.filter(
        (edit) =>
          edit.start >= start && edit.end <= end && !(edit.start === edit.end && edit.start === start),
      );
      rest = rest.filter((edit) => !inside.includes(edit));
      const text = make((from, to) => substitute(this.text, from, to, inside));
      result.push({ start, end, text });
    }
    return [...rest, ...result].sort((a, b) => a.start - b.start || a.end - b.end);
  }

  apply(): string {
    return applyEdits(this.text, this.final());
  }
}
