/** Our side of a comparison: the `virt` board of one device tree, without a processor. */
import type { AddressSpace } from "#memory";
import { Clock, DeviceModel, type Machine } from "#qdev";
import type { TypeRegistry } from "#qom";
import { RTC } from "./board.ts";
import { type Observation, RTC_BASE_SECONDS, type Step } from "./script.ts";

/** What a device tree exports. */
export interface DeviceTreeModule {
  registerTypes(registry: TypeRegistry): void;
}

/** Less than QEMU's side has, but all that scripts touch. */
/** QEMU needs two, see `qtest.ts`. Only the first is watched. */
const HARTS = 2;
const RAM_BYTES = 16 * 2 ** 20;

/** A board that carries out scripts; call `destroy` when done with it. */
export class BoardUnderTest {
  readonly model: DeviceModel;
  /** What was sent through the UART. */
  readonly sent: number[] = [];
  private readonly clock: Clock;
  private readonly space: AddressSpace;
  private interrupts = 0;
  private now = 0;

  constructor(tree: DeviceTreeModule) {
    this.clock = new Clock(() => this.now, BigInt(RTC_BASE_SECONDS) * 1_000_000_000n);
    this.model = new DeviceModel({ clock: this.clock });
    tree.registerTypes(this.model.types);
    const machine: Machine = this.model.createMachine("virt-machine", {
      ramBytes: RAM_BYTES,
      hartCount: HARTS,
    });
    this.space = machine.memorySpace;
    machine.serialLine.connect({ write: (byte) => this.sent.push(byte) });
    machine.connectHart(0, {
      setInterrupt: (cause, level) => {
        this.interrupts = level ? this.interrupts | (1 << cause) : this.interrupts & ~(1 << cause);
      },
    });
  }

  /**
   * Carries out a script, with transfers as a bus master makes them: the region says how they are cut.
   * @param reference what the other side made of the same script: says how long each clock step takes.
   */
  run(script: readonly Step[], reference?: readonly Observation[]): Observation[] {
    return script.map((step, index) => {
      const elapsed = step.kind === "clock" ? (reference?.[index]?.elapsed ?? step.nanoseconds) : 0;
      const value = this.carryOut(step, elapsed);
      return { value, elapsed, interrupts: this.interrupts };
    });
  }

  /** @throws QomAbort when anything is left of the machine. */
  destroy(): void {
    this.model.destroy();
  }

  private carryOut(step: Step, elapsed: number): bigint {
    switch (step.kind) {
      case "read":
        return this.read(step.address, step.size);
      case "write":
        this.write(step.address, step.size, step.value);
        return 0n;
      case "clock":
        this.read(RTC.timeLow, 4); // the other side measures by this register, which latches another
        this.passTime(elapsed);
        this.read(RTC.timeLow, 4);
        return 0n;
    }
  }

  private read(address: number, size: number): bigint {
    const bytes = new Uint8Array(8);
    this.space.readBytes(address, bytes.subarray(0, size));
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  private write(address: number, size: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.space.writeBytes(address, bytes.subarray(0, size));
  }

  /** Timers see the moment that they were set for, not the end of the step. */
  private passTime(nanoseconds: number): void {
    const end = this.now + nanoseconds;
    while (this.clock.deadline <= end) {
      this.now = Math.max(this.now, this.clock.deadline);
      this.clock.runExpired();
    }
    this.now = end;
  }
}
