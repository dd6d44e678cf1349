/** Areas of a tree as its MAINTAINERS file names them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Pattern {
  readonly area: string;
  readonly expression: RegExp;
  /** Longer patterns are more particular. */
  readonly length: number;
}

export class Maintainers {
  private readonly patterns: readonly Pattern[];
  private readonly known = new Map<string, string>();

  constructor(text: string) {
    const patterns: Pattern[] = [];
    let area = "";
    for (const line of text.split("\n")) {
      const [, pattern] = /^F:\s+(\S+)/.exec(line) ?? [];
      if (pattern !== undefined)
        patterns.push({ area, expression: expressionOf(pattern), length: pattern.length });
      else if (/^\w/.test(line) && !/^[A-Z]:/.test(line)) area = line.trim();
    }
    this.patterns = patterns;
  }

  /** The area with the most particular pattern for a file. */
  areaOf(path: string): string {
    const known = this.known.get(path);
    if (known !== undefined) return known;
    let best: Pattern | undefined;
    for (const pattern of this.patterns) {
      if (pattern.length > (best?.length ?? 0) && pattern.expression.test(path)) best = pattern;
    }
    const area = best?.area ?? "(no maintainer)";
    this.known.set(path, area);
    return area;
  }
}

function expressionOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|\\[\]]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${text}${pattern.endsWith("/") ? "" : "$"}`);
}

/** The areas of a tree; every file is in none if the tree has no MAINTAINERS file. */
export function readMaintainers(root: string): Maintainers {
  try {
    return new Maintainers(readFileSync(join(root, "MAINTAINERS"), "latin1"));
  } catch {
    return new Maintainers("");
  }
}
