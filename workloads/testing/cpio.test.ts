import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { FOLDER_MODE, readCpio, SCRIPT_MODE, writeCpio } from "./cpio.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("newc archives", () => {
  const entries = [
    { name: "folder", mode: FOLDER_MODE, content: bytes("") },
    { name: "folder/init", mode: SCRIPT_MODE, content: bytes("#!/bin/sh\n") },
    { name: "long-name-of-odd-length", mode: 0o100_644, content: bytes("12345") },
  ];

  it("round-trip", () => {
    expect(
      readCpio(writeCpio(entries)).map((entry) => ({ ...entry, content: Uint8Array.from(entry.content) })),
    ).toEqual(entries);
  });

  it("have headers and contents at multiples of four bytes, as the kernel requires", () => {
    const archive = Buffer.from(writeCpio(entries));
    expect(archive.length % 4).toBe(0);
    for (let at = archive.indexOf("070701"); at >= 0; at = archive.indexOf("070701", at + 1)) {
      expect(at % 4).toBe(0);
    }
    expect(archive.indexOf("12345") % 4).toBe(0);
  });

  it("can be read by another program", (context) => {
    const list = spawnSync("bsdtar", ["-t", "-f", "-"], { input: writeCpio(entries), encoding: "utf8" });
    if (list.error) context.skip("bsdtar is not installed (Debian package libarchive-tools)");
    expect(
      list.stdout
        .trim()
        .split("\n")
        .map((name) => name.replace(/\/$/, "")),
    ).toEqual(entries.map(({ name }) => name));
  });

  it("are refused if they are something else", () => {
    expect(() => readCpio(bytes("something else"))).toThrow("at byte 0");
  });
});
