/** Any access to anything: all windows and the holes beside them, any offset, size and value. */
import { FINISHER, FINISHER_BYTES, HOLES, WINDOWS } from "../board.ts";
import type { Random } from "../random.ts";
import { type AccessSize, clock, read, type Step, write } from "../script.ts";

const SIZES: readonly [AccessSize, ...AccessSize[]] = [1, 2, 4, 8];

export function storm(random: Random, length: number): Step[] {
  return Array.from({ length }, () => {
    if (random.onceIn(64)) return clock(random.below(20_000));
    const address = anyAddress(random);
    const size = random.pick(SIZES);
    if (random.onceIn(2)) return read(address, size);
    const value = random.value();
    return write(address, size, touchesFinisher(address, size) ? harmless(value) : value);
  });
}

function anyAddress(random: Random): number {
  const window = random.onceIn(16) ? random.pick(HOLES) : random.pick(WINDOWS);
  const [first, ...others] = window.registers;
  if (first === undefined || random.onceIn(3)) return window.base + random.below(window.bytes);
  const register = random.pick([first, ...others]);
  return window.base + register + (random.onceIn(8) ? random.below(4) : 0);
}

function touchesFinisher(address: number, size: number): boolean {
  return address + size > FINISHER && address < FINISHER + FINISHER_BYTES;
}

/** No half word of the result is 0x3333, 0x5555 or 0x7777, the commands that end or reset the machine. */
function harmless(value: bigint): bigint {
  return value & 0x0f0f_0f0f_0f0f_0f0fn & ~0x0303_0303_0303_0303n;
}
