/**
 * Guests of a few instructions for the `virt` machine, as raw images. Each ends by switching the machine off, and waits.
 * Encodings: RISC-V Unprivileged ISA, chapter 2 (instruction formats) and the opcode map in chapter 34.
 */

/** Line status register of the 16550A: reading it has no side effects unless a receive error is pending. */
export const UART_LINE_STATUS = 0x1000_0005;
/** A byte of RAM that no guest uses for anything else. */
export const RAM_BYTE = 0x8040_0000;

/** Loads between two branches. */
const UNROLLED = 64;
/** SiFive's test device: this word switches the machine off. */
const FINISHER = 0x10_0000;
const POWER_OFF = 0x5555;
/** System Reset Extension of the SBI, chapter 10: function 0 with type 0 is shutdown. */
const SRST = 0x5352_5354;
const INSTRET = 0xc02;

const ZERO = 0;
const T0 = 5;
const T1 = 6;
const T2 = 7;
const A0 = 10;
const A1 = 11;
const A6 = 16;
const A7 = 17;

/**
 * Loads a byte from `address` again and again, then switches the machine off.
 * @param loads a multiple of 64
 */
export function loadingGuest(address: number, loads: number): Uint8Array {
  if (loads <= 0 || loads % UNROLLED !== 0)
    throw new RangeError(`${loads} loads are not a multiple of ${UNROLLED}`);
  const body = Array<number>(UNROLLED).fill(lbu(T1, T0, 0));
  return image([
    ...set(T0, address),
    ...set(T2, loads / UNROLLED),
    ...body,
    addi(T2, T2, -1),
    bne(T2, ZERO, -4 * (UNROLLED + 1)),
    ...set(T0, FINISHER),
    ...set(T1, POWER_OFF),
    sw(T1, T0, 0),
    ...idle(),
  ]);
}

/**
 * The stage after OpenSBI: stores how many instructions the processor has retired at {@link RAM_BYTE}, as 8 bytes, then
 * asks OpenSBI to switch the machine off.
 */
export function nextStage(): Uint8Array {
  return image([
    csrr(T1, INSTRET),
    ...set(T0, RAM_BYTE),
    sd(T1, T0, 0),
    ...set(A7, SRST),
    ...set(A6, 0),
    ...set(A0, 0),
    ...set(A1, 0),
    ecall(),
    ...idle(),
  ]);
}

function image(words: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * words.length));
  for (const [i, word] of words.entries()) bytes.setUint32(4 * i, word, true);
  return new Uint8Array(bytes.buffer);
}

/** `rd` = `value`, an unsigned number of 32 bits: `lui` and `addiw`, and the upper half cleared, as both extend the sign. */
function set(rd: number, value: number): number[] {
  const low = ((value & 0xfff) ^ 0x800) - 0x800;
  const high = (value - low) & 0xffff_f000;
  return [high | (rd << 7) | 0x37, i(low, rd, 0, rd, 0x1b), i(32, rd, 1, rd, 0x13), i(32, rd, 5, rd, 0x13)];
}

function i(immediate: number, rs1: number, funct3: number, rd: number, opcode: number): number {
  return ((immediate & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
}

function s(immediate: number, rs2: number, rs1: number, funct3: number): number {
  const value = immediate & 0xfff;
  return ((value >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((value & 31) << 7) | 0x23;
}

function addi(rd: number, rs1: number, immediate: number): number {
  return i(immediate, rs1, 0, rd, 0x13);
}

function lbu(rd: number, rs1: number, offset: number): number {
  return i(offset, rs1, 4, rd, 0x03);
}

function sw(rs2: number, rs1: number, offset: number): number {
  return s(offset, rs2, rs1, 2);
}

function sd(rs2: number, rs1: number, offset: number): number {
  return s(offset, rs2, rs1, 3);
}

function csrr(rd: number, csr: number): number {
  return i(csr, ZERO, 2, rd, 0x73);
}

function ecall(): number {
  return 0x73;
}

/**
 * Waits for ever: `wfi`, and a jump back to it. Until QEMU has stopped a machine that is switched off its processor runs on, for
 * as long as the other threads of the host need, and all that it runs is counted: a processor that waits runs nothing.
 */
function idle(): number[] {
  return [0x1050_0073, 0xffdf_f06f];
}

/** From the top: bits 12, 10 to 5 of the offset; registers; bits 4 to 1, 11. */
function bne(rs1: number, rs2: number, offset: number): number {
  const bits = (from: number, width: number): number => (offset >> from) & ((1 << width) - 1);
  return (
    (bits(12, 1) << 31) |
    (bits(5, 6) << 25) |
    (rs2 << 20) |
    (rs1 << 15) |
    (1 << 12) |
    (bits(1, 4) << 8) |
    (bits(11, 1) << 7) |
    0x63
  );
}
