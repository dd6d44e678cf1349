import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { loadFields, saveFields } from "#qdev";
import { Sha256 } from "./sha256.ts";

const message = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => (index * 167 + (index >> 8) * 29) & 0xff);
const reference = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("Sha256", () => {
  it("agrees with Node's for every length around block boundaries", () => {
    for (let bytes = 0; bytes < 200; bytes++) {
      expect(new Sha256().update(message(bytes)).hex()).toBe(reference(message(bytes)));
    }
    expect(new Sha256().update(message(100_000)).hex()).toBe(reference(message(100_000)));
  });

  it("does not depend on how the bytes are split, and continues after a digest was taken", () => {
    const hash = new Sha256();
    const whole = message(5000);
    for (let at = 0, step = 1; at < whole.length; at += step, step = (step * 7) % 150) {
      step = Math.max(step, 1);
      hash.update(whole.subarray(at, at + step));
      expect(hash.hex()).toBe(reference(whole.subarray(0, Math.min(at + step, whole.length))));
    }
  });

  it("continues in another instance from saved state", () => {
    const saved = saveFields(new Sha256().update(message(100)), Sha256.vmFields);
    const hash = new Sha256().update(message(7));
    for (const step of loadFields(hash, Sha256.vmFields, saved, "hash")) step();
    expect(hash.update(message(300).subarray(100)).hex()).toBe(reference(message(300)));
  });
});
