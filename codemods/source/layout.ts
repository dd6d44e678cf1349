/** Line width that both trees are formatted to, in columns. */
export const lineWidth = 110;

/** A statement that ends in a call's argument list: `head` `(` args `)` `tail`. */
export interface CallStatement {
  /** White space before the statement. */
  readonly indent: string;
  readonly head: string;
  readonly args: readonly string[];
  readonly tail: string;
}

/**
 * Lays a call out as Biome and Prettier do: on one line if it fits, else one argument per line with a comma after
 * the last. Arguments must be single lines. Returns the statement without the white space before it.
 */
export function layoutCall({ indent, head, args, tail }: CallStatement): string {
  const flat = `${head}(${args.join(", ")})${tail}`;
  if (indent.length + flat.length <= lineWidth) return flat;
  const lines = args.map((arg) => `${indent}  ${arg},\n`);
  return `${head}(\n${lines.join("")}${indent})${tail}`;
}

/** True if every line of `text` fits, given that the first one begins at column `start`. */
export function fitsWidth(text: string, start: number): boolean {
  return text.split("\n").every((line, index) => line.length + (index === 0 ? start : 0) <= lineWidth);
}
