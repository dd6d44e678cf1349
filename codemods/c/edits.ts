/** Collects the edits of a file: small ones, and rewritten calls that contain small ones. */
import { applyEdits, substitute, type TextEdit } from "../source/edits.ts";

/** A stretch whose text is made from what the small edits inside it leave. */
export interface Rewrite {
  readonly start: number;
  readonly end: number;
  /** Given a function that returns the text of a part of the stretch, after the small edits. */
  readonly make: (part: (start: number, end: number) => string) => string;
}

/** A comment that an edit would delete. */
export interface LostComment {
  /** On whose behalf the edit is made. */
  readonly owner: object | undefined;
  readonly offset: number;
}

export class FileEdits {
  readonly text: string;
  /** On whose behalf the edits from now on are made. */
  owner: object | undefined;
  readonly lost: LostComment[] = [];
  private readonly small: TextEdit[] = [];
  private readonly rewrites: Rewrite[] = [];

  constructor(text: string) {
    this.text = text;
  }

  /** Replaces a stretch, whose comments must be in the new text, too. */
  replace(start: number, end: number, text: string): void {
    this.check(start, end, text);
    this.small.push({ start, end, text });
  }

  /** Deletes a declaration with what it says of itself: the comments inside the stretch. */
  removeDeclaration(start: number, end: number): void {
    this.small.push({ start, end, text: "" });
  }

  rewrite(rewrite: Rewrite): void {
    const { start, end, make } = rewrite;
    this.check(
      start,
      end,
      make((from, to) => this.text.slice(from, to)),
    );
    this.rewrites.push(rewrite);
  }

  private check(start: number, end: number, text: string): void {
    const kept = commentsOf(text).map(({ comment }) => squeezed(comment));
    for (const { comment, offset } of commentsOf(this.text.slice(start, end))) {
      const index = kept.indexOf(squeezed(comment));
      if (index < 0) this.lost.push({ owner: this.owner, offset: start + offset });
      else kept.splice(index, 1);
    }
  }

  /** True if an edit deletes or replaces the character at an offset. */
  isReplaced(offset: number): boolean {
    return this.small.some(({ start, end }) => start <= offset && offset < end);
  }

  /** All edits, without overlaps: inner rewrites are part of outer ones. @throws RangeError if two contradict each other. */
  final(): TextEdit[] {
    const rewrites = [...this.rewrites].sort((a, b) => a.end - a.start - (b.end - b.start));
    let rest = [...this.small];
    for (const { start, end, make } of rewrites) {
      const inside = rest.filter(
        (edit) =>
          edit.start >= start && edit.end <= end && !(edit.start === edit.end && edit.start === start),
      );
      rest = rest.filter((edit) => !inside.includes(edit));
      const text = make((from, to) => substitute(this.text, from, to, inside));
      rest.push({ start, end, text });
    }
    return rest.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  /** The new text, with the line ends of the old one. */
  apply(): string {
    const made = applyEdits(this.text, this.final());
    return /(?<!\r)\n/.test(this.text) ? made : made.replace(/\r?\n/g, "\r\n");
  }
}

/** The comments of a text that begins between two tokens, with their offsets. */
export function commentsOf(text: string): { readonly comment: string; readonly offset: number }[] {
  const found = text.matchAll(
    /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/(?:\\\r?\n|.)*/g,
  );
  return [...found].flatMap(({ 0: comment, index }) =>
    comment.startsWith("/") ? [{ comment, offset: index }] : [],
  );
}

function squeezed(comment: string): string {
  return comment.replace(/\s+/g, "");
}
