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
  { name: "another name for the class", apply: withAnotherName },
  { name: "namespace", apply: withNamespace },
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

function withAnotherName(text: string): string {
  if (!text.includes("{ MemoryRegion,")) return text;
  return text
    .replace("{ MemoryRegion,", "{ MemoryRegion as MR,")
    .replace(/\bMemoryRegion\b(?! as\b)(?!Ops)/g, "MR");
}

const USUAL_IMPORT = /import \{ MemoryRegion, type MemoryRegionOps(.*) \} from (["'])#memory\2/;

function withNamespace(text: string): string {
  const [line, more = "", quote = '"'] = USUAL_IMPORT.exec(text) ?? [];
  if (line === undefined) return text;
  const from = `from ${quote}#memory${quote}`;
  const rest = more === "" ? "" : `;\nimport { ${more.slice(2)} } ${from}`;
  return text
    .replace(/(?<![.\w])MemoryRegion(Ops)?\b/g, "memory.MemoryRegion$1")
    .replace(/import \{ memory\..* from .#memory./, `import * as memory ${from}${rest}`);
}

/** Leaves semicolons where the next line would otherwise go on. */
function withoutSemicolons(text: string): string {
  const lines = text.split("\n");
  return lines
    .map((line, index) => (/^\s*[([`+\-/*]/.test(lines[index + 1] ?? "") ? line : line.replace(/;$/, "")))
    .join("\n");
}
