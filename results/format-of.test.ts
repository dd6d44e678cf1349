import { describe, expect, it } from "vitest";
import { formatOf } from "./format-of.ts";

const FORMATS = ["table", "markdown", "html", "json", "summary"] as const;

describe("the format of an output", () => {
  it.each([
    [undefined, "table"],
    ["a.html", "html"],
    ["A.HTM", "html"],
    ["a.md.gz", "markdown"],
    ["a.json", "json"],
    ["a.summary.json.gz", "summary"],
    ["a.txt", "table"],
  ])("of %s is %s", (file, format) => {
    expect(formatOf(file, FORMATS)).toBe(format);
  });

  it("must be one of those offered, or named", () => {
    const some = ["table", "json"] as const;
    expect(() => formatOf("a.html", some)).toThrow(
      "-o a.html: the ending does not name a format; add --format table|json, or end it in .json or .txt, or any of these and .gz",
    );
    expect(() => formatOf("a.summary.json", some)).toThrow(/does not name/);
    expect(() => formatOf("a", FORMATS)).toThrow(/\.json, \.txt or \.summary\.json, or any/);
  });
});
