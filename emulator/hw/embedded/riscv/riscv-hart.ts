/** A hart as the board sees it: its address space and interrupt inputs. The processor itself is connected later. */
import { AddressSpace } from "#memory";
import { Device, type HartPort, type InterruptNumber, type VmState } from "#qdev";
import { QomAbort } from "#qom";

/** Number of inputs: local interrupts, and guest external interrupts of hypervisors; the latter are ignored. */
const INPUTS = 79;
/** Causes that boards drive: software, timer and external interrupts of supervisor and machine mode. */
const CAUSES: readonly InterruptNumber[] = [1, 3, 5, 7, 9, 11];

export class RiscvHart extends Device {
  static override readonly typeName = "rv64-riscv-cpu";
  /** Approximate; most of it is the state of the processor. */
  static override readonly instanceSize: number = 20_000;
  static override readonly vmState = {
    name: "rv64-riscv-cpu",
    version: 1,
    fields: { levels: "int" },
  } as const satisfies VmState;

  hartId = 0;
  private port: HartPort | null = null;
  private addressSpace: AddressSpace | null = null;
  /** Levels of the inputs, one bit per cause. */
  private levels = 0;

  protected override realize(): void {
    this.initGpioIn(INPUTS, (cause, level) => this.setInterrupt(cause, level));
    this.addressSpace = new AddressSpace(this.model, this.model.systemMemory, `cpu-memory-${this.hartId}`);
  }

  protected override unrealize(): void {
    this.port = null;
    const space = this.addressSpace;
    this.addressSpace = null;
    if (space === null || !this.model.addressSpaces.includes(space)) return; // the whole machine has ended its spaces
    space.destroy();
  }

  /** @throws QomAbort before the hart is realized. */
  get space(): AddressSpace {
    if (this.addressSpace === null) throw new QomAbort(`${this.describe()} has no address space yet`);
    return this.addressSpace;
  }

  /** Connects the processor, which is told at once which interrupts are pending. */
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
  return (CAUSES as readonly number[]).includes(input); // widened, so that it accepts any number
}
