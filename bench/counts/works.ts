/** What is counted: the work of each subject, a round at a time. */
import { Emulation, type EmulationOptions, type Hardware } from "#machine";
import { MemoryRegion, type RamAllocator } from "#memory";
import { DeviceModel, type Machine } from "#qdev";
import type { Form } from "#results";
import { locateFirmware, type Workload, workload } from "#workloads";
import { scenario } from "#workloads/lifecycle";
import { readLoop, writeLoop } from "../suites/dispatch-loops.ts";
import { flatMap, walk } from "../suites/dispatch-maps.ts";
import { PROBE_BYTES, VARIANTS } from "../suites/probe.ts";
import { type CountRequest, PLANTED_STEPS } from "./request.ts";
import { ACCESSES_PER_ROUND, COMMITTED_REGIONS } from "./subjects.ts";

/** Work that can be repeated. */
export interface Work {
  /** One round of what is counted. */
  round(): void;
  /**
   * What is done in the place of each round that a process does not count, where rounds need company that is not to be in
   * the figure: both numbers of rounds then do it equally often.
   */
  pass?(): void;
  /** See `CountReport.check`. */
  check(): string;
}

/** As boots are timed. */
const RAM_BYTES = 128 * 2 ** 20;
/** A boot that goes wrong must end: far more than any workload takes. */
const MOST_INSTRUCTIONS = 4e10;

/**
 * Makes the work of a subject ready.
 * @param load loads the device tree, which probes do without
 * @throws Error for a subject that has no work here, or whose files are missing
 */
export async function prepareWork(request: CountRequest, load: () => Promise<Hardware>): Promise<Work> {
  const { subject, form } = request;
  const machines = request.warmUp + request.mostRounds;
  const [kind, name = ""] = subject.split("/", 2);
  switch (kind) {
    case "boot":
      return bootWork(await load(), workload(name), machines);
    case "create":
      return creationWork(await load());
    case "objects":
      return objectsWork(await load());
    case "tear-down":
      return tearDownWork(await load(), machines);
    case "lifecycle":
      return lifecycleWork(await load(), name);
    case "probes":
      return probeWork(name, form);
    case "planted":
      return plantedWork(PLANTED_STEPS[form]);
    default:
      throw new Error(`${subject}: there is nothing to count by this name`);
  }
}

/** Whole machines, each left to the collector: what that costs belongs to making them. */
function creationWork(hardware: Hardware): Work {
  let harts = 0;
  return {
    round: () => {
      harts += new Emulation({ hardware, ramBytes: RAM_BYTES }).harts.length;
    },
    check: () => String(harts),
  };
}

/** The device model of a board alone: objects, realize, reset, first flat view; no processor, no memory worth speaking of. */
function objectsWork(hardware: Hardware): Work {
  const ram = new SharedRam();
  let spaces = 0;
  return {
    round: () => {
      spaces += makeBoard(hardware, ram).model.addressSpaces.length;
    },
    check: () => String(spaces),
  };
}

/** As many boards as any process ends are made by every process, which leaves nothing but the ending in the difference. */
function tearDownWork(hardware: Hardware, machines: number): Work {
  const ram = new SharedRam();
  const boards = Array.from({ length: machines }, () => makeBoard(hardware, ram));
  let ended = 0;
  let unfreed = 0;
  return {
    round: () => {
      const model = boards[ended++]?.model;
      if (model === undefined) throw new RangeError("no board is left to be torn down");
      model.destroy();
      unfreed += model.heap.usage().live;
    },
    check: () => `${ended} ended, ${unfreed} blocks left`,
  };
}

/** Machines that have not run yet, as many in every process; a round boots the next one to its milestone. */
function bootWork(hardware: Hardware, program: Workload, machines: number): Work {
  const options: EmulationOptions = { hardware, hartCount: program.hartCount, ...filesOf(program) };
  const waiting = Array.from({ length: machines }, () => new Emulation(options));
  const booted: Emulation[] = []; // kept: their end is not to be counted either
  return {
    round: () => {
      const emulation = waiting[booted.length];
      if (emulation === undefined) throw new RangeError("no machine is left to be booted");
      const end = emulation.run({ until: program.milestone, maxInstructions: MOST_INSTRUCTIONS });
      if (end !== "milestone")
        throw new Error(`workload ${program.name} ended by ${end} before its milestone`);
      booted.push(emulation);
    },
    check: () =>
      [
        ...new Set(booted.map(({ instructions, console }) => `${instructions} ${console.sha256()}`)),
        `${booted.length} boots`,
      ].join(", "),
  };
}

function filesOf(program: Workload): Pick<EmulationOptions, "ramBytes" | "files"> {
  if (program.kind === "bare-metal") return { ramBytes: RAM_BYTES, files: { kernel: program.kernel } };
  const firmware = locateFirmware();
  if (!firmware.found) throw new Error(`workload ${program.name}: ${firmware.reason}`);
  const { bios, kernel } = firmware;
  return { ramBytes: RAM_BYTES, files: { bios, kernel } };
}

function lifecycleWork(hardware: Hardware, name: string): Work {
  const run = scenario(name).start({ hardware });
  return {
    round: () => run.round(),
    check: () => `${run.releaseTimes.length} released`,
  };
}

/** Loops of the dispatch suite, in rounds of {@link ACCESSES_PER_ROUND}. */
function probeWork(name: string, form: Form): Work {
  const one = flatMap(form, 1);
  const all = flatMap(form, VARIANTS);
  const read = readLoop(all.space, walk(all.addresses, 4, "walk"), 4);
  const write = writeLoop(all.space, walk(all.addresses, 4, "walk"), 4);
  // The dispatcher meets every kind of device first: one that knows a single kind would inline its callback.
  for (let turn = 0; turn < 400; turn++) {
    read(256);
    write(256);
  }
  let sum = 0;
  const check = () => String(sum);
  const counted = (loop: (count: number) => number): Work => ({
    round: () => {
      sum = (sum + loop(ACCESSES_PER_ROUND)) | 0;
    },
    check,
  });
  switch (name) {
    case "read hit":
      return counted(readLoop(one.space, walk(one.addresses, 4, "walk"), 4));
    case "write hit":
      return counted(writeLoop(one.space, walk(one.addresses, 4, "walk"), 4));
    case "by turns":
      return counted(read);
    case "after commit":
      return missWork(form);
    default:
      throw new Error(`probes/${name}: there is nothing to count by this name`);
  }
}

/** A commit that changes the map, then one access to each region; the rounds that are not counted commit only. */
function missWork(form: Form): Work {
  const { space, addresses } = flatMap(form, COMMITTED_REGIONS);
  const model = space.model;
  const beside = MemoryRegion.new(model.noOwner, "beside", PROBE_BYTES);
  // The free page above the last probe.
  space.root?.addSubregion((addresses.at(-1) ?? 0) + PROBE_BYTES, beside);
  let sum = 0;
  const commit = () => {
    beside.setEnabled(!beside.enabled);
    model.rcu.poll(); // the view before goes
  };
  return {
    round: () => {
      commit();
      for (const address of addresses) sum = (sum + space.read(address, 4)) | 0;
    },
    pass: commit,
    check: () => String(sum),
  };
}

/** Work of a known size, for the instrument's own test: `steps` of the same arithmetic. */
function plantedWork(steps: number): Work {
  let state = 1;
  let rounds = 0;
  return {
    round: () => {
      rounds++;
      state = churn(state, steps);
    },
    check: () => `${rounds}, ${state === 0 ? "stuck" : "moving"}`,
  };
}

/** Marsaglia's xorshift (J. Stat. Softw. 8, 14, 2003): every step needs the one before, so that none can be left out. */
function churn(seed: number, steps: number): number {
  let x = seed;
  for (let step = 0; step < steps; step++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

function makeBoard(hardware: Hardware, ram: SharedRam): { model: DeviceModel; board: Machine } {
  ram.rewind();
  const model = new DeviceModel({ ram });
  hardware.registerTypes(model.types);
  const board = model.createMachine("virt-machine", { ramBytes: RAM_BYTES, hartCount: 1 });
  board.reset();
  return { model, board };
}

/** The same host memory for every board: none of them runs, so none minds what another has in it. */
class SharedRam implements RamAllocator {
  private readonly blocks: Uint8Array[] = [];
  private next = 0;

  /** The next board begins with the first block. */
  rewind(): void {
    this.next = 0;
  }

  allocate(bytes: number): Uint8Array {
    const known = this.blocks[this.next];
    const block = known?.length === bytes ? known : new Uint8Array(bytes);
    this.blocks[this.next++] = block;
    return block;
  }

  release(): void {}
}
