/** Comparator values around the present, halves of them, changes of the time, and software interrupts. */
import { ACLINT } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, moment, read, type Step, write } from "../script.ts";

export function aclint(random: Random, length: number): Step[] {
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return moment(ACLINT.mtimecmp(0), "mtime", nearby(random), random.pick(["low", "high"]));
    case 3:
      return [write(ACLINT.mtimecmp(0), 8, random.onceIn(2) ? random.value() : random.below(100_000))];
    case 4:
      return [write(ACLINT.mtimecmp(0) + 4, 4, random.onceIn(2) ? 0 : random.value())];
    case 5:
      return [read(ACLINT.mtimecmp(0), 8), read(ACLINT.mtimecmp(0), 4), read(ACLINT.mtimecmp(0) + 4, 4)];
    case 6:
      return [read(ACLINT.mtime, 8), read(ACLINT.mtime, 4), read(ACLINT.mtime + 4, 4)];
    case 7: // the time as if it had never been set, or close to that
      return random.onceIn(3)
        ? moment(ACLINT.mtime, "mtime", random.onceIn(2) ? 0 : nearby(random), "high")
        : [];
    case 8:
      return random.onceIn(8)
        ? [write(ACLINT.mtime + 4 * random.below(2), random.pick([4, 8]), random.value())]
        : [];
    case 9:
      return [write(ACLINT.msip(random.below(3)), 4, random.value()), read(ACLINT.msip(random.below(3)), 4)];
    default:
      return [clock(random.between(1, 15000) * 100)];
  }
}

/** Ticks: the present, just before or after it, or some milliseconds away. */
function nearby(random: Random): number {
  return random.onceIn(3) ? random.between(-1, 1) : random.between(-5000, 40_000);
}
