import { expect, test } from "vitest";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import { A0, A1, A2, A3, addi, boardWith, LOOP, op, trapOf } from "../testing/small-program.ts";
import { CodePages } from "./code-pages.ts";
import { RiscvHart } from "./hart.ts";

const MEDELEG = 0x302;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;

test("a store that changes the next instruction takes effect at once, without fence.i", () => {
  const board = boardWith([
    addi(A2, A2, 1),
    op("sw", { rs1: A1, rs2: A0, immediate: 8 }),
    addi(A2, A2, 1), // becomes addi a2, a2, 100
    LOOP,
  ]);
  // Executed once unchanged, so that it is decoded, then changed.
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 0x1000));
  board.hart.run(10);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.writeRegister(A1, BigInt(RAM_BASE));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 100)));
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(2n + 1n + 100n);
});

test("a store that overwrites itself still retires once", () => {
  const board = boardWith([op("sd", { rs1: A1, rs2: A0 }), LOOP, LOOP]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 1)) | (BigInt(addi(A2, A2, 5)) << 32n));
  board.hart.run(2);
  expect(board.hart.readRegister(A2)).toBe(5n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 8));
});

test("an atomic may change code too", () => {
  const board = boardWith([
    op("amoswap.w", { rd: A0, rs1: A1, rs2: A0 }),
    addi(A2, A2, 1),
    addi(A2, A2, 1),
    LOOP,
  ]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 8));
  board.hart.writeRegister(A0, BigInt(addi(A2, A2, 50)));
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(51n);
  expect(board.hart.readRegister(A0)).toBe(BigInt(addi(A2, A2, 1)));
});

test("the second instruction of a fused pair may change", () => {
  const pair = [op("slli", { rd: A2, rs1: A0, immediate: 1 }), addi(A2, A2, 1)];
  const board = boardWith([...pair, LOOP]);
  board.hart.writeRegister(A0, 21n);
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(43n);
  board.loadWords(RAM_BASE + 4, [addi(A2, A2, 2)]);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(3);
  expect(board.hart.readRegister(A2)).toBe(44n);
  // And the first may be the last instruction of a run.
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.writeRegister(A0, 1n);
  board.hart.run(1);
  expect(board.hart.readRegister(A2)).toBe(2n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 4));
});

test("an instruction fused with the one before and the one after it survives a change of the latter", () => {
  const add = (rs2: number): number => op("c.add", { rd: A2, rs1: A2, rs2 }) | (op("c.addi") << 16);
  const board = boardWith([op("slli", { rd: A2, rs1: A0, immediate: 1 }), addi(A2, A2, 7), add(A0), LOOP]);
  board.hart.writeRegister(A0, 100n);
  board.hart.writeRegister(A3, 5000n);
  board.hart.run(5);
  expect(board.hart.readRegister(A2)).toBe(307n);
  board.loadWords(RAM_BASE + 8, [add(A3)]);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(5);
  expect(board.hart.readRegister(A2)).toBe(5207n);
});

test("code that is overwritten from outside is decoded again", () => {
  const board = boardWith([addi(A2, A2, 1), LOOP]);
  board.hart.run(5);
  board.loadWords(RAM_BASE, [addi(A2, A2, 10)]);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(1);
  expect(board.hart.readRegister(A2)).toBe(11n);
});

test("an instruction that crosses pages is fetched from both", () => {
  const board = boardWith([], RAM_BASE + 0xffe);
  const word = addi(A0, 0, 77);
  board.load(RAM_BASE + 0xffe, Uint8Array.of(word, word >> 8, word >> 16, word >> 24, 0x01, 0xa0)); // c.j .
  board.hart.run(2);
  expect(board.hart.readRegister(A0)).toBe(77n);
  expect(board.hart.pc).toBe(BigInt(RAM_BASE + 0x1002));
  // The second half changes: nothing of the old instruction may remain.
  const other = addi(A0, 0, 78);
  board.load(RAM_BASE + 0x1000, Uint8Array.of(other >> 16, other >> 24));
  board.hart.pc = BigInt(RAM_BASE + 0xffe);
  board.hart.run(1);
  expect(board.hart.readRegister(A0)).toBe(78n);
});

test("code runs if every fetch goes over the bus", () => {
  const board = new TestBoard();
  board.direct = false;
  board.loadWords(RAM_BASE, [
    addi(A0, 0, 10),
    addi(A1, A1, 3),
    addi(A0, A0, -1),
    op("bne", { rs1: A0, rs2: 0, immediate: -8 }),
    op("jal", { rd: A2, immediate: 8 }),
    addi(A1, 0, 0),
    LOOP,
  ]);
  board.hart.reset(RAM_BASE);
  board.hart.run(100);
  expect(board.hart.readRegister(A1)).toBe(30n);
  expect(board.hart.readRegister(A2)).toBe(BigInt(RAM_BASE + 20));
});

test("a page that protection divides is executed and accessed as far as permitted", () => {
  const board = boardWith([
    op("ld", { rd: A0, rs1: A1, immediate: 0 }),
    op("amoadd.d", { rd: A2, rs1: A1, rs2: A1 }),
    op("ld", { rd: A0, rs1: A1, immediate: 8 }),
    LOOP,
  ]);
  const { hart } = board;
  board.writeRam64(RAM_BASE + 0x100, 5n);
  hart.writeCsr(MEDELEG, 0n);
  // Entry 0 permits everything in the first 0x108 bytes. There is no other, so supervisor mode may do nothing beyond.
  hart.writeCsr(PMPADDR0, BigInt((RAM_BASE + 0x108) / 4));
  hart.writeCsr(PMPCFG0, 0x0fn);
  hart.writeRegister(A1, BigInt(RAM_BASE + 0x100));
  hart.privilege = 1;
  hart.run(3);
  expect(hart.readRegister(A0)).toBe(5n);
  expect(hart.readRegister(A2)).toBe(5n);
  expect(board.readRam64(RAM_BASE + 0x100)).toBe(5n + BigInt(RAM_BASE + 0x100));
  expect(trapOf(board)).toMatchObject({
    cause: 5n,
    from: BigInt(RAM_BASE + 8),
    value: BigInt(RAM_BASE + 0x108),
  });
});

test("accesses and fetches follow a change of the memory map", () => {
  const board = boardWith([op("ld", { rd: A0, rs1: A1 }), LOOP]);
  board.hart.writeRegister(A1, BigInt(RAM_BASE + 0x2000));
  board.writeRam64(RAM_BASE + 0x2000, 1n);
  board.hart.run(1);
  board.direct = false;
  board.mapChanged();
  const read = board.read.bind(board);
  const seen: number[] = [];
  board.read = (address, size) => {
    seen.push(address);
    return read(address, size);
  };
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(1);
  expect(seen).toEqual([RAM_BASE, RAM_BASE + 2, RAM_BASE + 0x2000]);
  // And back: the page is no longer remembered as a device's.
  seen.length = 0;
  board.direct = true;
  board.mapChanged();
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(1);
  expect(seen).toEqual([]);
  expect(board.hart.readRegister(A0)).toBe(1n);
});

test("a change of the memory map keeps decoded code, but not if its page has other contents", () => {
  const board = boardWith([addi(A2, A2, 1), LOOP]);
  board.hart.run(5);
  const again = (): bigint => {
    board.mapChanged();
    board.hart.pc = BigInt(RAM_BASE);
    board.hart.run(2);
    return board.hart.readRegister(A2);
  };
  expect(again()).toBe(2n);
  // Like flash that changes while it is not mapped: the hart is not notified.
  new DataView(board.memory.buffer).setUint32(board.ramOffset, addi(A2, A2, 10), true);
  expect(again()).toBe(12n);
  expect(again()).toBe(22n);
  // A change that was reported is not mistaken for one that was not.
  board.loadWords(RAM_BASE, [addi(A2, A2, 100)]);
  expect(again()).toBe(122n);
});

test("harts of different machines are independent", () => {
  const one = boardWith([addi(A0, A0, 1), LOOP]);
  const two = boardWith([addi(A0, A0, 2), LOOP]);
  one.hart.run(5);
  two.hart.run(5);
  expect(one.hart.readRegister(A0)).toBe(1n);
  expect(two.hart.readRegister(A0)).toBe(2n);
});

test("a hart sees code that another hart of its machine changes", () => {
  const codePages = new CodePages();
  const board = new TestBoard(1 << 20, codePages);
  // The second hart's block follows the RAM.
  const stateOffset = board.memory.buffer.byteLength;
  board.memory.grow(RiscvHart.stateBytes / 65_536);
  const { memory } = board;
  const other = new RiscvHart({ hartId: 1, memory, stateOffset, bus: board, time: () => 0, codePages });
  board.loadWords(RAM_BASE, [addi(A2, A2, 1), LOOP]);
  board.loadWords(RAM_BASE + 0x2000, [
    op("sw", { rs1: A1, rs2: A0 }),
    op("csrrs", { rd: A3, immediate: 0xf14 }),
    LOOP,
  ]);
  // It stores to the page once, before that holds code, so that the translation is cached.
  other.reset(RAM_BASE + 0x2000);
  other.writeRegister(A1, BigInt(RAM_BASE + 0x40));
  other.run(3);
  expect(other.readRegister(A3)).toBe(1n);
  board.hart.reset(RAM_BASE);
  board.hart.run(5);
  expect(board.hart.readRegister(A2)).toBe(1n);
  other.pc = BigInt(RAM_BASE + 0x2000);
  other.writeRegister(A1, BigInt(RAM_BASE));
  other.writeRegister(A0, BigInt(addi(A2, A2, 10)));
  other.run(3);
  board.hart.pc = BigInt(RAM_BASE);
  board.hart.run(5);
  expect(board.hart.readRegister(A2)).toBe(11n);
});

test("a store that just misses a fused pair leaves both of its instructions intact", () => {
  const called = 0x40;
  const call = (at: number) => op("jal", { rd: 1, immediate: called - at });
  const words = [
    op("auipc", { rd: A1 }),
    call(4),
    op("sw", { rs1: A1, rs2: A0, immediate: called + 8 }),
    call(12),
    LOOP,
  ];
  words[called / 4] = (op("c.jr", { rs1: 1 }) << 16) | op("c.addi", { rd: A0, rs1: A0, immediate: 1 });
  const { hart } = boardWith(Array.from(words, (word) => word ?? 0));
  hart.run(9);
  expect(hart.pc).toBe(BigInt(RAM_BASE + 16));
  expect(hart.readRegister(A0)).toBe(2n);
});

test("code in RAM beyond 2 GiB is executed, jumped to again, and noticed when it changes", () => {
  const far = 2 ** 31;
  const board = new TestBoard(far + 2 ** 20);
  const { hart } = board;
  const start = RAM_BASE + far;
  // A loop over two pages; the first word of the second page is replaced while the loop runs.
  board.loadWords(start, [addi(A0, A0, 1), op("jal", { immediate: 0xffc })]);
  board.loadWords(start + 0x1000, [addi(A2, A2, 1), op("jal", { immediate: -0x1004 })]);
  hart.reset(start);
  hart.run(4 * 100);
  expect([hart.readRegister(A0), hart.readRegister(A2)]).toEqual([100n, 100n]);
  board.loadWords(start + 0x1000, [addi(A2, A2, 10)]);
  hart.invalidate(board.ramOffset + far + 0x1000, 4);
  hart.run(4 * 10);
  expect([hart.readRegister(A0), hart.readRegister(A2)]).toEqual([110n, 200n]);
});
