import { CodePages, type DebugHit, RiscvHart, type RiscvHartOptions, type Translate } from "#cpu/riscv";
import { CommandError, openRamFile } from "#host";
import { CpuBus, GuestMemory, MemTxResult, PAGE_BYTES } from "#memory";
import {
  Clock,
  DeviceModel,
  type DeviceModelOptions,
  type Machine,
  type ShutdownRequest,
  type Timer,
} from "#qdev";
import { QomError } from "#qom";
import { ConsoleLog } from "./console-log.ts";
import { GuestTime, NANOSECONDS_PER_INSTRUCTION } from "./guest-time.ts";
import type { Hardware } from "./hardware.ts";
import { type BootFiles, ImageLoader } from "./images.ts";
import { MmioTrace, type TraceLine } from "./mmio-trace.ts";
import { AttachedHardware } from "./options/attached-hardware.ts";
import { type HardwareOptions, NO_HARDWARE_OPTIONS } from "./options/hardware-options.ts";
import { Processors } from "./processors.ts";

/** Default start of the guest's wall clock: 2026-01-01, 00:00 UTC, in nanoseconds since 1970. */
export const DEFAULT_WALL_CLOCK = 1_767_225_600_000_000_000n;

/** Flash banks and boot ROM, in addition to RAM. */
const BOARD_MEMORY_BYTES = 65 * 2 ** 20;

export interface EmulationOptions {
  readonly hardware: Hardware;
  /** Type of the board, as `-M` names it; default "virt". */
  readonly machine?: string;
  readonly ramBytes: number;
  readonly hartCount?: number;
  readonly files?: BootFiles;
  /** Record every access to a device. */
  readonly trace?: boolean;
  readonly traceLine?: TraceLine;
  /** Options of the object model: checked mode, allocation stacks. */
  readonly model?: Pick<DeviceModelOptions, "checked" | "heapRegions" | "recordStacks" | "references">;
  readonly wallClock?: bigint;
  /** Drives, devices and everything else that the command line adds to the board. */
  readonly attached?: HardwareOptions;
  /** Which guest code to translate; default "hot". Affects only speed. */
  readonly translate?: Translate;
  /** When code counts as hot, see `RiscvHartOptions`. */
  readonly hotArrivals?: number;
  /** Whether to translate in a thread of its own, see `RiscvHartOptions`; default false. Affects only speed. */
  readonly translateBeside?: boolean;
  /** Whether a reset requested by the guest ends the run; default false. */
  readonly endsAtReset?: boolean;
  /** Guest memory reserved for devices that are plugged in later, in bytes; default 0. */
  readonly hotplugBytes?: number;
}

/**
 * Why a run ended. `idle`: the guest waits for an interrupt that nothing will raise. `reset`: the guest requested one
 * and `endsAtReset` is set. `timeout`: the time limit was reached. `debug`: at a breakpoint or before a watched access,
 * see `debugStop`.
 */
export type RunEnd =
  | "poweroff"
  | "fail"
  | "milestone"
  | "instructions"
  | "idle"
  | "reset"
  | "timeout"
  | "stopped"
  | "debug";

/** A processor that hit a breakpoint or watchpoint. */
export interface DebugStop {
  readonly hart: RiscvHart;
  readonly hit: DebugHit;
}

export interface RunLimits {
  /** Instructions, counted over the whole life of the emulation. */
  readonly maxInstructions?: number;
  /** Console text that ends the run. */
  readonly until?: string;
}

/** Duration of creation in milliseconds, by phase. */
export interface CreationPhases {
  readonly create: number;
  readonly load: number;
}

/** A complete machine: board, processors, memory, console, and the loop that runs them. */
export class Emulation {
  readonly model: DeviceModel;
  readonly board: Machine;
  readonly console: ConsoleLog;
  /** Null unless a trace was requested. */
  readonly trace: MmioTrace | null;
  readonly creation: CreationPhases;
  private readonly clock: Clock;
  readonly ramBytes: number;
  /** Files that are loaded at the start and again after each reset. */
  readonly files: BootFiles;
  /** What is remarkable about them, for the user. */
  warnings: readonly string[] = [];
  /** Guest time, made up of instructions and idle time. */
  readonly time = new GuestTime();
  /** The harts, and whose turn it is. */
  readonly processors: Processors;
  /** By hart: the timer that expires when the supervisor's comparator is reached. */
  readonly comparators: Timer[] = [];
  /** Where the latest run that ended with `debug` stopped. */
  debugStop: DebugStop | null = null;
  private readonly memory: WebAssembly.Memory;
  /** Hardware that the command line added to the board. */
  readonly attached: AttachedHardware;
  private readonly buses: CpuBus[] = [];
  private readonly translation: Pick<RiscvHartOptions, "translate" | "hotArrivals" | "translateBeside">;
  private request: ShutdownRequest | null = null;
  private stopping: RunEnd | null = null;
  private destroyed = false;
  private readonly endsAtReset: boolean;

  /** @throws CommandError when an option is out of range or cannot be met, or a file cannot be loaded. */
  constructor(options: EmulationOptions) {
    const started = performance.now();
    const { hartCount = 1, ramBytes, hotplugBytes = 0, endsAtReset = false } = options;
    requireWhole("ramBytes", ramBytes, 1);
    requireWhole("hartCount", hartCount, 1);
    const { mostHarts = hartCount } = options.hardware;
    if (hartCount > mostHarts)
      throw new CommandError(`hartCount: the board cannot have ${hartCount} harts; give 1 to ${mostHarts}`);
    requireWhole("hotplugBytes", hotplugBytes, 0);
    this.endsAtReset = endsAtReset;
    this.attached = new AttachedHardware(options.attached ?? NO_HARDWARE_OPTIONS);
    const stateBytes = RiscvHart.stateBytes * hartCount;
    const { memoryBytes } = this.attached;
    const guest = reserve(BOARD_MEMORY_BYTES + memoryBytes, {
      "-m": ramBytes,
      hartCount: stateBytes,
      hotplugBytes,
    });
    const state = guest.allocate(stateBytes);
    this.memory = guest.memory;
    this.clock = new Clock(() => this.time.now(), options.wallClock ?? DEFAULT_WALL_CLOCK);
    this.model = new DeviceModel({
      openRamFile,
      ...options.model,
      ram: guest,
      clock: this.clock,
      onRcuPending: () => this.processors?.leave(), // nothing runs before there are any
    });
    options.hardware.registerTypes(this.model.types);
    this.board = this.createBoard(`${options.machine ?? "virt"}-machine`, ramBytes, hartCount);
    const { translate, hotArrivals, translateBeside = false } = options;
    this.translation = {
      ...(translate && { translate }),
      ...(hotArrivals && { hotArrivals }),
      translateBeside,
    };
    this.trace = options.trace || options.traceLine ? new MmioTrace(this.time, options.traceLine) : null;
    const codePages = new CodePages();
    this.model.onRamWritten = (bytes, offset, length) => {
      // Other buffers hold memory that no processor accesses directly.
      if (bytes.buffer === guest.memory.buffer) codePages.written(bytes.byteOffset + offset, length);
    };
    const makeHart = (index: number): RiscvHart => this.makeHart(index, guest, state.byteOffset, codePages);
    this.processors = new Processors(
      makeHart(0),
      ...Array.from({ length: hartCount - 1 }, (_, index) => makeHart(index + 1)),
    );
    this.processors.reset(this.board.resetVector);
    this.time.follow(this.processors);
    for (const { hartId } of this.processors.harts) {
      this.board.connectHart(hartId, {
        setInterrupt: (cause, level) => this.processors.setInterrupt(hartId, cause, level),
      });
    }
    this.board.onTimeSet = () => {
      for (const hart of this.processors.harts) hart.timeReached();
    };
    this.console = new ConsoleLog(this.board.serialLine);
    if (this.attached.serial !== null) this.console.leadTo(this.attached.serial);
    this.console.onMilestone = () => this.stop("milestone");
    this.clock.onEarlierDeadline = () => this.processors.leave();
    this.model.onShutdownRequest = (request) => {
      this.request = request;
      this.processors.leave();
    };
    const created = performance.now();
    this.ramBytes = ramBytes;
    this.files = options.files ?? {};
    try {
      this.loadImages();
    } catch (error) {
      this.attached.close();
      throw error;
    }
    this.creation = { create: created - started, load: performance.now() - created };
  }

  private createBoard(typeName: string, ramBytes: number, hartCount: number): Machine {
    try {
      this.attached.prepare(this.model);
      const { flashDrives } = this.attached;
      const board = this.model.createMachine(typeName, { ramBytes, hartCount, flashDrives });
      this.attached.attach(this.model, board);
      board.reset();
      return board;
    } catch (error) {
      this.attached.close();
      throw error;
    }
  }

  private makeHart(hartId: number, guest: GuestMemory, firstState: number, codePages: CodePages): RiscvHart {
    const bus = new CpuBus(this.board.hartSpace(hartId), guest);
    this.buses.push(bus);
    const nanosecondsPerTick = this.board.timeAfter(1) - this.board.timeAfter(0);
    const clock = {
      now: () => this.time.now(),
      nanosecondsPerInstruction: NANOSECONDS_PER_INSTRUCTION,
      nanosecondsPerTick,
    };
    const comparator = this.clock.timer(() => this.processors.timeReached(hartId));
    this.comparators.push(comparator);
    return new RiscvHart({
      hartId,
      memory: guest.memory,
      stateOffset: firstState + hartId * RiscvHart.stateBytes,
      bus: this.trace?.watch(bus) ?? bus,
      time: () => this.board.readTime(),
      clock,
      onComparator: (ticks) => {
        if (ticks === 0 || ticks === Number.POSITIVE_INFINITY) comparator.cancel();
        else comparator.set(this.board.timeAfter(ticks));
      },
      onPause: () => this.processors.yield(),
      codePages,
      ...this.translation,
    });
  }

  /** All processors, by number. */
  get harts(): readonly RiscvHart[] {
    return this.processors.harts;
  }

  /** The first processor. */
  get hart(): RiscvHart {
    return this.harts[0] as RiscvHart; // there is always one
  }

  /** Instructions executed over all resets, by all processors. */
  get instructions(): number {
    return this.time.instructions;
  }

  /** Guest time in nanoseconds. */
  now(): number {
    return this.time.now();
  }

  /** The guest's shutdown request, or null if there is none. */
  get shutdown(): ShutdownRequest | null {
    return this.request;
  }

  /** Ends the current run, from a callback. */
  stop(end: RunEnd = "stopped"): void {
    this.stopping = end;
    this.processors.leave();
  }

  /**
   * Runs until the guest ends or a limit is reached, skipping time in which the guest waits. May be called again.
   * @throws Error after `destroy()`.
   */
  run(limits: RunLimits = {}): RunEnd {
    if (limits.until !== undefined) this.console.watchFor(limits.until);
    for (;;) {
      const end = this.step(limits.maxInstructions);
      if (end !== null) return end;
      if (this.waiting && !this.skipIdle()) return "idle";
    }
  }

  /**
   * Runs one slice: to the next deadline of a device, at most one turn of a processor. Returns why the run ended, if it
   * did.
   * @throws Error after `destroy()`.
   */
  step(maxInstructions = Number.POSITIVE_INFINITY): RunEnd | null {
    if (this.destroyed) throw new Error("this emulation is destroyed; create another to run again");
    this.clock.runExpired();
    const left = Math.ceil((this.clock.deadline - this.now()) / NANOSECONDS_PER_INSTRUCTION);
    this.processors.run(Math.min(Math.max(left, 1), maxInstructions - this.instructions));
    this.model.rcu.poll();
    for (const hart of this.harts) {
      if (hart.debug.hit === null) continue;
      this.debugStop = { hart, hit: hart.debug.hit };
      hart.debug.hit = null;
      return "debug";
    }
    if (this.stopping !== null) {
      const end = this.stopping;
      this.stopping = null;
      return end;
    }
    if (this.request !== null) {
      if (this.request.kind !== "reset" || this.endsAtReset) return this.request.kind;
      this.reset();
    }
    return this.instructions >= maxInstructions ? "instructions" : null;
  }

  /**
   * Executes one instruction of `hart`, or if it waits for an interrupt, of the hart whose turn it is. Returns why the
   * run ended, if it did.
   */
  stepInstruction(hart: RiscvHart): RunEnd | null {
    const target = this.instructions + 1;
    while (!this.waiting || this.skipIdle()) {
      if (!hart.waiting) this.processors.select(hart);
      const end = this.step(target);
      if (end !== null) return end === "instructions" ? null : end;
    }
    return null; // no interrupt will come
  }

  /** Resets the machine before the next instruction, as its reset button would. */
  requestReset(): void {
    this.model.requestShutdown({ kind: "reset", code: 0 });
  }

  /**
   * Writes bytes of one page from outside the guest, in ROM and flash, too; overwritten code is decoded again. Where
   * there is no memory, the write goes to the device.
   */
  writePhysical(address: number, content: Uint8Array): MemTxResult {
    const direct = this.buses[0]?.directPage(address, "read") ?? -1;
    if (direct < 0) return this.board.memorySpace.writeBytes(address, content);
    const offset = direct + (address % PAGE_BYTES);
    new Uint8Array(this.memory.buffer).set(content, offset);
    this.hart.invalidate(offset, content.length);
    return MemTxResult.Ok;
  }

  /** Whether all processors wait for interrupts. */
  get waiting(): boolean {
    return this.processors.waiting;
  }

  /** Nanoseconds of guest time to the next deadline of a device; Infinity if there is none. */
  get untilDeadline(): number {
    return this.clock.deadline - this.now();
  }

  /** Advances guest time while all processors wait, to the next deadline or less. False if there is no deadline. */
  skipIdle(nanoseconds = this.untilDeadline): boolean {
    if (nanoseconds === Number.POSITIVE_INFINITY) return false;
    this.time.pass(nanoseconds);
    return true;
  }

  /** Restarts the guest: resets devices and processors, and loads the files again. */
  private reset(): void {
    this.request = null;
    this.time.beforeReset();
    this.board.reset();
    this.processors.reset(this.board.resetVector);
    this.loadImages();
  }

  private loadImages(): void {
    const loader = new ImageLoader(this.board, this.ramBytes);
    loader.load(this.files);
    this.warnings = loader.warnings;
  }

  /** Destroys the machine; what the heap still holds afterwards has leaked. Returns the milliseconds it took. */
  destroy(): number {
    if (this.destroyed) return 0;
    this.destroyed = true;
    const started = performance.now();
    for (const bus of this.buses) bus.disconnect();
    this.model.destroy();
    this.attached.close();
    return performance.now() - started;
  }
}

function requireWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new CommandError(`${name}: ${value} is not a whole number from ${least} up`);
}

/** @param parts memory that options ask for, in bytes: the largest is named if there is not enough */
function reserve(rest: number, parts: Readonly<Record<string, number>>): GuestMemory {
  const bytes = Object.values(parts).reduce((sum, part) => sum + part, rest);
  try {
    return new GuestMemory(bytes);
  } catch (error) {
    if (!(error instanceof QomError)) throw error;
    const [name = "", largest = 0] = Object.entries(parts).sort(([, one], [, other]) => other - one)[0] ?? [];
    throw new CommandError(
      name === "-m"
        ? `-m: ${error.message}`
        : `${name}: needs ${largest} bytes of guest memory, which is too much; give less`,
    );
  }
}
