/** Runs random schedules on the emulator and on a naive model of lifetimes, and compares what they touch too late. */
import fc from "fast-check";
import { expect } from "vitest";
import { AddressSpace, type FlatView, MemoryModel, MemoryRegion, WHOLE_ADDRESS_SPACE } from "#memory";
import { QomAbort } from "#qom";
import { EmbeddingOwner, recordingOps } from "../testing.ts";
import {
  NaiveAbort,
  type NaiveDevice,
  NaiveMachine,
  type NaiveRegion,
  type NaiveView,
} from "./naive-lifetimes.ts";

const SLOTS = 3;
const SLOT_BYTES = 0x1000;
const ALIASES = 0x10_0000;

const STEPS = [
  "plug",
  "unplug",
  "hold",
  "let go",
  "map",
  "unmap",
  "unparent",
  "re-realize",
  "alias",
  "no alias",
  "look at the view",
  "touch a region",
  "touch a device",
  "touch a view",
  "access",
  "reader comes",
  "reader goes",
  "grace period",
] as const;

interface Step {
  readonly what: (typeof STEPS)[number];
  readonly slot: number;
  readonly pick: number;
}

const schedule: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom(...STEPS),
    slot: fc.nat({ max: SLOTS - 1 }),
    pick: fc.nat({ max: 1000 }),
  }),
  { minLength: 10, maxLength: 60, size: "max" },
);

/** Something in both worlds. */
interface Pair<Real, Naive> {
  readonly real: Real;
  readonly naive: Naive;
}

interface Plugged extends Pair<EmbeddingOwner, NaiveDevice> {
  window: Pair<MemoryRegion, NaiveRegion>;
  alias: MemoryRegion | null;
}

/** Where devices have their windows; `mixed` decides at random for each device. */
export type Windows = "embedded" | "owned" | "mixed";

/**
 * @param numRuns number of schedules
 * @returns how often each kind of touch was found, with the kind of thing, and how often a step aborted
 */
export function compareSchedules(numRuns: number, windows: Windows = "mixed"): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(schedule, fc.nat(), (steps, releaseOrder) => {
      for (const kind of new Schedule(releaseOrder, windows).run(steps))
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns },
  );
  return seen;
}

/** What schedules are about; each must happen for a comparison to mean anything. */
export const KINDS = [
  "FinalizedInView region",
  "UseAfterFinalize region",
  "UseAfterFree region",
  "UseAfterFree device",
  "UseAfterFree view",
  "abort",
] as const;

class Schedule {
  private readonly model: MemoryModel;
  private readonly root: MemoryRegion;
  private readonly space: AddressSpace;
  private readonly naive = new NaiveMachine();
  private readonly ids = new Map<object, string>();
  private readonly slots: (Plugged | null)[] = Array(SLOTS).fill(null);
  private readonly windows: Pair<MemoryRegion, NaiveRegion>[] = [];
  private readonly devices: Pair<EmbeddingOwner, NaiveDevice>[] = [];
  private readonly views: Pair<FlatView, NaiveView>[] = [];
  private readonly held: Pair<MemoryRegion, NaiveRegion>[] = [];
  private readonly readers: Pair<() => void, number>[] = [];

  private readonly windowForm: Windows;

  constructor(releaseOrder: number, windows: Windows) {
    this.windowForm = windows;
    this.model = new MemoryModel({ checked: "count", releaseOrder });
    this.root = MemoryRegion.new(this.model.noOwner, "root", WHOLE_ADDRESS_SPACE);
    this.space = new AddressSpace(this.model, this.root, "memory");
  }

  /** Returns the kinds of what was found, in order. */
  run(steps: readonly Step[]): string[] {
    const kinds: string[] = [];
    const last: Step = { what: "grace period", slot: 0, pick: 0 };
    for (const step of [...steps, last]) {
      const ended = this.both(step);
      this.nameView();
      const found = this.model.detector?.found.splice(0) ?? [];
      const ours = new Set(found.map(({ name, subject }) => `${name} ${this.ids.get(subject as object)}`));
      expect([...ours].sort()).toEqual(this.naive.take());
      kinds.push(...[...ours].map((touch) => touch.replace(/ \d+$/, "")));
      if (ended) return [...kinds, "abort"];
    }
    return kinds;
  }

  /** Makes a step in both worlds; returns whether both aborted. */
  private both(step: Step): boolean {
    const [real, naive] = this.halves(step);
    let [aborts, shouldAbort] = [false, false];
    try {
      naive();
    } catch (error) {
      if (!(error instanceof NaiveAbort)) throw error;
      shouldAbort = true;
    }
    try {
      real();
    } catch (error) {
      if (!(error instanceof QomAbort)) throw error;
      aborts = true;
    }
    expect(aborts).toBe(shouldAbort);
    return aborts;
  }

  /** What a step does in each world; nothing if it makes no sense now. */
  private halves({ what, slot, pick }: Step): [real: () => void, naive: () => void] {
    const { naive, model, root } = this;
    const nothing: [() => void, () => void] = [() => {}, () => {}];
    const of = <T>(list: readonly T[]): T | undefined => list[pick % Math.max(list.length, 1)];
    const plugged = this.slots[slot] ?? null;
    if (what === "grace period") return [() => model.rcu.poll(), () => naive.gracePeriod()];
    if (what === "reader comes") {
      this.readers.push({ real: model.rcu.read(), naive: naive.enterReader() });
      return nothing;
    }
    if (what === "reader goes") {
      const reader = this.readers.splice(pick % Math.max(this.readers.length, 1), 1)[0];
      return reader === undefined ? nothing : [reader.real, () => naive.leaveReader(reader.naive)];
    }
    if (what === "let go") {
      const held = this.held.splice(pick % Math.max(this.held.length, 1), 1)[0];
      return held === undefined ? nothing : [() => held.real.unref(), () => naive.drop(held.naive)];
    }
    if (what === "look at the view") {
      this.views.push({ real: this.space.view, naive: naive.view });
      return nothing;
    }
    if (what === "touch a view") {
      const view = of(this.views);
      return view === undefined ? nothing : [() => view.real.ranges, () => naive.touchView(view.naive)];
    }
    if (what === "touch a region") {
      const window = of(this.windows);
      return window === undefined ? nothing : [() => window.real.size, () => naive.touchRegion(window.naive)];
    }
    if (what === "touch a device") {
      const device = of(this.devices);
      return device === undefined
        ? nothing
        : [() => device.real.refCount, () => naive.touchDevice(device.naive)];
    }
    if (what === "plug") {
      const embedded = this.windowForm === "mixed" ? pick % 2 === 0 : this.windowForm === "embedded";
      if (plugged === null) this.plug(slot, embedded);
      return nothing;
    }
    return plugged === null ? nothing : this.ofPlugged(what, slot, plugged, root);
  }

  private ofPlugged(
    what: Step["what"],
    slot: number,
    plugged: Plugged,
    root: MemoryRegion,
  ): [real: () => void, naive: () => void] {
    const { naive, model } = this;
    const { window, alias } = plugged;
    const live = window.naive.state === "live";
    const { inRoot } = window.naive;
    const address = SLOT_BYTES * (1 + slot);
    if (what === "unplug" && alias === null) {
      // Without unmapping: then the device lives on, and nobody can reach it any more.
      this.slots[slot] = null;
      return [() => plugged.real.unref(), () => naive.dropDevice(plugged.naive)];
    }
    if (what === "hold" && live) {
      this.held.push(window);
      return [() => window.real.ref(), () => naive.hold(window.naive)];
    }
    if (what === "map" && live && !inRoot)
      return [() => root.addSubregion(address, window.real), () => naive.map(window.naive)];
    if (what === "unmap" && inRoot)
      return [() => root.delSubregion(window.real), () => naive.unmap(window.naive)];
    if (what === "unparent") return [() => window.real.unparent(), () => naive.unparent(window.naive)];
    if (what === "alias" && live && alias === null) {
      return [
        () => {
          plugged.alias = MemoryRegion.newAlias(model.noOwner, "alias", window.real, 0, SLOT_BYTES);
          root.addSubregion(ALIASES + address, plugged.alias);
        },
        () => naive.addAlias(window.naive),
      ];
    }
    if (what === "no alias" && alias !== null) {
      plugged.alias = null;
      return [
        () => {
          root.delSubregion(alias);
          alias.unparent();
        },
        () => naive.removeAlias(window.naive),
      ];
    }
    if (what === "access" && alias !== null)
      return [() => this.space.read(ALIASES + address, 4), () => naive.access(window.naive)];
    if (what === "re-realize" && !inRoot && alias === null) {
      const { embedded } = window.naive;
      return [
        () => {
          plugged.window = this.initWindow(plugged, embedded);
        },
        () => naive.makeWindow(plugged.naive, embedded),
      ];
    }
    return [() => {}, () => {}];
  }

  private plug(slot: number, embedded: boolean): void {
    const naive = this.naive.plug(embedded);
    const real = this.model.create(EmbeddingOwner);
    this.ids.set(real, naive.id);
    this.devices.push({ real, naive });
    const plugged = { real, naive, alias: null };
    this.slots[slot] = { ...plugged, window: this.initWindow(plugged, embedded) };
  }

  /** After the naive model has done the same. */
  private initWindow(
    { real, naive }: Pair<EmbeddingOwner, NaiveDevice>,
    embedded: boolean,
  ): Pair<MemoryRegion, NaiveRegion> {
    let { region } = real;
    if (embedded) region.initIo(real, recordingOps([]), null, "window", SLOT_BYTES);
    else region = MemoryRegion.newIo(real, recordingOps([]), null, "window", SLOT_BYTES);
    this.ids.set(region, naive.window.id);
    const window = { real: region, naive: naive.window };
    this.windows.push(window);
    return window;
  }

  private nameView(): void {
    this.ids.set(this.space.view, this.naive.view.id);
  }
}
