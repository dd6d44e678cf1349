/**
 * What changes the memory map, which is looked at again each time: flash that leaves and enters its array mode, and
 * resets. Between, transfers of all lengths, at any offset, that cross the bounds of windows and holes.
 */
import type { AccessSize } from "#memory";
import { FINISHER, FLASH, FW_CFG, HOLES, RTC, UART, VIRTIO, WINDOWS } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

/** Commands of both chips of a bank; the last two end in the array mode. */
const COMMANDS: readonly [number, ...number[]] = [0x70, 0x90, 0x98, 0x20, 0xe8, 0x60, 0xff, 0xf0];
const SIZES: readonly [AccessSize, ...AccessSize[]] = [1, 2, 4, 8];
/** Longer than the widest window between two holes that transfers start before: the UART, with its neighbours. */
const LONGEST = 40;

/** Where one window, or a hole, ends and the next thing begins. */
const BOUNDS: readonly [number, ...number[]] = [
  0x1_0000, // boot ROM
  RTC.timeLow,
  RTC.timeLow + 0x24,
  0x200_4000, // between the two parts of the ACLINT
  0x200_c000,
  0xc00_0000, // PLIC
  0xc60_0000,
  UART.data,
  UART.data + 8,
  VIRTIO.transport(0),
  VIRTIO.transport(0) + 0x200,
  VIRTIO.transport(7) + 0x200,
  FW_CFG.data + 8,
  FW_CFG.data + 10,
  FLASH.bank(0),
  FLASH.bank(1),
  FLASH.bank(2),
  0x9000_0000, // the end of RAM
];

export function maps(random: Random, length: number): Step[] {
  const steps: Step[] = [{ kind: "map" }];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  const bank = FLASH.bank(random.below(2));
  const word = bank + 4 * random.below(random.onceIn(2) ? 16 : 0x80_0000);
  const command = random.pick(COMMANDS);
  switch (random.below(10)) {
    case 0:
    case 1: // both chips, or the one of the low or high half, get a command
      return [
        write(word, 4, (command << 16) | command),
        { kind: "map" },
        read(word, random.pick(SIZES)),
        across(random, bank),
      ];
    case 2:
      return [write(word + random.below(4), random.pick(SIZES), command), { kind: "map" }];
    case 3:
      return [write(bank, 4, 0xff_00ff), { kind: "map" }, across(random, FLASH.bank(1))];
    case 4:
      return random.onceIn(6) ? [{ kind: "reset" }, { kind: "map" }, clock(1000)] : [];
    case 5: {
      // RAM up to its last byte, and what was written before.
      const address = 0x8010_0000 + random.below(0x1_0000);
      const bytes = Array.from({ length: random.between(1, LONGEST) }, () => random.below(256));
      return [
        { kind: "writeBytes", address, bytes },
        { kind: "readBytes", address: address - random.below(16), length: LONGEST + 16 },
      ];
    }
    case 6: {
      const { base, bytes } = random.pick(WINDOWS);
      if (base === FINISHER) return [];
      return [{ kind: "readBytes", address: base + random.below(bytes), length: random.between(1, LONGEST) }];
    }
    case 7: {
      const { base, bytes } = random.pick(HOLES);
      const address = base + random.below(bytes);
      return [write(address, random.pick(SIZES), random.value()), read(address, random.pick(SIZES))];
    }
    default:
      return [across(random, random.pick(BOUNDS))];
  }
}

/** A transfer that crosses a bound. */
function across(random: Random, bound: number): Step {
  const before = random.between(1, LONGEST - 1);
  return { kind: "readBytes", address: bound - before, length: before + random.between(1, LONGEST) };
}
