import type { Node } from "ts-morph";
import type { TextEdit } from "../source/edits.ts";
import { type LayoutNote, layOut } from "../source/statements.ts";

/** Edits under way, in as many files as a class reaches. */
export class Draft {
  private readonly replacements = new Map<string, { readonly node: Node; readonly edit: TextEdit }[]>();
  private readonly edits = new Map<string, TextEdit[]>();

  private readonly done = new Set<Node>();

  /** Edits something that several regions share, the first time that one of them asks for it. */
  once(subject: Node, edit: () => void): void {
    if (this.done.has(subject)) return;
    this.done.add(subject);
    edit();
  }

  /** Replaces part of a statement, which is laid out again; `node` is where. */
  replace(node: Node, edit: TextEdit): void {
    listAt(this.replacements, pathOf(node)).push({ node, edit });
  }

  /** Replaces text as it stands, in the file of `node`. Lines that are removed already stay removed. */
  edit(node: Node, edit: TextEdit): void {
    const edits = listAt(this.edits, pathOf(node));
    const isKnown = edits.some(
      ({ start, end, text }) => text === "" && start === edit.start && end === edit.end,
    );
    if (!isKnown || edit.text !== "") edits.push(edit);
  }

  finish(): { edits: Map<string, readonly TextEdit[]>; notes: Map<string, readonly LayoutNote[]> } {
    const edits = new Map<string, readonly TextEdit[]>();
    const notes = new Map<string, readonly LayoutNote[]>();
    for (const path of new Set([...this.edits.keys(), ...this.replacements.keys()])) {
      const laidOut = layOut(this.replacements.get(path) ?? []);
      edits.set(path, [...(this.edits.get(path) ?? []), ...laidOut.edits]);
      notes.set(path, laidOut.notes);
    }
    return { edits, notes };
  }
}

function pathOf(node: Node): string {
  return node.getSourceFile().getFilePath();
}

function listAt<T>(map: Map<string, T[]>, key: string): T[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const list: T[] = [];
  map.set(key, list);
  return list;
}
