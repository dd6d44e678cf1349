/**
 * How a source is laid out: as its project's formatter does or, where no configuration says so, as the file itself is.
 * Generated text follows it.
 */
import { type CallExpression, Node, type Project, type SourceFile, SyntaxKind } from "ts-morph";
import { type FormatterOptions, Formatters } from "./formatter.ts";
import { descendantsOfKind } from "./node-index.ts";
import { lineStart } from "./trivia.ts";

export interface Style extends Required<FormatterOptions> {
  /** True if a formatter's configuration was found, so that its layout of a statement can be foretold. */
  readonly formatted: boolean;
}

/** The line width that is assumed if neither a configuration nor the file gives a hint. */
const widthWithoutHint = 110;
/** Line widths in common use. */
const usualWidths = [80, 100, 110, 120, 140, 160];
/** Statements and members that are looked at to measure a file. */
const sampleSize = 400;

interface Known {
  readonly text: string;
  readonly style: Style;
}

const formatters = new WeakMap<Project, Formatters>();
const known = new WeakMap<SourceFile, Known>();

/** The style of a file; measured once for each text that it has. */
export function styleOf(file: SourceFile): Style {
  const text = file.getFullText();
  const cached = known.get(file);
  if (cached?.text === text) return cached.style;
  const { options, complete } = formattersOf(file.getProject()).optionsFor(file.getFilePath());
  const style = { ...measure(file, options), ...options, formatted: complete };
  known.set(file, { text, style });
  return style;
}

function formattersOf(project: Project): Formatters {
  const found = formatters.get(project) ?? new Formatters();
  formatters.set(project, found);
  return found;
}

/** Columns that a text on one line takes, counting tabs by their width. */
export function columnsOf(text: string, { tabWidth }: Pick<Style, "tabWidth">): number {
  let columns = 0;
  for (const character of text) {
    columns += character === "\t" ? tabWidth - (columns % tabWidth) : 1;
  }
  return columns;
}

/** What the file itself shows. `given` is known already and helps to measure the rest. */
function measure(file: SourceFile, given: FormatterOptions): Required<FormatterOptions> {
  const indent = given.indent ?? measureIndent(file);
  const tabWidth = given.tabWidth ?? (indent === "\t" ? 4 : indent.length);
  return {
    indent,
    tabWidth,
    width: given.width ?? measureWidth(file, tabWidth),
    semicolons: given.semicolons ?? measureSemicolons(file),
    quote: given.quote ?? measureQuote(file),
    trailingCommas: given.trailingCommas ?? measureTrailingCommas(file.getFullText()),
  };
}

/** The step from a class to its members. */
function measureIndent(file: SourceFile): string {
  const text = file.getFullText();
  const indents = new Map<string, number>();
  const steps = [...file.getClasses(), ...file.getFunctions()].flatMap((each) => {
    const outer = indentAt(text, each.getStart());
    const inner = Node.isClassDeclaration(each) ? each.getMembers() : each.getStatements();
    return inner.slice(0, sampleSize).flatMap((member) => {
      const indent = indentAt(text, member.getStart());
      return indent.length > outer.length && indent.startsWith(outer) ? [indent.slice(outer.length)] : [];
    });
  });
  for (const step of steps) indents.set(step, (indents.get(step) ?? 0) + 1);
  const [commonest] = [...indents].sort((a, b) => b[1] - a[1]);
  return commonest?.[0] ?? (/^\t/m.test(text) ? "\t" : "  ");
}

function indentAt(text: string, position: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, position), position))?.[0] ?? "";
}

function measureSemicolons(file: SourceFile): boolean {
  const members = file.getClasses().flatMap((each) => each.getProperties());
  const ended = [...file.getStatements(), ...members].slice(0, sampleSize).filter((each) => {
    return (
      Node.isImportDeclaration(each) || Node.isVariableStatement(each) || Node.isPropertyDeclaration(each)
    );
  });
  const without = ended.filter((each) => !each.getText().endsWith(";")).length;
  return without <= ended.length - without;
}

function measureQuote(file: SourceFile): '"' | "'" {
  const specifiers = file.getImportDeclarations().map((each) => each.getModuleSpecifier().getText());
  const others =
    specifiers.length > 0 ? [] : (file.getFullText().match(/(["'])(?:(?!\1)[^\\\n]){1,40}\1/g) ?? []);
  const literals = [...specifiers, ...others];
  const single = literals.filter((each) => each.startsWith("'")).length;
  return single > literals.length - single ? "'" : '"';
}

/** Whether a comma ends the last line before a closing parenthesis that stands on a line of its own. */
function measureTrailingCommas(text: string): boolean {
  const ends = text.match(/[^\s({;]\s*\n\s*\)/g) ?? [];
  const without = ends.filter((each) => !each.startsWith(",") && !each.startsWith("}")).length;
  const withComma = ends.filter((each) => each.startsWith(",")).length;
  return without <= withComma;
}

/**
 * The smallest usual width that the lines of the file fit in and that explains why calls are broken that would fit in a larger
 * one. Comments and lines with long strings say nothing, because no formatter breaks them.
 */
function measureWidth(file: SourceFile, tabWidth: number): number {
  const widths = file
    .getFullText()
    .split("\n")
    .filter((line) => !/\/[/*]|^\s*\*|["'`][^"'`]{30,}["'`]|^(?:import|export)\b/.test(line))
    .map((line) => columnsOf(line.trimEnd(), { tabWidth }));
  const longest = widths.reduce((most, width) => Math.max(most, width), 0);
  const wide = (width: number) => widths.filter((each) => each > width * 0.85).length;
  const usual = usualWidths.find((width) => width >= longest);
  if (usual === undefined) return longest;
  const limit = shortestBroken(file, tabWidth);
  const fitting = usualWidths.filter((width) => width >= longest && width < limit);
  if (fitting[0] !== undefined && limit <= widthWithoutHint) return fitting[0];
  return usual > widthWithoutHint || wide(usual) >= 3 ? usual : widthWithoutHint;
}

/** Width that the shortest call with one argument per line would have on one line. */
function shortestBroken(file: SourceFile, tabWidth: number): number {
  const text = file.getFullText();
  if (!/\(\n/.test(text)) return Number.POSITIVE_INFINITY;
  const calls = descendantsOfKind(file, SyntaxKind.CallExpression).slice(0, sampleSize);
  const widths = calls.filter(hasArgumentPerLine).map((call) => {
    const statement = call.getFirstAncestor(Node.isStatement) ?? call;
    const joined = statement
      .getText()
      .replace(/,?\s*\n\s*/g, (gap, at, whole) => joint(gap, whole[at + gap.length]));
    return columnsOf(indentAt(text, statement.getStart()) + joined, { tabWidth });
  });
  return widths.reduce((least, width) => Math.min(least, width), Number.POSITIVE_INFINITY);
}

function joint(gap: string, next: string | undefined): string {
  if (next === ")") return "";
  return gap.startsWith(",") ? ", " : "";
}

/** `f(\n a,\n b,\n)` in a statement that has no other line breaks, and no comments. */
function hasArgumentPerLine(call: CallExpression): boolean {
  const statement = call.getFirstAncestor(Node.isStatement);
  const args = call.getArguments();
  if (statement === undefined || args.length === 0) return false;
  const text = statement.getText();
  return text.split("\n").length === args.length + 2 && /\(\n/.test(text) && !/[{}`]|\/[/*]/.test(text);
}
