/** The machine that a device lives in for one run, and the record of what happens there. */
import type * as Memory from "#memory";
import type * as Qdev from "#qdev";
import type * as Qom from "#qom";
import { Observer } from "./observe.ts";
import { Random } from "./random.ts";
import type { Life, LifeTrace, Step } from "./trace.ts";

/** The components, as the devices under proof import them. */
export interface Rooms {
  readonly qom: typeof Qom;
  readonly memory: typeof Memory;
  readonly qdev: typeof Qdev;
}

/** Nanoseconds since 1970 at the start of every life. */
const WALL_CLOCK = 1_600_000_000_000_000_000n;

export class Stage {
  readonly rooms: Rooms;
  readonly model: Qdev.DeviceModel;
  readonly random: Random;
  /** What could not be driven, in words. */
  readonly undriven: string[] = [];
  /** The device whose windows are listed; null before it is created, and after it has been removed. */
  device: Qom.QomObject | null = null;
  private readonly life: Life;
  private readonly steps: Step[] = [];
  private readonly events: string[] = [];
  readonly observer: Observer;
  private readonly rejected: (reason: unknown) => void;
  private startedOver = false;
  private now = 0;
  private leaks: readonly string[] = [];

  constructor(rooms: Rooms, life: Life, seed: number) {
    this.rooms = rooms;
    this.life = life;
    this.random = new Random(seed);
    this.settleSurroundings(seed);
    this.model = new rooms.qdev.DeviceModel({
      checked: "count",
      clock: new rooms.qdev.Clock(() => this.now, WALL_CLOCK),
      ram: this.guestMemory(life.failingRam),
      migratable: false, // two devices of a class may have RAM of one name
    });
    this.observer = new Observer(rooms, this.model);
    this.listen();
    this.rejected = (reason) => this.note(`unhandled rejection: ${errorText(reason)}`);
    process.on("unhandledRejection", this.rejected);
    process.on("uncaughtException", this.rejected);
  }

  /** Gives the machine system memory and an address space for it, unless it has them. Boards bring their own. */
  furnish(): void {
    if (this.model.addressSpaces.length > 0) return;
    const { AddressSpace, MemoryRegion } = this.rooms.memory;
    this.model.systemMemory = MemoryRegion.new(this.model.noOwner, "system", 2 ** 64);
    new AddressSpace(this.model, this.model.systemMemory, "memory");
  }

  /** Adds a line to the events of the current step. */
  note(line: string): void {
    this.events.push(line);
  }

  /** Runs one event of the life and records what it did. Returns whether it threw nothing. */
  async step(name: string, act: () => void): Promise<boolean> {
    let outcome = "done";
    try {
      act();
    } catch (error) {
      outcome = errorText(error);
    }
    await settled(); // whatever the device left to promises
    this.steps.push({
      name,
      outcome,
      events: this.events.splice(0),
      ...this.observer.observe(this.device),
      startedOver: this.startedOver,
    });
    this.startedOver = false;
    return outcome === "done";
  }

  /** Lets guest time pass; timers fire at their deadlines, at most `limit` of them. */
  advance(nanoseconds: number, limit = 64): void {
    const end = this.now + nanoseconds;
    for (let fired = 0; this.model.clock.deadline <= end && fired < limit; fired++) {
      this.now = Math.max(this.now, this.model.clock.deadline);
      this.model.clock.runExpired();
    }
    this.now = Math.max(this.now, end);
  }

  /** Ends the machine. */
  async end(): Promise<LifeTrace> {
    this.device = null;
    await this.step("end of the machine", () => this.model.destroy());
    process.off("unhandledRejection", this.rejected);
    process.off("uncaughtException", this.rejected);
    this.leaks = this.observer.leaks();
    return { life: this.life.name, steps: this.steps, leaks: this.leaks, undriven: this.undriven };
  }

  /** Host state that a device might read repeats exactly, too. */
  private settleSurroundings(seed: number): void {
    const random = new Random(seed ^ 0x5bd1e995);
    Error.stackTraceLimit = 0; // checked mode notes where every object ends, which would take most of the time
    Math.random = () => random.next();
    Date.now = () => Number(WALL_CLOCK / 1_000_000n);
    // Devices under proof may log to a global list of lines.
    (globalThis as { LOG?: { push(line: string): void } }).LOG = {
      push: (line) => this.note(String(line)),
    };
  }

  /** Allocates guest memory, but fails at allocation number `failing`. */
  private guestMemory(failing: number): Memory.RamAllocator {
    const host = new this.rooms.memory.HostRam();
    const { QomError } = this.rooms.qom;
    let allocations = 0;
    return {
      allocate(size) {
        if (++allocations === failing) throw new QomError("no memory is left");
        return host.allocate(size);
      },
      release: () => host.release(),
    };
  }

  private listen(): void {
    const { model } = this;
    model.onGuestError = (device, message, kind) =>
      this.note(`${kind} of ${device.qomType.typeName}: ${message}`);
    model.onDeviceDeleted = (path) => this.note(`deleted: ${path}`);
    model.onReentrancy = (region) => this.note(`re-entrant access refused: ${region.name}`);
    model.onShutdownRequest = ({ kind, code }) => this.note(`request: ${kind} ${code}`);
    const initialize = model.initialize.bind(model);
    model.initialize = (object) => {
      if (object.state === this.rooms.qom.ObjectState.Live) {
        this.startedOver = true;
        this.note(`storage of a live ${object.qomType.typeName} is initialised again`);
      }
      initialize(object);
    };
  }
}

/** Waits until no promise is left that can go on by itself. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * An exception as comparable text. The engine's own errors quote expressions of the source, which the forms spell
 * differently.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${String(error)}`;
  if (error instanceof TypeError || error instanceof ReferenceError) return `throws ${error.name}`;
  return `throws ${error.name}: ${error.message.split("\n")[0] ?? ""}`;
}
