import { describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { parseElf } from "./elf.ts";

/** An ELF64 file with one loadable segment, as small as it can be (System V ABI). */
function elf(change: (view: DataView) => void = () => {}): Uint8Array {
  const content = Uint8Array.of(1, 2, 3, 4);
  const bytes = new Uint8Array(64 + 56 + content.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, 243, true); // RISC-V
  view.setBigUint64(24, 0x8000_0000n, true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // loadable
  view.setBigUint64(64 + 8, 120n, true); // offset
  view.setBigUint64(64 + 24, 0x8000_0000n, true); // physical address
  view.setBigUint64(64 + 32, BigInt(content.length), true);
  view.setBigUint64(64 + 40, 16n, true);
  bytes.set(content, 120);
  change(view);
  return bytes;
}

describe("ELF files", () => {
  it("give their entry and segments", () => {
    const program = parseElf("guest.elf", elf());
    expect(program.entry).toBe(0x8000_0000);
    expect(program.segments).toEqual([
      { address: 0x8000_0000, content: Uint8Array.of(1, 2, 3, 4), memoryBytes: 16 },
    ]);
  });

  it.each<[string, (view: DataView) => void, RegExp]>([
    ["no ELF file", (view) => view.setUint8(0, 0), /not an ELF file/],
    ["32 bits", (view) => view.setUint8(4, 1), /32-bit/],
    ["big endian", (view) => view.setUint8(5, 2), /big-endian/],
    ["x86-64", (view) => view.setUint16(18, 62, true), /for x86-64/],
    ["an unknown machine", (view) => view.setUint16(18, 999, true), /for machine 999/],
    ["an object file", (view) => view.setUint16(16, 1, true), /not executable/],
    [
      "headers beyond the end",
      (view) => view.setBigUint64(32, 4096n, true),
      /program headers lie beyond its end/,
    ],
    ["small headers", (view) => view.setUint16(54, 32, true), /program headers of the wrong size/],
    ["a segment beyond the end", (view) => view.setBigUint64(64 + 32, 4096n, true), /reaches beyond its end/],
    [
      "a segment larger than its memory",
      (view) => view.setBigUint64(64 + 40, 1n, true),
      /larger in the file/,
    ],
    ["nothing to load", (view) => view.setUint32(64, 2, true), /it has no loadable segment/],
  ])("refuse %s, naming the file and the fix", (_, change, message) => {
    const attempt = () => parseElf("guest.elf", elf(change));
    expect(attempt).toThrow(CommandError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^guest\.elf: .*; give a RISC-V ELF64 executable$/);
  });

  it("refuse any truncation", () => {
    const whole = elf();
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseElf("guest.elf", whole.subarray(0, length))).toThrow(CommandError);
    }
  });
});
