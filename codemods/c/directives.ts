/** The branches of `#if` in which tokens stand. */
import type { Directive, Tokens } from "./passes/1-lex.ts";

/** Conditions that hold from a token on, until those of the next entry do. */
interface Span {
  readonly token: number;
  readonly conditions: readonly string[];
}

const spans = new WeakMap<Tokens, readonly Span[]>();

/** The conditions of all branches around a token, outermost first; guards against including a header twice are none. */
export function directiveConditions(tokens: Tokens, token: number): readonly string[] {
  let known = spans.get(tokens);
  if (known === undefined) {
    known = spansOf(tokens);
    spans.set(tokens, known);
  }
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((known[middle]?.token ?? 0) <= token) low = middle + 1;
    else high = middle;
  }
  return known[low - 1]?.conditions ?? [];
}

function spansOf({ text, directives }: Tokens): Span[] {
  const found: Span[] = [];
  /** The condition of each open `#if`; empty for the guard of a header. */
  const open: string[] = [];
  for (const [index, directive] of directives.entries()) {
    const { name, token } = directive;
    if (name.startsWith("if"))
      open.push(isGuard(text, directive, directives[index + 1]) ? "" : words(text, directive));
    else if (name === "elif") open.push(`!${open.pop() ?? ""},${words(text, directive)}`);
    else if (name === "else") open.push(`!${open.pop() ?? ""}`);
    else if (name === "endif") open.pop();
    else continue;
    const conditions = open.filter((each) => each !== "");
    // Branches whose braces differ have no tokens: what follows them begins where they did.
    while ((found.at(-1)?.token ?? -1) >= token) found.pop();
    found.push({ token, conditions });
  }
  return found;
}

function words(text: string, { start, end }: Directive): string {
  return text
    .slice(start, end)
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|\\\r?\n/g, "")
    .replace(/\s+/g, "");
}

/** `#ifndef NAME` before `#define NAME` */
function isGuard(text: string, directive: Directive, next: Directive | undefined): boolean {
  const [, name] = /^#\s*ifndef\s+(\w+)/.exec(text.slice(directive.start, directive.end)) ?? [];
  if (name === undefined || next?.name !== "define") return false;
  return new RegExp(`^#\\s*define\\s+${name}\\b`).test(text.slice(next.start, next.end));
}
