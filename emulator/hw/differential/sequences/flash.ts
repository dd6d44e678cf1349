/** Complete and unfinished flash commands, and wrong second cycles, in a few blocks of both banks. */
import type { AccessSize } from "#memory";
import { FLASH } from "../board.ts";
import type { Random } from "../random.ts";
import { read, type Step, write } from "../script.ts";

/** Two chips side by side get the same command. */
const both = (command: number) => (command << 16) | command;

const COMMANDS: readonly [number, ...number[]] = [
  0x00, 0x01, 0x10, 0x20, 0x28, 0x2f, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xb0, 0xc0, 0xd0, 0xe8, 0xf0, 0xff,
];

/** Sizes of accesses to the array that the bus does not split further. */
const SIZES: readonly [AccessSize, ...AccessSize[]] = [1, 2, 4, 4, 4, 8];

export function flash(random: Random, length: number): Step[] {
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  const block = FLASH.bank(random.below(2)) + FLASH.blockBytes * random.pick([0, 1, FLASH.blocks - 1]);
  const word = block + 4 * random.below(random.onceIn(4) ? FLASH.blockBytes / 4 : 64);
  const array = write(block, 4, both(0xff));
  switch (random.below(12)) {
    case 0:
      return [write(word, 4, both(0x20)), write(word, 4, both(0xd0)), read(word, 4), array];
    case 1:
    case 2:
      return [
        write(word, 4, both(random.pick([0x40, 0x10]))),
        write(word, 4, random.word()),
        read(word, 4),
        array,
      ];
    case 3:
      return [...buffered(random, word), read(word, 4), array];
    case 4:
      return [write(block, 4, both(0x98)), ...somewhere(random, block, 12), array];
    case 5:
      return [write(block, 4, both(0x90)), ...somewhere(random, block, 4), array];
    case 6:
      return [write(word, 4, both(0x70)), ...somewhere(random, block, 2), write(word, 4, both(0x50)), array];
    case 7:
      return [
        write(word, 4, both(0x60)),
        write(word, 4, both(random.pick([0x01, 0xd0, 0x2f]))),
        read(word, 4),
      ];
    case 8: // any command to one chip or both, not followed up
      return [write(word, random.pick([1, 2, 4]), both(random.pick(COMMANDS)))];
    case 9:
      return [write(word, random.pick(SIZES), random.value())];
    default:
      return somewhere(random, block, 4);
  }
}

function buffered(random: Random, word: number): Step[] {
  const count = random.between(1, random.onceIn(8) ? 600 : 16);
  const start = random.onceIn(2) ? word - (word % 64) : word;
  return [
    ...[write(start, 4, both(0xe8)), read(start, 4), write(start, 4, both(count - 1))],
    ...Array.from({ length: count }, (_, i) => write(start + 4 * i, 4, random.word())),
    write(start, 4, both(random.onceIn(8) ? 0xff : 0xd0)),
  ];
}

function somewhere(random: Random, block: number, count: number): Step[] {
  return Array.from({ length: count }, () => read(block + random.below(0x140), random.pick(SIZES)));
}
