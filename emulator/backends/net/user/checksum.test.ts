import fc from "fast-check";
import { expect, test } from "vitest";
import { addWords, checksum, foldChecksum } from "./checksum.ts";

test("matches the example in RFC 1071", () => {
  // Section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
  expect(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(~0xddf2 & 0xffff);
});

test("of data with their correct checksum is 0", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const even = bytes.length % 2 === 0 ? bytes : Uint8Array.of(...bytes, 0);
      const sum = checksum(bytes);
      expect(checksum(Uint8Array.of(...even, sum >>> 8, sum & 0xff))).toBe(0);
    }),
  );
});

test("can be computed in parts of even length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(32), (bytes, half) => {
      const cut = 2 * half;
      const sum = addWords(addWords(0, bytes.subarray(0, cut)), bytes.subarray(cut));
      expect(foldChecksum(sum)).toBe(checksum(bytes));
    }),
  );
});
