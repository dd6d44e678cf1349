import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleaned, cleanText, escapeJson } from "./clean-text.ts";

/** Whether a text has active characters, determined independently by code point. */
function acts(text: string): boolean {
  return [...text].some((character) => {
    const code = character.codePointAt(0) ?? 0;
    const control = (code < 0x20 && code !== 0x0a) || (code >= 0x7f && code <= 0x9f);
    return control || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  });
}

const wild = fc.string({ unit: "binary" });

describe("cleanText", () => {
  it("lets no character through that acts on a terminal or changes the direction of text", () => {
    fc.assert(
      fc.property(wild, (text) => {
        expect(acts(cleanText(text))).toBe(false);
      }),
    );
  });

  it("leaves ordinary text unchanged, and is idempotent", () => {
    expect(cleanText("naïve 漢字 🙂\nline two")).toBe("naïve 漢字 🙂\nline two");
    fc.assert(
      fc.property(wild, (text) => {
        expect(cleanText(cleanText(text))).toBe(cleanText(text));
      }),
    );
  });

  it("shows what it removed", () => {
    expect(cleanText("a\u001b[31mb\u009bc\u202ed\te\r\nf")).toBe("a\ufffd[31mb\ufffdc\ufffdd e\nf");
  });
});

describe("cleaned", () => {
  it("changes texts at any depth and nothing else", () => {
    const data = { a: ["x\u0007", 1, null, { b: "\u2066y" }], c: [1.5, 2], d: true };
    expect(cleaned(data)).toEqual({ a: ["x\ufffd", 1, null, { b: "\ufffdy" }], c: [1.5, 2], d: true });
  });
});

describe("escapeJson", () => {
  it("keeps the value and contains no active character", () => {
    fc.assert(
      fc.property(wild, (text) => {
        const json = escapeJson(JSON.stringify({ text }, null, 1));
        expect(acts(json)).toBe(false);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });
});
