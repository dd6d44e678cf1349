import { Emulation } from "#machine";
import type { Mapping } from "#memory";
import { SysBusDevice } from "#qdev";
import { QomError } from "#qom";
import { type ScenarioRun, type ScenarioSetting, type ScenarioTally, tallyOf } from "./scenario.ts";

/** A device to plug in. */
export interface Plugged {
  readonly type: string;
  readonly properties: Readonly<Record<string, number>>;
}

const FLASH_BLOCK_BYTES = 2 ** 18;

/** Devices to plug in turn: one with plain registers, one with a child device, one with memory of its own. */
export const PLUGGED: readonly Plugged[] = [
  { type: "goldfish_rtc", properties: {} },
  { type: "serial-mm", properties: {} },
  // Much smaller than a board's flash: clearing that at every plug would take longer than the rest of a round.
  { type: "cfi.pflash01", properties: { "num-blocks": 1, "sector-length": FLASH_BLOCK_BYTES } },
];

/** An address that the board leaves free. */
const PLUG_ADDRESS = 0x6000_0000;
const RAM_BYTES = 16 * 2 ** 20;
/** Enough for one flash while the previous one waits for its release. */
const HOTPLUG_BYTES = 2 * FLASH_BLOCK_BYTES;
/** `j .`: a guest that loops forever. */
const IDLE_GUEST = Uint8Array.of(0x6f, 0, 0, 0);
const RAM_START = 0x8000_0000;
/** Guest instructions between two steps of a scenario. */
const BREATH = 1000;

/** The steps of a round with the machine and the device whose turn it is. */
type Steps = (machine: LiveMachine, device: Plugged) => void;

/** A machine whose guest runs while devices are plugged in and unplugged. */
export class LiveMachine implements ScenarioRun {
  readonly emulation: Emulation;
  readonly releaseTimes: number[] = [];
  private readonly unpluggedAt = new Map<string, number>();
  private readonly steps: Steps;
  private rounds = 0;

  constructor({ hardware, checked }: ScenarioSetting, steps: Steps) {
    this.steps = steps;
    this.emulation = new Emulation({
      hardware,
      ramBytes: RAM_BYTES,
      hotplugBytes: HOTPLUG_BYTES,
      model: checked === undefined ? {} : { checked },
    });
    this.emulation.board.memorySpace.writeBytes(RAM_START, IDLE_GUEST);
    this.emulation.model.onDeviceDeleted = (path) => {
      const unpluggedAt = this.unpluggedAt.get(path);
      if (unpluggedAt === undefined) return; // a child of the device that was unplugged
      this.releaseTimes.push(performance.now() - unpluggedAt);
      this.unpluggedAt.delete(path);
    };
  }

  round(): void {
    this.steps(this, PLUGGED[this.rounds++ % PLUGGED.length] as Plugged);
  }

  /** Creates, realizes and maps a device, and reads from it through the guest's address space. */
  plug({ type, properties }: Plugged): SysBusDevice {
    const { model, board } = this.emulation;
    const device = model.createPeripheral(type, "plugged");
    if (!(device instanceof SysBusDevice))
      throw new QomError(`${type} is not a sysbus device; plug one of those`);
    for (const [name, value] of Object.entries(properties)) device.setProperty(name, value);
    device.plug(model.systemBus);
    device.mapMmio(0, PLUG_ADDRESS);
    board.memorySpace.read(PLUG_ADDRESS, 4);
    this.breathe();
    return device;
  }

  /** Unmaps, unrealizes and unparents a device. */
  unplug(device: SysBusDevice): void {
    this.unpluggedAt.set(device.canonicalPath() ?? "", performance.now());
    device.unmapAll();
    device.remove();
    this.breathe();
  }

  /** Lends the device's first bytes to another device. */
  lend(): Mapping {
    const mapping = this.emulation.board.memorySpace.map(PLUG_ADDRESS, 8, false);
    if (mapping === null) throw new QomError("nothing could be mapped: no device is plugged in");
    return mapping;
  }

  giveBack(mapping: Mapping): void {
    this.emulation.board.memorySpace.unmap(mapping, 0);
  }

  /** Number of devices that were unplugged but whose storage is not released yet. */
  get unreleased(): number {
    return this.unpluggedAt.size;
  }

  /** Lets the guest run briefly; RCU callbacks run, unless a reader holds them back. */
  breathe(): void {
    const { emulation } = this;
    emulation.run({ maxInstructions: emulation.instructions + BREATH });
  }

  tally(): ScenarioTally {
    return tallyOf(this.emulation);
  }

  finish(): ScenarioTally {
    this.emulation.destroy();
    return this.tally();
  }
}
