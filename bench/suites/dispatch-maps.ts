/** Address maps for timed accesses: probes side by side, nested in containers, or seen through aliases. */
import { type AccessSize, AddressSpace, MemoryRegion, WHOLE_ADDRESS_SPACE } from "#memory";
import { DeviceModel } from "#qdev";
import type { Form } from "#results";
import { Random } from "#results/statistics";
import { createProbe, PROBE_BYTES, type Probe, VARIANTS } from "./probe.ts";

export interface ProbeMap {
  readonly space: AddressSpace;
  /** The address of each probe, in the order of {@link probes}. */
  readonly addresses: readonly number[];
  readonly probes: readonly Probe[];
}

/** Regions per container in large maps; boards, too, group what they have many of. */
export const CONTAINER_REGIONS = 256;

/** A machine without a processor: a model and its root region, for which the caller makes an address space. */
export function emptyMachine(): { model: DeviceModel; root: MemoryRegion } {
  const model = new DeviceModel();
  const root = MemoryRegion.new(model.noOwner, "system", WHOLE_ADDRESS_SPACE);
  model.systemMemory = root;
  return { model, root };
}

/** `count` probes of all kinds, one page each, in containers of 256. */
export function flatMap(form: Form, count: number): ProbeMap {
  const { model, root } = emptyMachine();
  const addresses: number[] = [];
  const probes: Probe[] = [];
  model.transaction(() => {
    for (let first = 0; first < count; first += CONTAINER_REGIONS) {
      const container = MemoryRegion.new(
        model.noOwner,
        `window-${first}`,
        CONTAINER_REGIONS * 2 * PROBE_BYTES,
      );
      root.addSubregion(first * 2 * PROBE_BYTES, container);
      const home = model.childContainer(model.unattached, `bank-${first}`);
      for (let i = 0; i < Math.min(CONTAINER_REGIONS, count - first); i++) {
        const probe = createProbe(model, home, form, i % VARIANTS, `probe-${i}`);
        // A free page between two probes, so that ranges neither merge nor touch.
        container.addSubregion(i * 2 * PROBE_BYTES, probe.window);
        addresses.push((first + i) * 2 * PROBE_BYTES);
        probes.push(probe);
      }
    }
  });
  return { space: new AddressSpace(model, root, "bench"), addresses, probes };
}

/** One probe inside `depth` nested containers, each at an offset in the next. */
export function nestedMap(form: Form, depth: number): ProbeMap {
  const { model, root } = emptyMachine();
  const probe = createProbe(model, model.unattached, form, 0, "probe");
  let inner = probe.window;
  for (let level = 0; level < depth; level++) {
    const container = MemoryRegion.new(model.noOwner, `level-${level}`, inner.size + 2 * PROBE_BYTES);
    container.addSubregion(PROBE_BYTES, inner);
    inner = container;
  }
  root.addSubregion(0, inner);
  return {
    space: new AddressSpace(model, root, "bench"),
    addresses: [depth * PROBE_BYTES],
    probes: [probe],
  };
}

/** One probe seen through a chain of `length` aliases. */
export function aliasMap(form: Form, length: number): ProbeMap {
  const { model, root } = emptyMachine();
  const probe = createProbe(model, model.unattached, form, 0, "probe");
  let target = probe.window;
  for (let link = 0; link < length; link++) {
    target = MemoryRegion.newAlias(model.noOwner, `alias-${link}`, target, 0, PROBE_BYTES);
  }
  root.addSubregion(PROBE_BYTES, target);
  return { space: new AddressSpace(model, root, "bench"), addresses: [PROBE_BYTES], probes: [probe] };
}

/** Length of a walk: a power of two, and longer than the history of branch predictors. */
export const WALK = 1 << 14;

/**
 * Addresses to visit, in random order with repetition, at aligned offsets in the windows of the probes. With one probe,
 * every visit after the first hits the last section; with many, hardly any does. 32-bit integers, because V8 passes
 * them without allocation, as the emulated processor does for a board's devices.
 */
export function walk(addresses: readonly number[], size: AccessSize, label: string): Int32Array {
  const random = Random.seeded(1, label);
  return Int32Array.from({ length: WALK }, () => {
    const address = addresses[random.below(addresses.length)] ?? 0;
    return address + size * random.below(64);
  });
}

/** Indices of devices to visit, chosen like the addresses of {@link walk}. */
export function visits(devices: number, label: string): Uint32Array {
  const random = Random.seeded(1, label);
  return Uint32Array.from({ length: WALK }, () => random.below(devices));
}
