import { describe, expect, test } from "vitest";
import { PROBE_BASE, RAM_BASE } from "../testing/board.ts";
import { A0, A1, A2, addi, boardWith, HANDLER, LOOP, op } from "../testing/small-program.ts";

const SATP = 0x180;
const at = (instruction: number): bigint => BigInt(RAM_BASE + 4 * instruction);

describe("breakpoints", () => {
  test("stop before the instruction, every time, and do not affect other instructions", () => {
    const words = [addi(A0, A0, 1), addi(A1, A1, 2), addi(A2, A2, 3), op("jal", { rd: 0, immediate: -12 })];
    const { hart } = boardWith(words);
    hart.run(10); // decoded, and in the buffers
    hart.debug.addBreakpoint(at(1));
    for (const round of [4n, 5n, 6n]) {
      expect(hart.run(100)).toBe("exit");
      expect(hart.debug.hit).toEqual({ kind: "breakpoint" });
      expect([hart.pc, hart.readRegister(A0), hart.readRegister(A1)]).toEqual([
        at(1),
        round,
        2n * (round - 1n),
      ]);
      hart.debug.removeBreakpoint(at(1));
      expect(hart.run(1)).toBe("budget");
      hart.debug.addBreakpoint(at(1));
    }
    const plain = boardWith(words);
    plain.hart.run(hart.retired);
    expect([A0, A1, A2].map((each) => hart.readRegister(each))).toEqual(
      [A0, A1, A2].map((each) => plain.hart.readRegister(each)),
    );
  });

  test("that were set twice must be removed twice", () => {
    const { hart } = boardWith([addi(A0, A0, 1), addi(A0, A0, 1), LOOP]);
    hart.debug.addBreakpoint(at(1));
    hart.debug.addBreakpoint(at(1));
    expect(hart.debug.removeBreakpoint(at(1))).toBe(true);
    expect(hart.run(100)).toBe("exit");
    expect(hart.debug.removeBreakpoint(at(1))).toBe(true);
    expect(hart.debug.removeBreakpoint(at(1))).toBe(false);
    expect(hart.debug.active).toBe(false);
    expect(hart.run(100)).toBe("budget");
  });
});

describe("watchpoints", () => {
  const program = [
    op("auipc", { rd: A0, immediate: 0x2000 }), // a page of its own
    op("ld", { rd: A1, rs1: A0, immediate: 0 }),
    op("sw", { rs1: A0, rs2: A1, immediate: 16 }),
    op("ld", { rd: A1, rs1: A0, immediate: 14 }), // overlaps the watched bytes
    op("amoadd.w", { rd: A1, rs1: A0, rs2: A1 }),
    LOOP,
  ];
  const watched = BigInt(RAM_BASE + 0x2010);

  test.each([
    ["write", [2]],
    ["read", [3]],
    ["access", [2, 3]],
  ] as const)("of kind %s stop before each such access, once", (kind, stops) => {
    const { hart } = boardWith(program);
    const watchpoint = { kind, address: watched, length: 4 };
    hart.debug.addWatchpoint(watchpoint);
    for (const stop of stops) {
      expect(hart.run(100)).toBe("exit");
      expect(hart.debug.hit).toEqual({ kind: "watchpoint", watchpoint });
      expect(hart.pc).toBe(at(stop));
    }
    expect(hart.run(100)).toBe("budget");
    expect(hart.pc).toBe(at(5));
    expect(hart.debug.removeWatchpoint(watchpoint)).toBe(true);
    expect(hart.debug.removeWatchpoint(watchpoint)).toBe(false);
  });

  test("an atomic is both a read and a write", () => {
    for (const kind of ["read", "write"] as const) {
      const { hart } = boardWith(program);
      hart.run(4);
      hart.debug.addWatchpoint({ kind, address: BigInt(RAM_BASE + 0x2000), length: 1 });
      expect(hart.run(100)).toBe("exit");
      expect(hart.pc).toBe(at(4));
    }
  });

  test("an access to a device is made once", () => {
    const board = boardWith([
      op("lui", { rd: A0, immediate: PROBE_BASE }),
      op("lw", { rd: A1, rs1: A0, immediate: 8 }),
      LOOP,
    ]);
    board.hart.debug.addWatchpoint({ kind: "read", address: BigInt(PROBE_BASE + 8), length: 4 });
    expect(board.hart.run(100)).toBe("exit");
    expect(board.probed).toEqual([]);
    expect(board.hart.run(100)).toBe("budget");
    expect(board.probed).toEqual(["r4 10001008"]);
  });
});

describe("addresses", () => {
  const TABLE = RAM_BASE + 0x10000;
  const pointer = (to: number): bigint => (BigInt(to) >> 2n) | 1n;

  test("are translated without setting accessed bits, in Sv39, for every page size", () => {
    const board = boardWith([LOOP]);
    const { hart } = board;
    const leaf = (to: number): bigint => pointer(to) | 0xen; // readable, writable, executable; not accessed
    board.writeRam64(TABLE + 8 * 1, pointer(TABLE + 0x1000));
    board.writeRam64(TABLE + 8 * 2, leaf(0x8000_0000));
    board.writeRam64(TABLE + 0x1000, pointer(TABLE + 0x2000));
    board.writeRam64(TABLE + 0x1000 + 8, leaf(0x8020_0000));
    board.writeRam64(TABLE + 0x2000 + 8 * 3, leaf(HANDLER));
    hart.writeCsr(SATP, (8n << 60n) | (BigInt(TABLE) >> 12n));
    expect(hart.debug.translate(0x4000_3123n)).toBe(0x4000_3123); // machine mode translates nothing
    hart.privilege = 1;
    const before = board.readRam64(TABLE + 0x2000 + 24);
    expect(hart.debug.translate(0x4000_3123n)).toBe(HANDLER + 0x123);
    expect(hart.debug.translate(0x4023_4567n)).toBe(0x8023_4567);
    expect(hart.debug.translate(0x8012_3456n)).toBe(0x8012_3456);
    expect(board.readRam64(TABLE + 0x2000 + 24)).toBe(before);
    expect(hart.debug.translate(0x4000_4000n)).toBe(-1);
    expect(hart.debug.translate(0x0040_0000_0000n)).toBe(-1); // not sign-extended from bit 38
    expect(hart.debug.translate(0xffff_ffff_c000_0000n)).toBe(-1);
  });
});
