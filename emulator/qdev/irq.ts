/** Where an interrupt line ends: a pin of an interrupt controller or of a processor. */
export interface IrqInput {
  /** Told of every assertion, changed or not, as QEMU's handlers are. */
  set(level: boolean): void;
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
