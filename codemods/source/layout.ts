import { columnsOf, type Style } from "./style.ts";

/** What of a file's style the layout of a call depends on. */
export type LineStyle = Pick<Style, "width" | "indent" | "tabWidth" | "trailingCommas">;

/** A statement that ends in a call's argument list: `head` `(` args `)` `tail`. */
export interface CallStatement {
  /** White space before the statement. */
  readonly indent: string;
  readonly head: string;
  readonly args: readonly string[];
  readonly tail: string;
}

/** The call on one line, without the white space before it. */
export function flatCall({ head, args, tail }: CallStatement): string {
  return `${head}(${args.join(", ")})${tail}`;
}

/** The call with one argument per line, as Biome and Prettier break it. Arguments must be single lines. */
export function brokenCall({ indent, head, args, tail }: CallStatement, style: LineStyle): string {
  const lines = args.map((arg, index) => {
    const comma = index < args.length - 1 || style.trailingCommas ? "," : "";
    return `${indent}${style.indent}${arg}${comma}\n`;
  });
  return `${head}(\n${lines.join("")}${indent})${tail}`;
}

/** Lays a call out as Biome and Prettier do: on one line if it fits, else broken. */
export function layoutCall(call: CallStatement, style: LineStyle): string {
  const flat = flatCall(call);
  return fitsWidth(flat, call.indent, style) ? flat : brokenCall(call, style);
}

/** True if every line of `text` fits, given the text before the first one on its line. */
export function fitsWidth(text: string, before: string, style: LineStyle): boolean {
  return text
    .split("\n")
    .every((line, index) => columnsOf(index === 0 ? before + line : line, style) <= style.width);
}
