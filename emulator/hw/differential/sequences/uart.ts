/** What 16550A drivers do, and what none would do: divisors, FIFOs, loopback, interrupts, timeouts. */
import { PLIC, UART } from "../board.ts";
import type { Random } from "../random.ts";
import { clock, read, type Step, write } from "../script.ts";

const LOOPBACK = 0x10;
const DLAB = 0x80;
/** Bits per second for a divisor of 1, and for 0. */
const BAUD_BASE = 399_193;
const SLOWEST_BAUD = 3500;

export function uart(random: Random, length: number): Step[] {
  const steps: Step[] = [
    // Slow enough that a clock step is a fraction of the receive timeout, fast enough to wait for it.
    ...[write(UART.lcr, 1, DLAB), write(UART.data, 1, random.between(8, 48)), write(UART.ier, 1, 0)],
    write(UART.lcr, 1, random.below(0x40)),
    ...[write(UART.fcr, 1, fifoControl(random)), write(UART.mcr, 1, LOOPBACK)],
    ...[write(PLIC.priority(UART.source), 4, 1), write(PLIC.enable(0, 0), 4, 1 << UART.source)],
  ];
  while (steps.length < length) steps.push(...move(random));
  return steps;
}

function move(random: Random): Step[] {
  switch (random.below(17)) {
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
    case 5: // now and then more than the 16 that fit
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
      return [clock(random.between(1, 40) * 150_000)];
    case 12:
      return [write(UART.scratch, 1, random.below(256)), read(UART.scratch, 1)];
    case 13:
      return timeOut(random);
    case 14:
      return random.onceIn(3) ? typed(random) : [];
    case 15:
      return overrun(random);
    default:
      return [read(UART.data + random.below(8), random.pick([1, 2, 4]))];
  }
}

/** Mostly FIFOs on, with any trigger level. */
function fifoControl(random: Random): number {
  return random.onceIn(4) ? random.below(256) : 1 | (random.below(4) << 6) | (random.onceIn(4) ? 0x06 : 0);
}

/**
 * Fewer bytes than the trigger level, followed by silence: after four character times the receiver interrupts anyway.
 * The waits end just before and just after that, for all character formats.
 */
function timeOut(random: Random): Step[] {
  const control = random.below(0x40);
  const divisor = random.onceIn(8) ? 0 : random.between(8, 48);
  const bits = 1 + 5 + (control & 3) + (control & 8 ? 1 : 0) + (control & 4 ? 2 : 1);
  const silence = (4 * bits * 1e9) / (divisor === 0 ? SLOWEST_BAUD : BAUD_BASE / divisor);
  const look = [read(UART.iir, 1), read(PLIC.pending(0), 4)];
  return [
    ...[write(UART.lcr, 1, DLAB | control), write(UART.data, 1, divisor), write(UART.ier, 1, 0)],
    ...[write(UART.lcr, 1, control), write(UART.mcr, 1, LOOPBACK), write(UART.ier, 1, 0x01)],
    write(UART.fcr, 1, 0x07 | (random.between(1, 3) << 6)),
    ...[write(UART.data, 1, random.below(256)), write(UART.data, 1, random.below(256))],
    clock(silence * random.pick([0.2, 0.5])),
    ...(random.onceIn(2) ? [read(UART.data, 1)] : []), // restarts the timeout
    ...[clock(silence * random.pick([0.45, 0.75])), ...look],
    ...[clock(silence * random.pick([0.08, 0.12])), ...look],
    ...[clock(silence * random.pick([0.08, 0.5])), ...look],
    ...[read(UART.data, 1), ...look, clock(silence * 1.1), ...look],
  ];
}

/** One byte more than there is room for, with and without FIFOs. */
function overrun(random: Random): Step[] {
  const fifos = random.onceIn(2);
  return [
    ...[write(UART.lcr, 1, 0x03), write(UART.mcr, 1, LOOPBACK), write(UART.fcr, 1, fifos ? 0xc7 : 0x06)],
    write(UART.ier, 1, random.below(16)),
    ...Array.from({ length: fifos ? 17 : 2 }, () => write(UART.data, 1, random.below(256))),
    ...[read(UART.iir, 1), read(UART.lsr, 1), read(UART.iir, 1), read(UART.data, 1), read(UART.lsr, 1)],
  ];
}

/** The host sends at most as many bytes as the UART takes at once: the trigger level, or one without FIFOs. */
function typed(random: Random): Step[] {
  const level = random.below(5);
  const room = [1, 4, 8, 14][level] ?? 1;
  const count = random.between(1, room);
  const look = [
    read(UART.iir, 1),
    read(UART.lsr, 1),
    read(PLIC.claim(0), 4),
    write(PLIC.claim(0), 4, UART.source),
  ];
  return [
    ...[
      write(UART.lcr, 1, 0x03),
      write(UART.mcr, 1, random.below(LOOPBACK)),
      write(UART.ier, 1, random.below(16)),
    ],
    write(UART.fcr, 1, level < 4 ? 0x07 | (level << 6) : 0x06),
    ...[read(UART.data, 1), read(UART.lsr, 1)], // clears what is left from before
    { kind: "input", bytes: Array.from({ length: count }, () => random.below(256)) },
    ...[...look, clock(random.between(1, 40) * 150_000), ...look],
    ...Array.from({ length: count + random.below(2) }, () => read(UART.data, 1)),
    ...look,
  ];
}
