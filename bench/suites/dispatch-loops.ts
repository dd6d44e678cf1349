/** The loops that are timed. */
import type { AccessSize, AddressSpace, MemoryRegionOps } from "#memory";
import type { MetricDefinition } from "#results";
import { type Probe, probeOps } from "./probe.ts";

/** Makes `count` accesses; the result depends on each of them, so that none is optimised away. */
export type Loop = (count: number) => number;

/** One metric to be timed: a loop of accesses. */
export interface Case {
  /** Workload of the metric; default: probes in an address space. */
  readonly workload?: string;
  readonly name: string;
  readonly role: MetricDefinition["role"];
  readonly description: string;
  readonly loop: Loop;
  /** Called before each batch, neither timed nor counted; default: nothing. */
  readonly before?: () => void;
  /** Largest number of accesses per call of {@link loop}; default: as many as fill a slice. */
  readonly batch?: number;
}

/**
 * Reads along a walk repeatedly.
 * @param addresses where to read, in order; their number must be a power of two
 */
export function readLoop(space: AddressSpace, addresses: Int32Array, size: AccessSize): Loop {
  const mask = addresses.length - 1;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + space.read(addresses[i & mask] as number, size)) | 0;
    return sum;
  };
}

/** Like {@link readLoop}, but writes; the values are the numbers of the accesses. */
export function writeLoop(space: AddressSpace, addresses: Int32Array, size: AccessSize): Loop {
  const mask = addresses.length - 1;
  return (count) => {
    for (let i = 0; i < count; i++) space.write(addresses[i & mask] as number, size, i);
    return count;
  };
}

/**
 * The floor: the same callback on the same device at the same offsets, called directly through a variable. The caller
 * makes one loop for each kind of device and warms all of them up: they share their type feedback, so the call is
 * megamorphic, as in the dispatcher, and is not inlined.
 */
export function bareReadLoop(probe: Probe, offsets: Int32Array): Loop {
  const read = readCallback(probe);
  const mask = offsets.length - 1;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + read(probe, offsets[i & mask] as number, 4)) | 0;
    return sum;
  };
}

/** The floor of a large map: the callbacks of many devices in turn, which exceed the processor's caches as well. */
export function bareWalkLoop(probes: readonly Probe[], visits: Uint32Array): Loop {
  const callbacks = probes.map(readCallback);
  const mask = visits.length - 1;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const which = visits[i & mask] as number;
      const read = callbacks[which] as ReturnType<typeof readCallback>;
      sum = (sum + read(probes[which] as Probe, which & 0xfc, 4)) | 0;
    }
    return sum;
  };
}

function readCallback(probe: Probe): NonNullable<MemoryRegionOps<Probe>["read"]> {
  const { read } = probeOps(probe.variant);
  if (!read) throw new TypeError("the floor needs a read callback");
  return read;
}
