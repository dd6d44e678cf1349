/** 16550A UART, without a bus interface. Source: National Semiconductor PC16550D data sheet; quirks as in QEMU. */
import {
  type CharBackend,
  type CharDevice,
  Device,
  IrqLine,
  type Timer,
  uintProperty,
  type VmState,
} from "#qdev";
import { Fifo } from "./fifo.ts";

/** Registers. The first two access the divisor while `LCR_DLAB` is set. */
const DATA = 0;
const INTERRUPT_ENABLE = 1;
const INTERRUPT_IDENTIFICATION = 2;
const FIFO_CONTROL = 2;
const LINE_CONTROL = 3;
const MODEM_CONTROL = 4;
const LINE_STATUS = 5;
const MODEM_STATUS = 6;
const SCRATCH = 7;

const IER_RECEIVED = 0x01;
const IER_TRANSMITTER_EMPTY = 0x02;
const IER_LINE_STATUS = 0x04;
const IER_MODEM_STATUS = 0x08;

const IIR_NONE = 0x01;
const IIR_MODEM_STATUS = 0x00;
const IIR_TRANSMITTER_EMPTY = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_LINE_STATUS = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_ID = 0x0f;
const IIR_FIFOS_ENABLED = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVER = 0x02;
const FCR_CLEAR_TRANSMITTER = 0x04;
/** Bits that are stored; the others only trigger an action. */
const FCR_STORED = 0xc9;

const LCR_DLAB = 0x80;

const MCR_OUT2 = 0x08;
const MCR_LOOPBACK = 0x10;
const MCR_BITS = 0x1f;

const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_BREAK = 0x10;
const LSR_ERRORS = 0x1e;
const LSR_HOLDING_EMPTY = 0x20;
const LSR_TRANSMITTER_EMPTY = 0x40;

const MSR_CLEAR_TO_SEND = 0x10;
const MSR_DATA_SET_READY = 0x20;
const MSR_CARRIER = 0x80;
const MSR_DELTAS = 0x0f;

const FIFO_BYTES = 16;
/** Number of received bytes that raises the interrupt, by the two high bits of the FIFO control register. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

const NANOSECONDS_PER_SECOND = 1e9;
/** Bits per second for a divisor of 0. */
const SLOWEST_BAUD = 3500;
/** Silence, in character times, after which bytes below the trigger level raise an interrupt. */
const TIMEOUT_CHARACTERS = 4;

/**
 * As in QEMU, bytes are sent at once, so the transmitter never appears busy. The line speed matters only for the
 * receive timeout.
 */
export class Serial extends Device implements CharDevice {
  static override readonly typeName = "serial";
  static override readonly instanceSize: number = 376;
  static override readonly properties = [uintProperty<Serial>("baudbase", "uint32", "baudBase")];
  static override readonly vmState = {
    name: "serial",
    version: 1,
    fields: {
      irq: "irq",
      received: Fifo.vmFields,
      toTransmit: Fifo.vmFields,
      timeoutTimer: "timer",
      timeoutPending: "bool",
      transmitterPending: "bool",
      triggerLevel: "uint8",
      divisor: "uint16",
      receiveBuffer: "uint8",
      transmitHolding: "uint8",
      interruptEnable: "uint8",
      interruptIdentification: "uint8",
      fifoControl: "uint8",
      lineControl: "uint8",
      modemControl: "uint8",
      lineStatus: "uint8",
      modemStatus: "uint8",
      scratch: "uint8",
      characterTime: "int",
    },
  } as const satisfies VmState;

  /** Interrupt output; connected by the containing device. */
  readonly irq = new IrqLine();
  /** Bits per second for a divisor of 1. */
  baudBase = 115_200;
  private backend: CharBackend | null = null;
  private readonly received = new Fifo(FIFO_BYTES);
  private readonly toTransmit = new Fifo(FIFO_BYTES);
  private timeoutTimer: Timer | null = null;
  private timeoutPending = false;
  private transmitterPending = false;
  private triggerLevel = 0;
  private divisor = 0;
  private receiveBuffer = 0;
  private transmitHolding = 0;
  private interruptEnable = 0;
  private interruptIdentification = IIR_NONE;
  private fifoControl = 0;
  private lineControl = 0;
  private modemControl = 0;
  private lineStatus = 0;
  private modemStatus = 0;
  private scratch = 0;
  /** Duration of one character on the line, in nanoseconds. */
  private characterTime = 0;

  protected override realize(): void {
    this.timeoutTimer = this.clock.timer(() => this.timeOut());
    this.reset();
  }

  protected override unrealize(): void {
    this.timeoutTimer?.cancel();
    this.backend = null;
  }

  /** FIFO control and trigger level are not reset. */
  override reset(): void {
    this.receiveBuffer = 0;
    this.interruptEnable = 0;
    this.interruptIdentification = IIR_NONE;
    this.lineControl = 0;
    this.lineStatus = LSR_TRANSMITTER_EMPTY | LSR_HOLDING_EMPTY;
    this.modemStatus = MSR_CARRIER | MSR_DATA_SET_READY | MSR_CLEAR_TO_SEND;
    this.divisor = 12; // 9600 baud on a PC
    this.modemControl = MCR_OUT2;
    this.scratch = 0;
    this.characterTime = Math.floor(NANOSECONDS_PER_SECOND / 9600) * 10;
    this.timeoutPending = false;
    this.timeoutTimer?.cancel();
    this.received.clear();
    this.toTransmit.clear();
    this.transmitterPending = false;
    this.irq.lower();
    this.acceptInput();
  }

  // Host side.

  connect(backend: CharBackend | null): void {
    this.backend = backend;
  }

  /** With FIFOs, the bytes missing to the trigger level, or 1 above it: filling the FIFO would defeat the trigger. */
  canReceive(): number {
    if (!this.fifosEnabled) return (this.lineStatus & LSR_DATA_READY) === 0 ? 1 : 0;
    if (this.received.full) return 0;
    return this.received.length <= this.triggerLevel ? this.triggerLevel - this.received.length : 1;
  }

  receive(byte: number): void {
    if (this.fifosEnabled) {
      this.enqueue(byte);
      this.lineStatus |= LSR_DATA_READY;
      this.startTimeout();
    } else {
      if ((this.lineStatus & LSR_DATA_READY) !== 0) this.lineStatus |= LSR_OVERRUN;
      this.receiveBuffer = byte & 0xff;
      this.lineStatus |= LSR_DATA_READY;
    }
    this.updateIrq();
  }

  receiveBreak(): void {
    this.receiveBuffer = 0;
    this.enqueue(0);
    this.lineStatus |= LSR_BREAK | LSR_DATA_READY;
    this.updateIrq();
  }

  // Guest side.

  /** @param register 0 to 7. */
  readRegister(register: number): number {
    switch (register) {
      case DATA:
        return this.divisorAccess ? this.divisor & 0xff : this.readData();
      case INTERRUPT_ENABLE:
        return this.divisorAccess ? this.divisor >> 8 : this.interruptEnable;
      case INTERRUPT_IDENTIFICATION: {
        const value = this.interruptIdentification;
        if ((value & IIR_ID) === IIR_TRANSMITTER_EMPTY) {
          this.transmitterPending = false;
          this.updateIrq();
        }
        return value;
      }
      case LINE_CONTROL:
        return this.lineControl;
      case MODEM_CONTROL:
        return this.modemControl;
      case LINE_STATUS: {
        const value = this.lineStatus;
        if ((value & (LSR_BREAK | LSR_OVERRUN)) !== 0) {
          this.lineStatus &= ~(LSR_BREAK | LSR_OVERRUN);
          this.updateIrq();
        }
        return value;
      }
      case MODEM_STATUS:
        return this.readModemStatus();
      default:
        return this.scratch;
    }
  }

  /**
   * @param register 0 to 7.
   * @param value 0 to 255.
   */
  writeRegister(register: number, value: number): void {
    switch (register) {
      case DATA:
        if (this.divisorAccess) {
          this.divisor = (this.divisor & 0xff00) | value;
          this.updateSpeed();
        } else {
          this.writeData(value);
        }
        break;
      case INTERRUPT_ENABLE:
        if (this.divisorAccess) {
          this.divisor = (this.divisor & 0xff) | (value << 8);
          this.updateSpeed();
        } else {
          this.writeInterruptEnable(value & 0x0f);
        }
        break;
      case FIFO_CONTROL:
        this.writeFifoControl(value);
        break;
      case LINE_CONTROL:
        this.lineControl = value;
        this.updateSpeed();
        break;
      case MODEM_CONTROL:
        this.modemControl = value & MCR_BITS;
        this.acceptInput();
        break;
      case LINE_STATUS: // both read-only
      case MODEM_STATUS:
        break;
      case SCRATCH:
        this.scratch = value;
        break;
    }
  }

  private get divisorAccess(): boolean {
    return (this.lineControl & LCR_DLAB) !== 0;
  }

  private get fifosEnabled(): boolean {
    return (this.fifoControl & FCR_ENABLE) !== 0;
  }

  private get loopback(): boolean {
    return (this.modemControl & MCR_LOOPBACK) !== 0;
  }

  private readData(): number {
    let value: number;
    if (this.fifosEnabled) {
      value = this.received.pop();
      if (this.received.length === 0) this.lineStatus &= ~(LSR_DATA_READY | LSR_BREAK);
      else this.startTimeout();
      this.timeoutPending = false;
    } else {
      value = this.receiveBuffer;
      this.lineStatus &= ~(LSR_DATA_READY | LSR_BREAK);
    }
    this.updateIrq();
    this.acceptInput();
    return value;
  }

  private writeData(value: number): void {
    this.transmitHolding = value;
    if (this.fifosEnabled) {
      if (this.toTransmit.full) this.toTransmit.pop(); // an overrun loses the oldest byte
      this.toTransmit.push(value);
    }
    this.transmitterPending = false;
    this.lineStatus &= ~(LSR_HOLDING_EMPTY | LSR_TRANSMITTER_EMPTY);
    this.updateIrq();
    this.transmit();
  }

  private writeInterruptEnable(value: number): void {
    const changed = this.interruptEnable ^ value;
    this.interruptEnable = value;
    if ((changed & IER_TRANSMITTER_EMPTY) !== 0) {
      // Enabling it interrupts at once if there is room, even if a read of the identification register cleared it.
      this.transmitterPending =
        (value & IER_TRANSMITTER_EMPTY) !== 0 && (this.lineStatus & LSR_HOLDING_EMPTY) !== 0;
    }
    if (changed !== 0) this.updateIrq();
  }

  private writeFifoControl(written: number): void {
    let value = written;
    if (((value ^ this.fifoControl) & FCR_ENABLE) !== 0) value |= FCR_CLEAR_RECEIVER | FCR_CLEAR_TRANSMITTER;
    if ((value & FCR_CLEAR_RECEIVER) !== 0) {
      this.lineStatus &= ~(LSR_DATA_READY | LSR_BREAK);
      this.timeoutTimer?.cancel();
      this.timeoutPending = false;
      this.received.clear();
    }
    if ((value & FCR_CLEAR_TRANSMITTER) !== 0) {
      this.lineStatus |= LSR_HOLDING_EMPTY;
      this.transmitterPending = true;
      this.toTransmit.clear();
    }
    this.fifoControl = value & FCR_STORED;
    if (this.fifosEnabled) {
      this.interruptIdentification |= IIR_FIFOS_ENABLED;
      this.triggerLevel = TRIGGER_LEVELS[(value >> 6) as 0 | 1 | 2 | 3]; // value has 8 bits
    } else {
      this.interruptIdentification &= ~IIR_FIFOS_ENABLED;
    }
    this.updateIrq();
    this.acceptInput();
  }

  /** In loopback mode, the outputs are connected to the inputs, and the line's own inputs are ignored. */
  private readModemStatus(): number {
    if (this.loopback) {
      const outputs = this.modemControl;
      return ((outputs & 0x0c) << 4) | ((outputs & 0x02) << 3) | ((outputs & 0x01) << 5);
    }
    const value = this.modemStatus;
    if ((value & MSR_DELTAS) !== 0) {
      this.modemStatus &= ~MSR_DELTAS;
      this.updateIrq();
    }
    return value;
  }

  /** Sends everything that is queued. */
  private transmit(): void {
    do {
      let byte = this.transmitHolding;
      if (this.fifosEnabled) byte = this.toTransmit.pop();
      if (this.toTransmit.length === 0) this.lineStatus |= LSR_HOLDING_EMPTY;
      if ((this.lineStatus & LSR_HOLDING_EMPTY) !== 0 && !this.transmitterPending) {
        this.transmitterPending = true;
        this.updateIrq();
      }
      if (this.loopback) this.receive(byte);
      else this.backend?.write(byte);
    } while ((this.lineStatus & LSR_HOLDING_EMPTY) === 0);
    this.lineStatus |= LSR_TRANSMITTER_EMPTY;
  }

  private enqueue(byte: number): void {
    if (this.received.full) this.lineStatus |= LSR_OVERRUN;
    else this.received.push(byte);
  }

  /** Asks the host for input held back, if there is room; not in loopback, where the guest expects its own bytes. */
  private acceptInput(): void {
    if (!this.loopback && this.canReceive() > 0) this.backend?.acceptInput?.();
  }

  private startTimeout(): void {
    this.timeoutTimer?.set(this.clock.now() + this.characterTime * TIMEOUT_CHARACTERS);
  }

  private timeOut(): void {
    if (this.received.length === 0) return;
    this.timeoutPending = true;
    this.updateIrq();
  }

  /** Computes the character time, in single precision as in QEMU. */
  private updateSpeed(): void {
    const parityBits = (this.lineControl & 0x08) === 0 ? 0 : 1;
    const stopBits = (this.lineControl & 0x04) === 0 ? 1 : 2;
    const bits = 1 + (this.lineControl & 0x03) + 5 + parityBits + stopBits;
    const baud = this.divisor === 0 ? SLOWEST_BAUD : Math.fround(this.baudBase / this.divisor);
    this.characterTime = Math.floor(Math.fround(Math.fround(NANOSECONDS_PER_SECOND / baud) * bits));
  }

  /** Signals the most urgent of the enabled conditions, in the order of the data sheet's interrupt table. */
  private updateIrq(): void {
    const enabled = this.interruptEnable;
    let id = IIR_NONE;
    if ((enabled & IER_LINE_STATUS) !== 0 && (this.lineStatus & LSR_ERRORS) !== 0) {
      id = IIR_LINE_STATUS;
    } else if ((enabled & IER_RECEIVED) !== 0 && this.timeoutPending) {
      id = IIR_TIMEOUT;
    } else if (
      (enabled & IER_RECEIVED) !== 0 &&
      (this.lineStatus & LSR_DATA_READY) !== 0 &&
      (!this.fifosEnabled || this.received.length >= this.triggerLevel)
    ) {
      id = IIR_RECEIVED;
    } else if ((enabled & IER_TRANSMITTER_EMPTY) !== 0 && this.transmitterPending) {
      id = IIR_TRANSMITTER_EMPTY;
    } else if ((enabled & IER_MODEM_STATUS) !== 0 && (this.modemStatus & MSR_DELTAS) !== 0) {
      id = IIR_MODEM_STATUS;
    }
    this.interruptIdentification = id | (this.interruptIdentification & 0xf0);
    this.irq.set(id !== IIR_NONE);
  }
}
