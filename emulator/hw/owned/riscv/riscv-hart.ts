/** A hart's place on the board: what it addresses and which interrupts reach it. Who executes is plugged in. */
import { AddressSpace } from "#memory";
import { Device, type HartPort, type InterruptNumber, type VmState } from "#qdev";
import { QomAbort } from "#qom";

/** Inputs for the standard interrupts and for those of guests' hypervisors; the latter lead nowhere. */
const INPUTS = 79;
/** Causes that boards drive: software, timer and external interrupts of supervisor and machine mode. */
const CAUSES: readonly InterruptNumber[] = [1, 3, 5, 7, 9, 11];

export class RiscvHart extends Device {
  static override readonly typeName = "rv64-riscv-cpu";
  /** Roughly: most of it is the state of who executes. */
  static override readonly instanceSize: number = 20_000;
  static override readonly vmState = {
    name: "rv64-riscv-cpu",
    version: 1,
    fields: { levels: "int" },
  } as const satisfies VmState;

  hartId = 0;
  private port: HartPort | null = null;
  private addressSpace: AddressSpace | null = null;
  /** Levels of the inputs, a bit per cause. */
  private levels = 0;

  protected override realize(): void {
    this.initGpioIn(INPUTS, (cause, level) => this.setInterrupt(cause, level));
    this.addressSpace = new AddressSpace(this.model, this.model.systemMemory, `cpu-memory-${this.hartId}`);
  }

  protected override unrealize(): void {
    this.port = null;
    if (this.addressSpace?.root !== null) this.addressSpace?.destroy(); // unless the whole machine ends
    this.addressSpace = null;
  }

  /** @throws QomAbort before the hart is realized. */
  get space(): AddressSpace {
    if (this.addressSpace === null) throw new QomAbort(`${this.describe()} has no address space yet`);
    return this.addressSpace;
  }

  /** Plugs in who executes; it is told at once which interrupts are pending. */
  connect(port: HartPort): void {
    this.port = port;
    for (const cause of CAUSES) if ((this.levels & (1 << cause)) !== 0) port.setInterrupt(cause, true);
  }

  private setInterrupt(input: number, level: boolean): void {
    if (!isDriven(input)) return;
    this.levels = level ? this.levels | (1 << input) : this.levels & ~(1 << input);
    this.port?.setInterrupt(input, level);
  }
}

function isDriven(input: number): input is InterruptNumber {
  return (CAUSES as readonly number[]).includes(input); // wider, so that any number may be asked for
}
