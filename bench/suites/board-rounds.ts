/**
 * Creation and tear-down of boards: the part of a machine that can differ between the forms, without processors and
 * memory.
 */
import { Emulation, type Hardware } from "#machine";
import type { RamAllocator } from "#memory";
import { DeviceModel } from "#qdev";
import type { MetricDefinition } from "#results";
import { BOARD_CREATION, MACHINE_CREATION, MACHINE_SUBJECT, OTHER_MARGIN_PERCENT, TEAR_DOWN } from "#results";
import type { SlicedWork } from "../trio/work.ts";
import { slicedTime } from "./sliced-time.ts";

const RAM_BYTES = 2 ** 20;
const MACHINE_RAM_BYTES = 128 * 2 ** 20;
/** RAM, flash banks and boot ROM of one board. */
const POOL_BYTES = 96 * 2 ** 20;

/**
 * Host memory that every board reuses as the previous one left it. Fresh pages would cost more than the whole board,
 * whatever the form, and at unpredictable times.
 */
export class PooledRam implements RamAllocator {
  private readonly pool = new ArrayBuffer(POOL_BYTES);
  private used = 0;

  allocate(bytes: number): Uint8Array {
    if (this.used + bytes > POOL_BYTES) throw new RangeError("the board needs more memory than the pool has");
    const block = new Uint8Array(this.pool, this.used, bytes);
    this.used += (bytes + 7) & ~7;
    return block;
  }

  release(): void {}

  /** Makes the whole pool available again, before the next board. */
  reuse(): void {
    this.used = 0;
  }
}

/** Makes a board: objects, realize, first flat view, reset. */
export function makeBoard(hardware: Hardware, ram: RamAllocator): DeviceModel {
  const model = new DeviceModel({ ram });
  hardware.registerTypes(model.types);
  model.createMachine("virt-machine", { ramBytes: RAM_BYTES, hartCount: 1 }).reset();
  return model;
}

export function boardWork(hardware: Hardware, quick: boolean): SlicedWork {
  const ram = new PooledRam();
  return {
    metrics: [
      boardMetric(
        BOARD_CREATION,
        "A board's objects, realize, first flat view, reset; no processors, no fresh memory.",
      ),
      boardMetric(TEAR_DOWN, "Address spaces, RCU callbacks, the object tree of a board."),
    ],
    step: 1,
    warmUpSlices: quick ? 60 : 100,
    slices: quick ? 200 : 500,
    divisible: false,
    slice(count, into) {
      let create = 0;
      let destroy = 0;
      for (let i = 0; i < count; i++) {
        ram.reuse();
        const started = performance.now();
        const model = makeBoard(hardware, ram);
        const made = performance.now();
        model.destroy();
        destroy += performance.now() - made;
        create += made - started;
      }
      into[0] = (1e6 * create) / count;
      into[1] = (1e6 * destroy) / count;
    },
  };
}

/**
 * Whole machines: mostly host memory and WebAssembly instances, the same in both forms, and noisy. The count decides.
 */
export function machineWork(hardware: Hardware, quick: boolean): SlicedWork {
  return {
    metrics: [
      {
        ...boardMetric(
          MACHINE_CREATION,
          "A board, its processors, its memory: everything that a boot begins with.",
        ),
        role: "detail",
        decides: false,
      },
    ],
    step: 1,
    warmUpSlices: quick ? 5 : 10,
    slices: quick ? 12 : 40,
    divisible: false,
    slice(count, into) {
      let create = 0;
      for (let i = 0; i < count; i++) {
        const started = performance.now();
        const emulation = new Emulation({ hardware, ramBytes: MACHINE_RAM_BYTES });
        create += performance.now() - started;
        emulation.destroy();
      }
      into[0] = (1e6 * create) / count;
    },
  };
}

function boardMetric(name: string, description: string): MetricDefinition {
  const [suite, workload, margin, role] = [
    "boot",
    MACHINE_SUBJECT,
    OTHER_MARGIN_PERCENT,
    "headline",
  ] as const;
  return slicedTime({ suite, workload, name, description, margin, role });
}
