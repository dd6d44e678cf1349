/** Alarms before, at and after the present, and a clock that is set. */
import { PLIC, RTC } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, RTC_BASE_SECONDS, read, type Step, write } from "../script.ts";

export function rtc(random: Random, length: number): Step[] {
  const steps: Step[] = [
    write(PLIC.priority(RTC.source), 4, 1),
    write(PLIC.enable(0, 0), 4, 1 << RTC.source),
  ];
  /** Nanoseconds that the script has let pass. */
  let now = 0;
  while (steps.length < length) {
    const next = move(random, BigInt(RTC_BASE_SECONDS) * 1_000_000_000n + BigInt(now));
    for (const step of next) if (step.kind === "clock") now += step.nanoseconds;
    steps.push(...next);
  }
  return steps;
}

function move(random: Random, present: bigint): Step[] {
  switch (random.below(12)) {
    case 0:
    case 1: {
      const when = present + BigInt(random.between(-1000, 4000)) * 1000n;
      return [write(RTC.alarmHigh, 4, when >> 32n), write(RTC.alarmLow, 4, when)];
    }
    case 2:
      return [write(RTC.irqEnabled, 4, random.onceIn(8) ? random.value() : random.below(2))];
    case 3:
      return [write(RTC.clearInterrupt, 4, random.value())];
    case 4:
      return [write(RTC.clearAlarm, 4, random.value())];
    case 5:
      return [read(RTC.timeLow, 4), read(RTC.timeHigh, 4)];
    case 6:
      return [read(RTC.alarmLow, 4), read(RTC.alarmHigh, 4), read(RTC.irqEnabled, 4)];
    case 7:
      return [read(PLIC.pending(0), 4), read(PLIC.claim(0), 4), write(PLIC.claim(0), 4, RTC.source)];
    case 8: {
      // a little forward or back, and now and then somewhere else
      const to = random.onceIn(8)
        ? random.value() >> 2n
        : present + BigInt(random.between(-1000, 1000)) * 1000n;
      return [write(RTC.timeHigh, 4, to >> 32n), write(RTC.timeLow, 4, to)];
    }
    case 9:
      return [read(RTC.timeLow + 4 * random.below(9), 4)];
    default:
      return [clock(random.between(1, 1500) * 1000), read(RTC.alarmStatus, 4)];
  }
}
