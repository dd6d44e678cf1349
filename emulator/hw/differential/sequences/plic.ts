/** Claims and completions in and out of order, while the UART and the RTC raise and lower their lines. */
import { PLIC, RTC, UART } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

export function plic(random: Random, length: number): Step[] {
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  const context = random.below(2);
  const source = random.pick([UART.source, RTC.source, random.below(PLIC.sources)]);
  switch (random.below(12)) {
    case 0:
      return [write(PLIC.priority(source), 4, random.onceIn(8) ? random.value() : random.below(8))];
    case 1:
      return [write(PLIC.threshold(context), 4, random.onceIn(8) ? random.value() : random.below(4))];
    case 2:
      return [write(PLIC.enable(context, 0), 4, random.onceIn(3) ? random.value() : 0xffff_ffff)];
    case 3:
      return [write(PLIC.enable(context, random.below(4)), 4, random.value())];
    case 4:
      return [read(PLIC.claim(context), 4)];
    case 5:
      return [write(PLIC.claim(context), 4, random.onceIn(8) ? random.value() : source)];
    case 6:
      return [read(PLIC.claim(context), 4), write(PLIC.claim(context), 4, source)];
    case 7: // the transmitter is empty, so its interrupt follows its enable bit
      return [write(UART.ier, 1, random.pick([0, 2]))];
    case 8: // an alarm in 1970 is due at once
      return [write(RTC.irqEnabled, 4, 1), write(RTC.alarmHigh, 4, 0), write(RTC.alarmLow, 4, 1)];
    case 9:
      return [write(random.pick([RTC.clearInterrupt, RTC.irqEnabled]), 4, 0), read(UART.iir, 1)];
    case 10:
      return [read(PLIC.pending(random.below(4)), 4), clock(1000)];
    default:
      return [
        read(PLIC.priority(source), 4),
        read(PLIC.enable(context, random.below(4)), 4),
        read(PLIC.threshold(context), 4),
        random.onceIn(8) ? write(PLIC.pending(random.below(4)), 4, random.value()) : read(PLIC.pending(0), 4),
      ];
  }
}
