/** Any access to anything: all windows and the holes near them, any offset, size and value. */
import type { AccessSize } from "#memory";
import { FINISHER, FINISHER_BYTES, FW_CFG, HOLES, RTC, WINDOWS } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

const SIZES: readonly [AccessSize, ...AccessSize[]] = [1, 2, 4, 8];

export function storm(random: Random, length: number): Step[] {
  return Array.from({ length }, () => {
    if (random.onceIn(64)) return clock(random.below(20_000));
    if (random.onceIn(400)) return { kind: "reset" };
    const address = anyAddress(random);
    if (random.onceIn(16)) return { kind: "readBytes", address, length: random.between(1, 40) };
    const size = random.pick(SIZES);
    if (random.onceIn(2)) return read(address, size);
    return write(address, size, harmless(address, size, random.value()));
  });
}

function anyAddress(random: Random): number {
  const window = random.onceIn(16) ? random.pick(HOLES) : random.pick(WINDOWS);
  const [first, ...others] = window.registers;
  if (first === undefined || random.onceIn(3)) return window.base + random.below(window.bytes);
  const register = random.pick([first, ...others]);
  return window.base + register + (random.onceIn(8) ? random.below(4) : 0);
}

/** Clears the bits of a value that would make a comparison impossible. */
function harmless(address: number, size: number, value: bigint): bigint {
  const touches = (base: number, bytes: number) => address + size > base && address < base + bytes;
  // No half word may be 0x3333, 0x5555 or 0x7777: these end or reset the machine.
  if (touches(FINISHER, FINISHER_BYTES)) return value & 0x0c0c_0c0c_0c0c_0c0cn;
  // QEMU's nanoseconds are signed: an alarm of 2^63 or more is in the past, and fires when its main loop gets to it.
  if (touches(RTC.alarmHigh, 4)) return value & 0x3f3f_3f3f_3f3f_3f3fn;
  // A request at a random address may have any length and keep QEMU busy for minutes; there is none at 0.
  if (touches(FW_CFG.dma, 8)) return 0n;
  return value;
}
