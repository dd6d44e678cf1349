import { QomObject } from "#qom";

/** Where an interrupt line ends: a pin of an interrupt controller or of a processor. */
export interface IrqInput {
  /** Told of every assertion, changed or not, as QEMU's handlers are. */
  set(level: boolean): void;
}

/** Told the number of an input and the level that was set on it. */
export type IrqHandler = (index: number, level: boolean) => void;

/** An interrupt input of a device, an object of its own in the composition tree (`unnamed-gpio-in[n]`). */
export class Irq extends QomObject implements IrqInput {
  static override readonly typeName = "irq";
  static override readonly instanceSize = 64;

  private handler: IrqHandler = () => {};
  private index = 0;

  handleWith(handler: IrqHandler, index: number): this {
    this.handler = handler;
    this.index = index;
    return this;
  }

  set(level: boolean): void {
    this.handler(this.index, level);
  }
}

/** An output of a device; unconnected until somebody connects it. */
export class IrqLine {
  /** What the device drives. */
  level = false;
  private input: IrqInput | null = null;

  /** Leads the line to `input`, which is told the present level if that is high. Null disconnects. */
  connect(input: IrqInput | null): void {
    this.input = input;
    if (this.level) input?.set(true);
  }

  set(level: boolean): void {
    this.level = level;
    this.input?.set(level);
  }

  raise(): void {
    this.set(true);
  }

  lower(): void {
    this.set(false);
  }
}
