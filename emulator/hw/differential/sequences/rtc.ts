/** Alarms before, at and after the present, and changes of the time. */
import { PLIC, RTC } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, moment, read, type Step, write } from "../script.ts";

export function rtc(random: Random, length: number): Step[] {
  const steps: Step[] = [
    write(PLIC.priority(RTC.source), 4, 1),
    write(PLIC.enable(0, 0), 4, 1 << RTC.source),
  ];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  switch (random.below(13)) {
    case 0:
    case 1: // the low half arms it
      return moment(RTC.alarmLow, "rtc", nearby(random), "high");
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
    case 8: // the time as if it had never been set, or close to that
      return random.onceIn(2)
        ? moment(RTC.timeLow, "rtc", random.onceIn(2) ? 0 : nearby(random), "high")
        : [];
    case 12: // some other time, keeping one half
      return random.onceIn(8)
        ? [write(random.pick([RTC.timeLow, RTC.timeHigh]), 4, random.value() >> 2n)]
        : [];
    case 9:
      return [read(RTC.timeLow + 4 * random.below(9), 4)];
    default:
      return [clock(random.between(1, 1500) * 1000), read(RTC.alarmStatus, 4)];
  }
}

/** Nanoseconds: the present, just before or after it, or some milliseconds away. */
function nearby(random: Random): number {
  return random.onceIn(3) ? random.between(-1, 1) : random.between(-1_000_000, 4_000_000);
}
