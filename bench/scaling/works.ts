/** What is made larger and larger: each kind of change whose cost might depend on the number of things. */
import { AddressSpace, type IoEventFd, MemoryRegion } from "#memory";
import type { DeviceModel } from "#qdev";
import { Container } from "#qom";
import type { Form, GrowthWork } from "#results";
import { Random } from "#results/statistics";
import { emptyMachine } from "../suites/dispatch-maps.ts";
import { createProbe, PROBE_BYTES, type Probe, VARIANTS } from "../suites/probe.ts";

export interface ScalingWork extends GrowthWork {
  /** Makes a machine of `size` things; returns what is timed, which returns the number of changes. */
  prepare(form: Form, size: number): () => number;
}

/** An exponent that logarithms and caches explain: between 1 000 and 100 000, log n grows as n^0.11. */
const LOGARITHMIC = 0.35;
/** The same beside a factor of n. */
const LINEAR = 1.25;
/** Reads at random grew as n^0.4 when each commit made an index, as more and more of them miss the caches. */
const CACHES = 0.45;
const AS_BEFORE = "as before: caches only, 0.4";

/** Changes that are timed together, where n of them would be too many. */
const CHANGES = 200;
const READS = 100_000;
/** QEMU gives out 32 767 indices for one name. */
const SIBLINGS = 8192;

interface Machine {
  readonly model: DeviceModel;
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  readonly probes: readonly Probe[];
}

/** A free page after each probe, so that ranges do not touch. */
const addressOf = (place: number) => place * 2 * PROBE_BYTES;

/** `count` probes side by side in the root of an address space. */
function mapped(form: Form, count: number): Machine {
  const { model, root } = emptyMachine();
  const probes = unmapped(model, form, count);
  model.transaction(() => {
    for (const [place, { window }] of probes.entries()) root.addSubregion(addressOf(place), window);
  });
  const space = new AddressSpace(model, root, "scaling");
  model.rcu.drain();
  return { model, root, space, probes };
}

function unmapped(model: DeviceModel, form: Form, count: number): Probe[] {
  return Array.from({ length: count }, (_, place) => probeAt(model, form, place));
}

function probeAt(model: DeviceModel, form: Form, place: number): Probe {
  const home = model.childContainer(model.unattached, `bank-${Math.floor(place / SIBLINGS)}`);
  return createProbe(model, home, form, place % VARIANTS, `probe-${place}`);
}

/** Places of probes in random order, the same each time. */
function somewhere(size: number): () => number {
  const random = new Random([1, 2, 3, 4]);
  return () => random.below(size);
}

const RENDERING =
  "system/memory.c: flatviews_reset renders everything, render_memory_region scans the ranges so far";
const LOOK_UP =
  "system/physmem.c: phys_page_find walks a tree; address_space_translate tries the last section first";

export const WORKS: readonly ScalingWork[] = [
  {
    name: "map-change",
    change: "one of n mapped regions is removed or added again; a commit and an access each",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n^2",
    source: RENDERING,
    prepare(form, size) {
      const { model, root, space, probes } = mapped(form, size);
      const next = somewhere(size);
      return () => {
        for (let i = 0; i < CHANGES; i++) {
          const place = next();
          const { window } = probes[place] as Probe; // the place is below the number of probes
          root.delSubregion(window);
          space.read(addressOf(place), 4);
          root.addSubregion(addressOf(place), window);
          space.read(addressOf(place), 4);
        }
        model.rcu.drain();
        return 2 * CHANGES;
      };
    },
  },
  {
    name: "plug",
    change: "n devices are created, realized and mapped, a commit each",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n^2",
    source: RENDERING,
    prepare(form, size) {
      const { model, root, space } = mapped(form, 0);
      return () => {
        for (let place = 0; place < size; place++) {
          root.addSubregion(addressOf(place), probeAt(model, form, place).window);
          if (place % 100 === 0) model.rcu.drain();
        }
        space.read(0, 4);
        return size;
      };
    },
  },
  {
    name: "unplug",
    change: "n devices are unmapped, unrealized and freed, a commit each",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n^2",
    source: RENDERING,
    prepare(form, size) {
      const { model, root, probes } = mapped(form, size);
      return () => {
        for (const [place, probe] of probes.entries()) {
          root.delSubregion(probe.window);
          probe.remove();
          if (place % 100 === 0) model.rcu.drain();
        }
        model.rcu.drain();
        return size;
      };
    },
  },
  {
    name: "notifiers",
    change: "one event notifier is added to a region that has n, a transaction each",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n",
    source:
      "system/memory.c: memory_region_add_eventfd moves the array, address_space_update_ioeventfds makes it again",
    prepare(form, size) {
      const { model, root, probes } = mapped(form, 1);
      const [probe] = probes as [Probe];
      root.delSubregion(probe.window);
      probe.window.setSize(16 * size);
      root.addSubregion(0, probe.window);
      const fds = new Random([1, 2, 3, 4]).shuffled(
        Array.from({ length: size }, (_, i): IoEventFd => ({ offset: 4 * i, size: 4, notify: () => {} })),
      );
      return () => {
        for (const fd of fds) probe.window.addIoEventFd(fd);
        model.rcu.drain();
        return size;
      };
    },
  },
  {
    name: "change-seen-by-all",
    change: "one region of n is removed, which n address spaces show",
    aim: "n log n",
    most: LINEAR,
    qemu: "n^2",
    source:
      "system/memory.c: as above, and address_space_update_ioeventfds walks n ranges for each of n spaces",
    prepare(form, size) {
      const { model, root, probes } = mapped(form, size);
      for (let i = 1; i < size; i++) new AddressSpace(model, root, `space-${i}`);
      const next = somewhere(size);
      const changes = Math.max(2, Math.min(CHANGES, Math.floor(200_000 / size)));
      return () => {
        for (let i = 0; i < changes; i++) {
          const place = next();
          const { window } = probes[place] as Probe; // as above
          if (window.container === null) root.addSubregion(addressOf(place), window);
          else root.delSubregion(window);
        }
        model.rcu.drain();
        return changes;
      };
    },
  },
  {
    name: "destroy-spaces",
    change: "one of n address spaces over a map of n regions is destroyed",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "1",
    source: "system/memory.c: address_space_detach commits without a pending change of the map",
    prepare(form, size) {
      const { model, root, space } = mapped(form, size);
      const spaces = Array.from({ length: size - 1 }, (_, i) => new AddressSpace(model, root, `space-${i}`));
      return () => {
        for (const each of [space, ...spaces]) each.destroy();
        model.rcu.drain();
        return size;
      };
    },
  },
  {
    name: "destroy-container",
    change: "one region ends with its owner, which has a container with n of them",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n",
    source: "qom/object.c: object_property_del_all starts again after each release",
    prepare(_form, size) {
      const { model } = mapped("owned", 1);
      const owner = model.create(Container);
      const outer = MemoryRegion.new(owner, "outer", 16 * size);
      for (let i = 0; i < size; i++)
        outer.addSubregion(
          16 * i,
          MemoryRegion.new(owner, `inner-${i % 64}-${Math.floor(i / SIBLINGS)}`, 16),
        );
      return () => {
        owner.unref();
        return size;
      };
    },
  },
  {
    name: "destroy-devices",
    change: "one of n devices, which are mapped nowhere, ends with its parent",
    aim: "1",
    most: LOGARITHMIC,
    qemu: "n",
    source: "qom/object.c: object_property_del_all starts again after each release",
    prepare(form, size) {
      const { model } = emptyMachine();
      const home = model.create(Container);
      for (let i = 0; i < size; i++) createProbe(model, home, form, i % VARIANTS, `probe-${i}`);
      return () => {
        home.unref();
        model.rcu.drain();
        return size;
      };
    },
  },
  {
    name: "sibling-names",
    change: "one of n siblings called r[*] goes, and two are added",
    aim: "log n",
    most: LOGARITHMIC,
    qemu: "n",
    source: "qom/object.c: object_property_try_add tries each index in turn",
    prepare(_form, size) {
      const { model } = emptyMachine();
      const home = model.create(Container);
      const names = Array.from({ length: Math.ceil(size / SIBLINGS) }, (_, i) => `r${i}`);
      const add = (i: number) => {
        const child = model.create(Container);
        home.addChild(`${names[i % names.length]}[*]`, child);
        child.unref();
      };
      for (let i = 0; i < size; i++) add(i);
      return () => {
        for (let i = 0; i < CHANGES; i++) {
          home.child(`${names[i % names.length]}[0]`)?.unparent();
          add(i);
          add(i);
        }
        return CHANGES;
      };
    },
  },
  {
    name: "first-reads",
    change: "one of the first reads after a change of the map, of each of n devices in random order",
    aim: AS_BEFORE,
    most: CACHES,
    qemu: "log n",
    source: LOOK_UP,
    prepare(form, size) {
      const { model, root, space, probes } = mapped(form, size);
      const [{ window }] = probes as [Probe];
      root.delSubregion(window);
      root.addSubregion(addressOf(0), window);
      model.rcu.drain();
      const places = new Random([1, 2, 3, 4]).shuffled(probes.map((_, place) => place));
      return () => {
        for (const place of places) space.read(addressOf(place), 4);
        return size;
      };
    },
  },
  {
    name: "warm-reads",
    change: "one of 100 000 reads, or eight for each device, at random among n that were read before",
    aim: AS_BEFORE,
    most: CACHES,
    qemu: "log n",
    source: LOOK_UP,
    prepare(form, size) {
      const { space } = mapped(form, size);
      for (let place = 0; place < size; place++) space.read(addressOf(place), 4);
      const next = somewhere(size);
      const reads = Math.max(READS, 8 * size);
      return () => {
        for (let i = 0; i < reads; i++) space.read(addressOf(next()), 4);
        return reads;
      };
    },
  },
];
