import type { ts } from "ts-morph";
import { type Level, type Rule, ruleTexts } from "./rules.ts";

/** A place in a file; lines and columns are counted from 1. */
export interface Place {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** One lifetime bug at one place. */
export interface LifetimeFinding extends Place {
  readonly rule: Rule;
  readonly level: Level;
  /** Class and region, such as `Flash.window`. */
  readonly region: string;
  /** The source text found, shortened to one line. */
  readonly detail: string;
  /** Other places that belong to it, such as the first creation. */
  readonly related: readonly (Place & { readonly text: string })[];
}

/** True for an error or a warning; notes do not fail an audit. */
export function isBug({ level }: LifetimeFinding): boolean {
  return level !== "note";
}

export function placeOf(node: ts.Node): Place {
  const source = node.getSourceFile();
  const start = source.getLineAndCharacterOfPosition(node.getStart(source));
  const end = source.getLineAndCharacterOfPosition(node.getEnd());
  return {
    file: source.fileName,
    line: start.line + 1,
    column: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
  };
}

/** The text of a node on one line, at most 70 characters. */
export function shortText(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, " ");
  return text.length > 70 ? `${text.slice(0, 67)}...` : text;
}

/** Collects findings; the same rule at the same node is reported once, whichever class the node was reached from. */
export class Findings {
  private readonly found = new Map<string, LifetimeFinding>();

  add(
    rule: Rule,
    node: ts.Node,
    region: string,
    related: readonly { readonly node: ts.Node; readonly text: string }[] = [],
  ): void {
    const place = placeOf(node);
    const key = `${rule} ${place.file}:${place.line}:${place.column}`;
    if (this.found.has(key)) return;
    this.found.set(key, {
      ...place,
      rule,
      level: ruleTexts[rule].level,
      region,
      detail: shortText(node),
      related: related.map(({ node: other, text }) => ({ ...placeOf(other), text })),
    });
  }

  /** In the order of files and lines. */
  sorted(): LifetimeFinding[] {
    return [...this.found.values()].sort(
      (one, other) =>
        (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
        one.line - other.line ||
        one.column - other.column ||
        (one.rule < other.rule ? -1 : 1),
    );
  }
}
