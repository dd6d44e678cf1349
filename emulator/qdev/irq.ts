import { QomObject } from "#qom";

/** The end of an interrupt line: a pin of an interrupt controller or of a processor. */
export interface IrqInput {
  /** Called whenever the level is set, changed or not, like QEMU's handlers. */
  set(level: boolean): void;
}

/** Called with the number of an input and the level set on it. */
export type IrqHandler = (index: number, level: boolean) => void;

/** An interrupt input of a device: an object in the composition tree (`unnamed-gpio-in[n]`). */
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

/** An output of a device, initially unconnected. */
export class IrqLine {
  /** The level that the device drives. */
  level = false;
  private input: IrqInput | null = null;

  /** Connects the line to `input`, which is told the current level if it is high. Null disconnects. */
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
