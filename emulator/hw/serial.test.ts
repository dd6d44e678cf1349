import { describe, expect, test } from "vitest";
import type { CharDevice } from "#qdev";
import { loadTrees } from "./differential/trees.ts";
import { Probe, Rig } from "./testing/rig.ts";

const DATA = 0;
const IER = 1;
const IIR = 2;
const FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCRATCH = 7;

const DATA_READY = 0x01;
const OVERRUN = 0x02;
const BREAK = 0x10;
/** Holding register and transmitter are empty. */
const IDLE = 0x60;

const NO_INTERRUPT = 0x01;
const TRANSMITTER = 0x02;
const RECEIVED = 0x04;
const LINE = 0x06;
const TIMEOUT = 0x0c;
const FIFOS = 0xc0;

const LOOPBACK = 0x10;
const EIGHT_BITS = 0x03;
/** The default divisor is 12: 115200 / 12 = 9600 baud, 10 bits per character. */
const CHARACTER_NANOSECONDS = 1_041_660;

describe.each(await loadTrees())("serial-mm, $name", ({ tree }) => {
  function uart(properties = {}) {
    const rig = new Rig(tree);
    const device = rig.plug("serial-mm", properties);
    const irq = new Probe();
    device.connectIrq(0, irq);
    const line = device.child("serial") as unknown as CharDevice; // the UART in serial-mm is one
    const sent: number[] = [];
    let accepted = 0;
    line.connect({ write: (byte) => sent.push(byte), acceptInput: () => accepted++ });
    const read = (register: number) => rig.read(register, 1);
    const write = (register: number, value: number) => rig.write(register, value, 1);
    return { rig, line, irq, sent, read, write, accepted: () => accepted };
  }

  test("is idle after reset, at 9600 baud, without FIFOs", () => {
    const { read } = uart();
    expect([IER, IIR, LCR, MCR, LSR, MSR, SCRATCH].map(read)).toEqual([0, 0x01, 0, 0x08, IDLE, 0xb0, 0]);
  });

  test("keeps a scratch byte, and ignores writes to the status registers", () => {
    const { read, write } = uart();
    write(SCRATCH, 0x5a);
    write(LSR, 0);
    write(MSR, 0xff);
    expect([LSR, MSR, SCRATCH].map(read)).toEqual([IDLE, 0xb0, 0x5a]);
  });

  test("shows the divisor in place of data and interrupt enable while DLAB is set", () => {
    const { read, write } = uart();
    write(LCR, 0x80 | EIGHT_BITS);
    expect([read(DATA), read(IER)]).toEqual([12, 0]);
    write(DATA, 0x34);
    write(IER, 0x12);
    expect([read(DATA), read(IER)]).toEqual([0x34, 0x12]);
    write(LCR, EIGHT_BITS);
    expect(read(IER)).toBe(0);
  });

  test("sends at once, with and without FIFOs", () => {
    const { read, write, sent } = uart();
    write(DATA, 0x41);
    write(FCR, 0x01);
    write(DATA, 0x42);
    write(DATA, 0x43);
    expect(sent).toEqual([0x41, 0x42, 0x43]);
    expect(read(LSR)).toBe(IDLE);
  });

  test("interrupts when there is room to send, until the cause is read", () => {
    const { read, write, irq } = uart();
    write(IER, 0x02);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(TRANSMITTER);
    expect(irq.level).toBe(false);
    expect(read(IIR)).toBe(NO_INTERRUPT);
    write(DATA, 0x41);
    expect(irq.level).toBe(true);
  });

  test("interrupts again when the interrupt is re-enabled", () => {
    const { read, write, irq } = uart();
    write(IER, 0x02);
    read(IIR);
    write(IER, 0x02);
    expect(irq.level).toBe(false); // nothing changed
    write(IER, 0x00);
    write(IER, 0x02);
    expect(irq.level).toBe(true);
  });

  test("receives a byte and interrupts until it is read", () => {
    const { read, write, irq, line, accepted } = uart();
    write(IER, 0x01);
    expect(line.canReceive()).toBe(1);
    line.receive(0x61);
    expect(line.canReceive()).toBe(0);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(RECEIVED);
    expect(read(LSR)).toBe(IDLE | DATA_READY);
    expect(read(DATA)).toBe(0x61);
    expect(irq.level).toBe(false);
    expect(read(LSR)).toBe(IDLE);
    expect(accepted()).toBe(1);
  });

  test("without FIFOs an overrun replaces the byte, and is reported once", () => {
    const { read, write, irq, line } = uart();
    write(IER, 0x04);
    line.receive(1);
    expect(irq.level).toBe(false);
    line.receive(2);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(LINE);
    expect(read(LSR)).toBe(IDLE | DATA_READY | OVERRUN);
    expect(irq.level).toBe(false);
    expect(read(LSR)).toBe(IDLE | DATA_READY);
    expect(read(DATA)).toBe(2);
  });

  test("with FIFOs an overrun loses the new byte, and keeps the previous sixteen", () => {
    const { read, write, line } = uart();
    write(FCR, 0x01);
    for (let byte = 1; byte <= 18; byte++) line.receive(byte);
    expect(read(LSR)).toBe(IDLE | DATA_READY | OVERRUN);
    expect(Array.from({ length: 17 }, () => read(DATA))).toEqual([
      ...Array.from({ length: 16 }, (_, index) => index + 1),
      0,
    ]);
    expect(read(LSR)).toBe(IDLE);
  });

  test.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])("with FIFO control 0x%s interrupts at %d bytes", (control, level) => {
    const { read, write, irq, line } = uart();
    write(IER, 0x01);
    write(FCR, control);
    expect(line.canReceive()).toBe(level);
    for (let count = 1; count < level; count++) line.receive(count);
    expect(irq.level).toBe(false);
    expect(line.canReceive()).toBe(1);
    line.receive(level);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(FIFOS | RECEIVED);
    read(DATA);
    expect(irq.level).toBe(false);
  });

  test("interrupts for bytes below the trigger level after a silence of four characters", () => {
    const { rig, read, write, irq, line } = uart();
    write(IER, 0x01);
    write(FCR, 0x81);
    line.receive(1);
    rig.advance(3 * CHARACTER_NANOSECONDS);
    line.receive(2);
    rig.advance(4 * CHARACTER_NANOSECONDS - 1);
    expect(irq.level).toBe(false);
    rig.advance(1);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(FIFOS | TIMEOUT);
    expect(read(DATA)).toBe(1);
    expect(irq.level).toBe(false); // and waits again for the remaining byte
    rig.advance(4 * CHARACTER_NANOSECONDS);
    expect(read(IIR)).toBe(FIFOS | TIMEOUT);
    read(DATA);
    rig.advance(10 * CHARACTER_NANOSECONDS);
    expect(irq.level).toBe(false);
  });

  test("computes the timeout from divisor and frame format", () => {
    const { rig, write, irq, line } = uart();
    write(LCR, 0x80 | 0x0f); // eight bits, parity, two stop bits: 12 with the start bit
    write(DATA, 1); // 115200 baud
    write(LCR, 0x0f);
    write(IER, 0x01);
    write(FCR, 0x81);
    line.receive(1);
    rig.advance(4 * 104_100);
    expect(irq.level).toBe(false);
    rig.advance(4 * 100);
    expect(irq.level).toBe(true);
  });

  test("clears FIFOs on demand, and both when they are switched on or off", () => {
    const { rig, read, write, irq, line } = uart();
    write(FCR, 0x81);
    write(IER, 0x01);
    line.receive(1);
    write(FCR, 0x83);
    expect(read(LSR)).toBe(IDLE);
    rig.advance(100 * CHARACTER_NANOSECONDS);
    expect(irq.level).toBe(false);
    line.receive(2);
    write(FCR, 0x00);
    expect(read(LSR)).toBe(IDLE);
    expect(read(IIR)).toBe(NO_INTERRUPT);
    write(IER, 0x02);
    read(IIR);
    write(FCR, 0x04); // clearing the transmitter makes room
    expect(read(IIR)).toBe(TRANSMITTER);
  });

  test("reports the most urgent interrupt first", () => {
    const { rig, read, write, line } = uart();
    write(FCR, 0x81);
    write(IER, 0x0f);
    line.receive(1);
    rig.advance(4 * CHARACTER_NANOSECONDS);
    line.receiveBreak();
    expect(read(IIR)).toBe(FIFOS | LINE);
    read(LSR);
    expect(read(IIR)).toBe(FIFOS | TIMEOUT);
    read(DATA);
    expect(read(IIR)).toBe(FIFOS | TRANSMITTER);
    expect(read(IIR)).toBe(FIFOS | NO_INTERRUPT);
  });

  test("receives a break as a zero byte", () => {
    const { read, line } = uart();
    line.receiveBreak();
    expect(read(LSR)).toBe(IDLE | DATA_READY | BREAK);
    expect(read(LSR)).toBe(IDLE | DATA_READY);
    expect(read(DATA)).toBe(0);
  });

  test("in loopback receives what it sends, and connects modem outputs to inputs", () => {
    const { read, write, sent, accepted } = uart();
    write(MCR, LOOPBACK);
    write(DATA, 0x55);
    expect(read(LSR)).toBe(IDLE | DATA_READY);
    expect(read(DATA)).toBe(0x55);
    expect([sent, accepted()]).toEqual([[], 0]);
    const seen = [0, 1, 2, 4, 8, 0x0f].map((outputs) => {
      write(MCR, LOOPBACK | outputs);
      return read(MSR);
    });
    expect(seen).toEqual([0, 0x20, 0x10, 0x40, 0x80, 0xf0]); // DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD
    write(MCR, 0xe0);
    expect([read(MCR), read(MSR)]).toEqual([0, 0xb0]);
  });

  test("asks the host for more whenever there is room again", () => {
    const { rig, read, write, line, accepted } = uart();
    const requests = (act: () => void) => {
      const before = accepted();
      act();
      return accepted() - before;
    };
    line.receive(1);
    expect(requests(() => read(LSR))).toBe(0);
    expect(requests(() => read(DATA))).toBe(1);
    line.receive(2);
    expect(requests(() => write(FCR, 0x01))).toBe(1); // FIFOs, empty
    line.receive(3);
    expect(requests(() => write(FCR, 0x03))).toBe(1);
    line.receive(4);
    expect(requests(() => write(FCR, 0x41))).toBe(1); // a higher trigger level
    expect(requests(() => write(MCR, LOOPBACK))).toBe(0);
    expect(requests(() => write(MCR, 0))).toBe(1);
    expect(requests(() => rig.model.systemBus.reset())).toBe(1);
  });

  test("treats accesses of any size as byte accesses", () => {
    const { rig, read, sent } = uart();
    rig.write(DATA, 0x4443_4241);
    rig.write64(DATA, 0x4847_4645_4443_4245n);
    expect(sent).toEqual([0x41, 0x45]);
    expect(rig.read(4)).toBe(0x08);
    expect(rig.read64(0)).toBe(0n);
    expect(read(LSR)).toBe(IDLE);
  });

  test("spreads its registers by regshift", () => {
    const { rig } = uart({ regshift: 2 });
    rig.write(SCRATCH << 2, 0x77);
    expect(rig.read(SCRATCH << 2, 1)).toBe(0x77);
    expect(rig.read(LSR << 2)).toBe(IDLE);
  });

  test("drops received bytes, and keeps FIFO control, at reset", () => {
    const { rig, read, write, line } = uart();
    write(FCR, 0x81);
    write(IER, 0x0f);
    write(SCRATCH, 9);
    line.receive(1);
    rig.model.systemBus.reset();
    expect([IER, LCR, MCR, LSR, MSR, SCRATCH].map(read)).toEqual([0, 0, 0x08, IDLE, 0xb0, 0]);
    expect(line.canReceive()).toBe(8);
  });
});
