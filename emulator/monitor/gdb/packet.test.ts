import { describe, expect, it } from "vitest";
import { frame, PacketReader } from "./packet.ts";

const read = (...chunks: string[]) => {
  const reader = new PacketReader();
  return chunks.flatMap((chunk) => [...reader.read(Buffer.from(chunk, "latin1"))]);
};

describe("packets", () => {
  it("are framed with their checksum, as in the manual's examples", () => {
    expect(frame("OK").toString()).toBe("$OK#9a");
    expect(frame("").toString()).toBe("$#00");
  });

  it("escape special characters, and decode to the original data", () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const framed = frame(all);
    expect(framed.subarray(1, -3).includes(0x24)).toBe(false);
    expect([...new PacketReader().read(framed)]).toEqual([{ kind: "packet", data: all }]);
  });

  it("are parsed from a stream, however it is split", () => {
    const packet = (text: string) => ({ kind: "packet", data: Buffer.from(text) });
    expect(read("+$g#6", "7$?#3f\x03")).toEqual([
      { kind: "acknowledged" },
      packet("g"),
      packet("?"),
      { kind: "interrupt" },
    ]);
    expect(read("$half$g#67-")).toEqual([packet("g"), { kind: "refused" }]);
  });

  it("with a wrong checksum are damaged", () => {
    expect(read("$g#68")).toEqual([{ kind: "damaged" }]);
    expect(read("$g#zz")).toEqual([{ kind: "damaged" }]);
  });
});
