/** What a driver of the 16550A does, and what none would: divisors, FIFOs, loopback, interrupts, time-outs. */
import { PLIC, UART } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

const LOOPBACK = 0x10;
const DLAB = 0x80;

export function uart(random: Random, length: number): Step[] {
  const steps: Step[] = [
    // The smallest divisors make time-outs of the receiver short enough to wait for.
    ...[write(UART.lcr, 1, DLAB), write(UART.data, 1, random.between(1, 3)), write(UART.ier, 1, 0)],
    write(UART.lcr, 1, random.below(0x40)),
    ...[write(UART.fcr, 1, fifoControl(random)), write(UART.mcr, 1, LOOPBACK)],
    ...[write(PLIC.priority(UART.source), 4, 1), write(PLIC.enable(0, 0), 4, 1 << UART.source)],
  ];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  switch (random.below(14)) {
    case 0:
      return [write(UART.lcr, 1, random.onceIn(8) ? random.below(256) : random.below(DLAB))];
    case 1: {
      const control = random.below(0x40);
      const divisor = [
        write(UART.data, 1, random.between(0, 4)),
        write(UART.ier, 1, random.onceIn(8) ? 1 : 0),
      ];
      return [
        write(UART.lcr, 1, control | DLAB),
        ...divisor,
        read(UART.data, 1),
        write(UART.lcr, 1, control),
      ];
    }
    case 2:
      return [write(UART.fcr, 1, fifoControl(random))];
    case 3:
      return [write(UART.ier, 1, random.onceIn(4) ? random.below(256) : random.below(16))];
    case 4:
      return [write(UART.mcr, 1, random.onceIn(3) ? random.below(256) : LOOPBACK | random.below(16))];
    case 5: // more than the 16 that fit now and then
      return Array.from({ length: random.between(1, 20) }, () => write(UART.data, 1, random.below(256)));
    case 6:
      return Array.from({ length: random.between(1, 20) }, () => read(UART.data, 1));
    case 7:
      return [read(UART.iir, 1), read(UART.iir, 1)];
    case 8:
      return [read(UART.lsr, 1)];
    case 9:
      return [read(UART.msr, 1)];
    case 10:
      return [read(PLIC.pending(0), 4), read(PLIC.claim(0), 4), write(PLIC.claim(0), 4, UART.source)];
    case 11:
      return [clock(random.between(1, 40) * 20_000)];
    case 12:
      return [write(UART.scratch, 1, random.below(256)), read(UART.scratch, 1)];
    default:
      return [read(UART.data + random.below(8), random.pick([1, 2, 4]))];
  }
}

/** Mostly FIFOs on, with any trigger level. */
function fifoControl(random: Random): number {
  return random.onceIn(4) ? random.below(256) : 1 | (random.below(4) << 6) | (random.onceIn(4) ? 0x06 : 0);
}
