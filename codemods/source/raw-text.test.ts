import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRawText } from "./raw-text.ts";

test("line endings and byte order mark are removed and restored", () => {
  const raw = parseRawText("\uFEFFone\r\ntwo\r\n");
  expect(raw.text).toBe("one\ntwo\n");
  expect(raw.restore("one\nthree\n")).toBe("\uFEFFone\r\nthree\r\n");
});

test("mixed line endings are left unchanged", () => {
  expect(parseRawText("one\r\ntwo\n").text).toBe("one\r\ntwo\n");
});

test("any text is restored", () => {
  const part = fc.constantFrom("\uFEFF", "\r\n", "\n", "\r", "x");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const { text, restore } = parseRawText(parts.join(""));
      expect(restore(text)).toBe(parts.join(""));
    }),
    { seed: 1 },
  );
});
