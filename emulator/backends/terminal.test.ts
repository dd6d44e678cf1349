import { describe, expect, it } from "vitest";
import { KeyDecoder } from "./terminal.ts";

/** Decodes chunks of typed bytes into texts and, in angle brackets, commands. */
function decoded(...chunks: string[]): string[] {
  const events: string[] = [];
  const decoder = new KeyDecoder((key) => events.push(`<${key}>`));
  for (const chunk of chunks)
    decoder.decode(Buffer.from(chunk, "latin1"), (bytes) =>
      events.push(Buffer.from(bytes).toString("latin1")),
    );
  return events;
}

describe("KeyDecoder", () => {
  it("passes on what is typed, and removes Ctrl-A and a letter of either case", () => {
    expect(decoded("abc\x01Xdef")).toEqual(["abc", "<x>", "def"]);
    expect(decoded("\x01c\x01C")).toEqual(["<c>", "<c>"]);
  });

  it("sends a Ctrl-A for two", () => {
    expect(decoded("a\x01\x01b")).toEqual(["a\x01b"]);
    expect(decoded("\x01\x01x")).toEqual(["\x01x"]);
  });

  it("keeps a Ctrl-A from one chunk to the next", () => {
    expect(decoded("a\x01", "h", "b")).toEqual(["a", "<h>", "b"]);
  });
});
