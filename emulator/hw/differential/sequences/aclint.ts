/** Compare values around the present, halves of them, a time that is set, and the software interrupt. */
import { ACLINT } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

export function aclint(random: Random, length: number): Step[] {
  const steps: Step[] = [];
  /** Ticks that the script has let pass; a time set by it is not followed. */
  let now = 0;
  while (steps.length < length) {
    const next = move(random, now);
    for (const step of next) if (step.kind === "clock") now += step.nanoseconds / ACLINT.tick;
    steps.push(...next);
  }
  return steps;
}

function move(random: Random, now: number): Step[] {
  const soon = BigInt(Math.max(0, Math.floor(now) + random.between(-5000, 40000)));
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return [write(ACLINT.mtimecmp(0), 8, random.onceIn(8) ? random.value() : soon)];
    case 3:
      return [write(ACLINT.mtimecmp(0), 4, soon), write(ACLINT.mtimecmp(0) + 4, 4, soon >> 32n)];
    case 4:
      return [write(ACLINT.mtimecmp(0) + 4, 4, random.onceIn(2) ? 0 : random.value())];
    case 5:
      return [read(ACLINT.mtimecmp(0), 8), read(ACLINT.mtimecmp(0), 4), read(ACLINT.mtimecmp(0) + 4, 4)];
    case 6:
      return [read(ACLINT.mtime, 8), read(ACLINT.mtime, 4), read(ACLINT.mtime + 4, 4)];
    case 7:
      return random.onceIn(3) ? [write(ACLINT.mtime, 8, random.onceIn(2) ? soon : random.value())] : [];
    case 8:
      return random.onceIn(3) ? [write(ACLINT.mtime + 4 * random.below(2), 4, random.below(50000))] : [];
    case 9:
      return [write(ACLINT.msip(random.below(3)), 4, random.value()), read(ACLINT.msip(random.below(3)), 4)];
    default:
      return [clock(random.between(1, 15000) * 100)];
  }
}
