/** Items read byte by byte and in larger pieces, and valid and invalid DMA requests. */
import type { AccessSize } from "#memory";
import { FW_CFG } from "../board.ts";
import type { Random } from "../random.ts";
import { read, type Step, write } from "../script.ts";

/** In RAM that no other sequence uses. */
const REQUEST = 0x8020_0000;
const TARGET = 0x8020_1000;
/** After the flash, unassigned on both sides. */
const NOWHERE = 0x2400_0000;

/** Signature, version, UUID, processors, directory, files, and numbers that are not items. */
const ITEMS: readonly [number, ...number[]] = [
  0, 1, 2, 5, 0x19, 0x20, 0x21, 0x22, 0x23, 0x1a, 0x8001, 0xffff,
];
const SIZES: readonly [AccessSize, ...AccessSize[]] = [1, 2, 4, 8];

export function fwCfg(random: Random, length: number): Step[] {
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  switch (random.below(6)) {
    case 0:
      return [select(random.pick(ITEMS))];
    case 1:
    case 2:
      return Array.from({ length: random.between(1, 12) }, () => read(FW_CFG.data, random.pick(SIZES)));
    case 3:
      return [
        write(FW_CFG.data, random.pick(SIZES), random.value()), // has no effect
        write(FW_CFG.selector, random.pick([1, 4]), random.value()), // nor has this: it accepts only two bytes
        read(FW_CFG.selector, 2),
        read(FW_CFG.data + random.below(8), random.pick(SIZES)),
        read(FW_CFG.dma + random.below(8), random.pick([1, 2, 4])),
      ];
    default:
      return request(random);
  }
}

function select(item: number): Step {
  return write(FW_CFG.selector, 2, swap16(item));
}

/** A request, and reads of all that it may have changed. Skips, reads and writes, with or without selecting an item. */
function request(random: Random): Step[] {
  const command = random.pick([0, 2, 4, 8, 10, 12, 16, 24, random.below(32)]);
  const control = random.pick(ITEMS) * 0x1_0000 + command;
  const length = random.onceIn(8) ? 0 : random.between(1, 96);
  const target = random.onceIn(10) ? NOWHERE : TARGET + random.below(16);
  const start =
    random.below(2) === 0
      ? [write(FW_CFG.dma, 8, swap64(REQUEST))]
      : [write(FW_CFG.dma, 4, 0), write(FW_CFG.dma + 4, 4, swap32(REQUEST))];
  return [
    write(REQUEST, 4, swap32(control)),
    write(REQUEST + 4, 4, swap32(length)),
    write(REQUEST + 8, 8, swap64(target)),
    ...start,
    read(REQUEST, 4),
    ...Array.from({ length: 4 }, () => read(TARGET + 8 * random.below(14), 8)),
    read(FW_CFG.data, 1), // shows how far the offset advanced
  ];
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}

function swap32(value: number): bigint {
  return swap64(value) >> 32n;
}

function swap64(value: number): bigint {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value));
  return bytes.getBigUint64(0, true);
}
