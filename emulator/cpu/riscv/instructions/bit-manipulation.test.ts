import { expect, test } from "vitest";
import { A0, A1, boardWith, LOOP, op } from "../testing/small-program.ts";

/** Random programs compare all others with QEMU, which is wrong about this one. */
test("ctzw counts the zeros of the low word only, and 32 if it is zero", () => {
  const { hart } = boardWith([...Array.from({ length: 5 }, () => op("ctzw", { rd: A0, rs1: A1 })), LOOP]);
  for (const [value, zeros] of [
    [0n, 32n],
    [1n << 63n, 32n],
    [1n << 32n, 32n],
    [0xffff_ffff_8000_0000n, 31n],
    [8n, 3n],
  ] as const) {
    hart.writeRegister(A1, value);
    hart.run(1);
    expect(hart.readRegister(A0), `0x${value.toString(16)}`).toBe(zeros);
  }
});
