/** Our side of a comparison: the `virt` board of one tree of devices, without a processor. */
import { type AccessSize, type AddressSpace, formatFlatViews, formatMtree } from "#memory";
import { type CharDevice, Clock, Device, DeviceModel, type IrqInput, type Machine } from "#qdev";
import type { Leak } from "#qom";
import { mtreeSections } from "../testing/mtree-sections.ts";
import type { DeviceTreeModule } from "../testing/rig.ts";
import { PLIC, RTC, UART } from "./board.ts";
import { hexOf, type Observation, RTC_BASE_SECONDS, resolve, type Step, type Watch } from "./script.ts";

/** QEMU needs two (see `qtest.ts`). Only the first is watched. */
const HARTS = 2;
/** As on QEMU's side; the host provides pages as they are used. */
const RAM_BYTES = 256 * 2 ** 20;

/**
 * How a board accesses memory: as a bus master, whose transfers are split as each region requires, or as a processor,
 * whose single accesses a region accepts or refuses; then the outcome is compared, too.
 */
export type Access = "transfer" | "processor";

/** A board that runs scripts; call `destroy` when done with it. */
export class BoardUnderTest {
  readonly model: DeviceModel;
  /** Bytes sent through the UART. */
  readonly sent: number[] = [];
  private readonly clock: Clock;
  private readonly access: Access;
  private readonly space: AddressSpace;
  private readonly machine: Machine;
  private readonly serialLine: CharDevice;
  private interrupts = 0;
  private now = 0;

  constructor(tree: DeviceTreeModule, access: Access, watch: Watch) {
    this.access = access;
    this.clock = new Clock(() => this.now, BigInt(RTC_BASE_SECONDS) * 1_000_000_000n);
    this.model = new DeviceModel({ clock: this.clock });
    tree.registerTypes(this.model.types);
    const machine = this.model.createMachine("virt-machine", {
      ramBytes: RAM_BYTES,
      hartCount: HARTS,
    });
    this.machine = machine;
    this.space = access === "processor" ? machine.hartSpace(0) : machine.memorySpace;
    this.serialLine = machine.serialLine;
    this.serialLine.connect({ write: (byte) => this.sent.push(byte) });
    const note = (line: number, level: boolean) => {
      this.interrupts = level ? this.interrupts | (1 << line) : this.interrupts & ~(1 << line);
    };
    if (watch === "hart") machine.connectHart(0, { setInterrupt: note });
    else for (const source of [UART.source, RTC.source]) spy(this.plic.gpioIn(source), source, note);
  }

  private get plic(): Device {
    const found = this.model.resolvePath("/machine/unattached/device[2]");
    if (found instanceof Device && found.gpioInputs === PLIC.sources) return found;
    throw new Error("/machine/unattached/device[2] is not the PLIC: update its path");
  }

  /**
   * Runs a script. With accesses of a processor, the value includes the outcome of the access, above its 64 bits.
   * @param reference the other side's observations of the same script, which determine the length of clock steps.
   */
  run(script: readonly Step[], reference?: readonly Observation[]): Observation[] {
    return script.map((step, index) => {
      const elapsed = step.kind === "clock" ? (reference?.[index]?.elapsed ?? step.nanoseconds) : 0;
      const value = this.carryOut(step, elapsed);
      const seen = { value, elapsed, interrupts: this.interrupts };
      return step.kind === "map" ? { ...seen, map: this.map() } : seen;
    });
  }

  /** Ends the machine; returns its leaks, of which there should be none. */
  destroy(): readonly Leak[] {
    this.model.destroy();
    return this.model.heap.leaks();
  }

  private carryOut(step: Step, elapsed: number): bigint {
    switch (step.kind) {
      case "read":
        return this.access === "processor"
          ? this.load(step.address, step.size)
          : this.read(step.address, step.size);
      case "write":
        return this.access === "processor"
          ? this.store(step.address, step.size, step.value)
          : this.write(step.address, step.size, step.value);
      case "readBytes": {
        const bytes = new Uint8Array(step.length);
        this.space.readBytes(step.address, bytes);
        return BigInt(`0x${hexOf(bytes)}`);
      }
      case "writeBytes":
        this.space.writeBytes(step.address, Uint8Array.from(step.bytes));
        return 0n;
      case "reset":
        this.machine.reset();
        this.read(RTC.timeLow, 4); // as on the other side
        return 0n;
      case "map":
        return 0n;
      case "moment":
        return this.carryOut(resolve(step, this.now), 0);
      case "input":
        for (const byte of step.bytes) {
          if (this.serialLine.canReceive() === 0)
            throw new Error("the script sends more input than the UART accepts");
          this.serialLine.receive(byte);
        }
        this.read(RTC.timeLow, 4); // as on the other side
        return 0n;
      case "clock":
        this.read(RTC.timeLow, 4); // the other side measures time with this register; reading it latches another one
        this.passTime(elapsed);
        this.read(RTC.timeLow, 4);
        return 0n;
    }
  }

  private map(): string {
    const [views, regions] = [formatFlatViews(this.model), formatMtree(this.model)].map((text) =>
      mtreeSections(text.split("\n")).flat(),
    );
    return [...(views ?? []), ...(regions ?? [])].join("\n");
  }

  private read(address: number, size: AccessSize): bigint {
    const bytes = new Uint8Array(8);
    this.space.readBytes(address, bytes.subarray(0, size));
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  private write(address: number, size: AccessSize, value: bigint): bigint {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.space.writeBytes(address, bytes.subarray(0, size));
    return 0n;
  }

  private load(address: number, size: AccessSize): bigint {
    const low = BigInt(this.space.read(address, size));
    const high = size === 8 ? BigInt(this.space.high) : 0n;
    return (BigInt(this.space.result) << 64n) | (high << 32n) | low;
  }

  private store(address: number, size: AccessSize, value: bigint): bigint {
    this.space.write(address, size, Number(value & 0xffff_ffffn), Number(value >> 32n));
    return BigInt(this.space.result) << 64n;
  }

  /** Timers fire at their deadlines, not at the end of the step. */
  private passTime(nanoseconds: number): void {
    const end = this.now + nanoseconds;
    while (this.clock.deadline <= end) {
      this.now = Math.max(this.now, this.clock.deadline);
      this.clock.runExpired();
    }
    this.now = end;
  }
}

/** Reports every change of an interrupt input's level before it takes effect. */
function spy(input: IrqInput, line: number, note: (line: number, level: boolean) => void): void {
  const set = input.set.bind(input);
  input.set = (level) => {
    note(line, level);
    set(level);
  };
}
