/** Ways to write the same class, applied to its whole text. */
import type { Random } from "../../prove/worker/random.ts";

export interface Style {
  readonly name: string;
  apply(text: string, random: Random): string;
}

export const styles: readonly Style[] = [
  {
    name: "comments on fields",
    apply: (text) => text.replace(/^( {2})((?:private|readonly|#))/gm, "$1/** A part. */\n$1$2"),
  },
  {
    name: "comments at line ends",
    apply: (text) => text.replace(/(\.(?:init|new)\w*\(.*\);)$/gm, "$1 // create (it"),
  },
  {
    name: "comments above statements",
    apply: (text) => text.replace(/^( +)(this\.initMmio)/gm, "$1// declare\n$1$2"),
  },
  { name: "comments in calls", apply: (text) => text.replace(/\((this), ops/g, "(/* owner */ $1, ops") },
  { name: "four spaces", apply: (text) => text.replace(/^( {2})+/gm, (indent) => indent + indent) },
  { name: "tabs", apply: (text) => text.replace(/^( {2})+/gm, (indent) => "\t".repeat(indent.length / 2)) },
  { name: "no semicolons", apply: withoutSemicolons },
  { name: "single quotes", apply: (text) => text.replace(/"([^"'\n`]*)"/g, "'$1'") },
  { name: "CRLF", apply: (text) => text.replaceAll("\n", "\r\n") },
  { name: "byte order mark", apply: (text) => `\uFEFF${text}` },
  {
    name: "another name for the class",
    apply: (text) =>
      text
        .replace("{ MemoryRegion,", "{ MemoryRegion as MR,")
        .replace(/\bMemoryRegion\b(?! as\b)(?!Ops)/g, "MR"),
  },
  {
    name: "namespace",
    apply: (text) =>
      text
        .replace(/import \{ MemoryRegion, type MemoryRegionOps(.*) \} from "#memory";/, (_, more: string) => {
          const rest = more === "" ? "" : `\nimport { ${more.slice(2)} } from "#memory";`;
          return `import * as memory from "#memory";${rest}`;
        })
        .replace(/(?<![.\w])MemoryRegion(Ops)?\b/g, "memory.MemoryRegion$1"),
  },
  {
    name: "broken calls",
    apply: (text) =>
      text.replace(
        /^( +)(.*\.(?:init|new)Io\()(this, ops, this, [^()]*)\);$/gm,
        (_, indent: string, call: string, args: string) =>
          [indent + call, ...args.split(", ").map((each) => `${indent}  ${each},`), `${indent});`].join("\n"),
      ),
  },
  { name: "no blank lines", apply: (text) => text.replace(/\n\n+/g, "\n") },
  { name: "many blank lines", apply: (text) => text.replace(/\n\n/g, "\n\n\n") },
  { name: "accents in names", apply: (text) => text.replace(/\bpart(\d)/g, "pàrt$1") },
  { name: "explicit public", apply: (text) => text.replace(/^( {2})(readonly \w+ = this)/gm, "$1public $2") },
  { name: "parentheses around this", apply: (text) => text.replace(/initMmio\(this\./g, "initMmio((this).") },
  { name: "an assertion on this", apply: (text) => text.replace(/initMmio\(this\./g, "initMmio(this!.") },
];

/** Leaves semicolons where the next line would otherwise go on. */
function withoutSemicolons(text: string): string {
  const lines = text.split("\n");
  return lines
    .map((line, index) => (/^\s*[([`+\-/*]/.test(lines[index + 1] ?? "") ? line : line.replace(/;$/, "")))
    .join("\n");
}
