/** The monitor's `x` and `xp`: dump memory in a format such as /8xw, laid out as in QEMU. */
import { disassemble, type RiscvHart } from "#cpu/riscv";
import { tableOf } from "#host";
import type { Emulation } from "#machine";
import { MemTxResult } from "#memory";
import { readVirtual } from "./guest-memory.ts";

export type Space = "virtual" | "physical";

const SIZES = tableOf<number>({ b: 1, h: 2, w: 4, g: 8 });
const LINE_BYTES = 16;
/** Largest dump: a larger one would block the machine, and the debugger that requested it, for seconds. */
const MOST_BYTES = 2 ** 16;
/** The same limit for disassembly. */
const MOST_INSTRUCTIONS = 4096;

/** A parsed format: the number of items, the format letter, and the size of an item in bytes. */
interface Format {
  readonly count: number;
  readonly letter: string;
  readonly size: number;
}

export function examine(
  emulation: Emulation,
  hart: RiscvHart,
  words: readonly string[],
  space: Space,
): string {
  const [first = ""] = words;
  const formatText = first.startsWith("/") ? first : "/";
  const format = parseFormat(formatText);
  if (format === undefined) return `invalid char in format: '${formatText.slice(1)}'\n`;
  const address = parseAddress(hart, words.slice(formatText === first ? 1 : 0).join(""));
  const advice = `Try "help ${space === "virtual" ? "x" : "xp"}" for more information\n`;
  if (address === undefined) return `unknown register or number\n${advice}`;
  if (address === "too large") return `number too large\n${advice}`;
  const read = (at: bigint, length: number): Buffer =>
    space === "virtual" ? readVirtual(emulation, hart, at, length) : readPhysical(emulation, at, length);
  return format.letter === "i" ? listInstructions(read, address, format.count) : list(read, address, format);
}

type Read = (address: bigint, length: number) => Buffer;

function list(read: Read, address: bigint, { count, letter, size: wanted }: Format): string {
  const size = letter === "c" ? 1 : wanted;
  const total = Math.min(count * wanted, MOST_BYTES);
  const lineBytes = size === 1 && letter !== "c" ? LINE_BYTES / 2 : LINE_BYTES;
  const lines: string[] = [];
  for (let done = 0; done < total; done += lineBytes) {
    const at = BigInt.asUintN(64, address + BigInt(done));
    const length = Math.min(lineBytes, total - done);
    const bytes = read(at, length);
    if (bytes.length < length) {
      lines.push(cannotAccess(at));
      return `${lines.join("\n")}\n`;
    }
    const cells = Array.from({ length: length / size }, (_, index) =>
      cell(bytes, index * size, letter, size),
    );
    lines.push(`${hex64(at)}: ${cells.join(" ")}`);
  }
  if (total < count * wanted) lines.push(`at most ${MOST_BYTES} bytes at a time`);
  return `${lines.join("\n")}\n`;
}

function listInstructions(read: Read, address: bigint, count: number): string {
  const lines: string[] = [];
  const most = Math.min(count, MOST_INSTRUCTIONS);
  for (let at = address; lines.length < most; ) {
    const bytes = read(at, 2);
    const low = bytes.length < 2 ? 0 : bytes.readUInt16LE();
    const length = (low & 3) === 3 ? 4 : 2;
    const all = length === 2 ? bytes : read(at, 4);
    if (all.length < length) {
      lines.push(cannotAccess(at));
      return `${lines.join("\n")}\n`;
    }
    const word = length === 2 ? low : all.readInt32LE();
    const [name = "", operands = ""] = disassemble(word, at).split("\t");
    const code = (word >>> 0).toString(16).padStart(2 * length, "0");
    lines.push(`0x${hex64(at)}:  ${code.padEnd(8)}          ${name.padEnd(23)} ${operands}`.trimEnd());
    at = BigInt.asUintN(64, at + BigInt(length));
  }
  if (most < count) lines.push(`at most ${MOST_INSTRUCTIONS} instructions at a time`);
  return `${lines.join("\n")}\n`;
}

/** Formats one item, padded to the width of the largest value in that base. */
function cell(bytes: Buffer, at: number, letter: string, size: number): string {
  const unsigned = Array.from({ length: size }, (_, index) => index).reduce(
    (value, index) => value | (BigInt(bytes[at + index] ?? 0) << BigInt(8 * index)),
    0n,
  );
  const bits = 8 * size;
  switch (letter) {
    case "x":
      return `0x${unsigned.toString(16).padStart(2 * size, "0")}`;
    case "o":
      return (unsigned === 0n ? "0" : `0${unsigned.toString(8)}`).padStart(Math.ceil(bits / 3));
    case "u":
      return String(unsigned).padStart(Math.ceil(bits * Math.log10(2)));
    case "c":
      return character(Number(unsigned));
    default: // d: like QEMU, treats only doublewords as signed
      return String(BigInt.asIntN(64, unsigned)).padStart(Math.ceil(bits * Math.log10(2)));
  }
}

function character(code: number): string {
  const named: Readonly<Record<number, string>> = { 9: "\\t", 10: "\\n", 13: "\\r", 39: "\\'", 92: "\\\\" };
  const text = named[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : undefined);
  return `'${text ?? `\\x${code.toString(16).padStart(2, "0")}`}'`;
}

function readPhysical(emulation: Emulation, address: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (address >= 2n ** 53n) return bytes.subarray(0, 0);
  const result = emulation.board.memorySpace.readBytes(Number(address), bytes);
  return result === MemTxResult.Ok ? bytes : bytes.subarray(0, 0);
}

function parseFormat(text: string): Format | undefined {
  const [, count = "", letters = ""] = /^\/(\d*)([a-z]*)$/.exec(text) ?? [];
  if (text !== `/${count}${letters}`) return undefined;
  let letter = "x";
  let size = 4;
  for (const each of letters) {
    const bytes = SIZES.get(each);
    if (bytes !== undefined) size = bytes;
    else if ("xduoci".includes(each)) letter = each;
    else return undefined;
  }
  return { count: count === "" ? 1 : Number(count), letter, size };
}

/** A sum or difference of numbers and `$pc`. */
function parseAddress(hart: RiscvHart, text: string): bigint | "too large" | undefined {
  if (!/^[+-]?[^+-]+([+-][^+-]+)*$/.test(text)) return undefined;
  let sum = 0n;
  for (const [, sign, term = ""] of text.matchAll(/([+-]?)([^+-]+)/g)) {
    const value = term === "$pc" ? hart.pc : /^(0x[0-9a-f]+|\d+)$/i.test(term) ? BigInt(term) : undefined;
    if (value === undefined) return undefined;
    if (value >= 2n ** 64n) return "too large";
    sum += sign === "-" ? -value : value;
  }
  return BigInt.asUintN(64, sum);
}

function cannotAccess(address: bigint): string {
  return `${hex64(address)}: Cannot access memory`;
}

function hex64(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
