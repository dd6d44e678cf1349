/** The works that are counted, round by round. */
import { Emulation, type Hardware } from "#machine";
import { MemoryRegion } from "#memory";
import type { DeviceModel } from "#qdev";
import type { Form } from "#results";
import { PLUGGED, scenario } from "#workloads/lifecycle";
import { makeBoard, PooledRam } from "../suites/board-rounds.ts";
import { readLoop, writeLoop } from "../suites/dispatch-loops.ts";
import { flatMap, walk } from "../suites/dispatch-maps.ts";
import { guestOf, MOST_INSTRUCTIONS } from "../suites/guest.ts";
import { PROBE_BYTES, VARIANTS } from "../suites/probe.ts";
import { PLANTED_STEPS } from "./request.ts";
import { ACCESSES_PER_ROUND, COMMITTED_REGIONS } from "./subjects.ts";

/** Work that can be repeated. */
export interface Work {
  /** Uncounted preparation of each round; default: nothing. */
  prepare?(): void;
  /** The steps of a round, each counted separately. */
  readonly steps: readonly (() => void)[];
  /** See `DoneWork.check`. */
  check(): string;
}

/** As in the boot suite. */
const RAM_BYTES = 128 * 2 ** 20;

/**
 * Prepares a work by name.
 * @throws Error when it does not exist, or when its files are missing
 */
export function prepareWork(work: string, form: Form, hardware: Hardware): Work {
  const [kind, name = ""] = work.split("/", 2);
  switch (kind) {
    case "boot":
      return bootWork(hardware, name);
    case "create":
      return creationWork(hardware);
    case "board":
      return boardWork(hardware);
    case "lifecycle":
      return lifecycleWork(hardware, name);
    case "probes":
      return probeWork(name, form);
    case "planted":
      return plantedWork(PLANTED_STEPS[form]);
    default:
      throw new Error(`${work}: there is no work of this name to count`);
  }
}

/** Whole machines. */
function creationWork(hardware: Hardware): Work {
  let made: Emulation | null = null;
  let harts = 0;
  return {
    prepare: () => {
      made?.destroy();
      // Its memory is external to V8's heap; too much of it would trigger a collection in a counted round.
      globalThis.gc?.();
    },
    steps: [
      () => {
        made = new Emulation({ hardware, ramBytes: RAM_BYTES });
        harts += made.harts.length;
      },
    ],
    check: () => String(harts),
  };
}

/** Creation and tear-down of a board alone: no processor, no fresh memory. */
function boardWork(hardware: Hardware): Work {
  const ram = new PooledRam();
  let made: DeviceModel | null = null;
  let boards = 0;
  return {
    prepare: () => ram.reuse(),
    steps: [
      () => {
        made = makeBoard(hardware, ram);
        boards++;
      },
      () => made?.destroy(),
    ],
    check: () => `${boards} boards, ${made?.heap.usage().live} blocks left of the last`,
  };
}

/** Each round boots a new machine to its milestone. */
function bootWork(hardware: Hardware, name: string): Work {
  const { program, options } = guestOf(name, hardware);
  const ends = new Set<string>();
  let emulation: Emulation | null = null;
  let boots = 0;
  return {
    prepare: () => {
      emulation?.destroy();
      emulation = new Emulation(options);
    },
    steps: [
      () => {
        const end = emulation?.run({ until: program.milestone, maxInstructions: MOST_INSTRUCTIONS });
        if (end !== "milestone")
          throw new Error(`workload ${program.name} ended by ${end} before its milestone`);
        boots++;
      },
    ],
    check() {
      ends.add(`${emulation?.instructions} ${emulation?.console.sha256()}`);
      return [...ends, `${boots} boots`].join(", ");
    },
  };
}

/** One step goes through all kinds of devices, one round each. */
function lifecycleWork(hardware: Hardware, name: string): Work {
  const run = scenario(name).start({ hardware });
  return {
    steps: [
      () => {
        for (let device = 0; device < PLUGGED.length; device++) run.round();
      },
    ],
    check: () => `${run.releaseTimes.length} released`,
  };
}

/** The loops of the dispatch suite, in rounds of {@link ACCESSES_PER_ROUND}. */
function probeWork(name: string, form: Form): Work {
  const one = flatMap(form, 1);
  const all = flatMap(form, VARIANTS);
  const read = readLoop(all.space, walk(all.addresses, 4, "walk"), 4);
  const write = writeLoop(all.space, walk(all.addresses, 4, "walk"), 4);
  // The dispatcher sees every kind of device first: with a single kind, V8 would inline its callback.
  for (let turn = 0; turn < 400; turn++) {
    read(256);
    write(256);
  }
  let sum = 0;
  const check = () => String(sum);
  const counted = (loop: (count: number) => number): Work => ({
    steps: [
      () => {
        sum = (sum + loop(ACCESSES_PER_ROUND)) | 0;
      },
    ],
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
      throw new Error(`probes/${name}: there is no work of this name to count`);
  }
}

/** A commit that changes the map, then the first read of each of its regions; only the reads are counted. */
function missWork(form: Form): Work {
  const { space, addresses } = flatMap(form, COMMITTED_REGIONS);
  const model = space.model;
  const beside = MemoryRegion.new(model.noOwner, "beside", PROBE_BYTES);
  // The free page above the last probe.
  space.root?.addSubregion((addresses.at(-1) ?? 0) + PROBE_BYTES, beside);
  let sum = 0;
  return {
    prepare: () => {
      beside.setEnabled(!beside.enabled);
      model.rcu.poll(); // frees the previous view
    },
    steps: [
      () => {
        for (const address of addresses) sum = (sum + space.read(address, 4)) | 0;
      },
    ],
    check: () => String(sum),
  };
}

/** Work of a known size, for the test of the instrument: `steps` of the same arithmetic. */
function plantedWork(steps: number): Work {
  let state = 1;
  let rounds = 0;
  return {
    steps: [
      () => {
        rounds++;
        state = churn(state, steps);
      },
    ],
    check: () => `${rounds}, ${state === 0 ? "stuck" : "moving"}`,
  };
}

/**
 * Marsaglia's xorshift (J. Stat. Softw. 8, 14, 2003): every step depends on the previous one, so none can be optimised
 * away.
 */
export function churn(seed: number, steps: number): number {
  let x = seed;
  for (let step = 0; step < steps; step++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}
