/** Who holds whom: every reference count of a machine with its holder and its reason, and the cycles among them. */
import { AddressSpace, AddressSpaceStorage, FlatView, FoundRange, Mapping, MemoryRegion } from "#memory";
import { ObjectState, QomObject } from "#qom";
import { Bus } from "./bus.ts";
import type { DeviceModel } from "./device-model.ts";

/**
 * Why something is held.
 *
 * - `property`, `link`: a child property, a strong link
 * - `foreign container`, `own container`: a region inside a container of another owner, or of the same owner
 * - `root`: the root of a flat view or of an address space; `view`: a range of a flat view; `section`: its entry in the
 *   dispatch table
 * - `map`: memory lent to a device; `find`: a range that was looked up and not released
 * - `bus`: a device on a bus, or the bus of a device
 * - `region`: a region holds its owner, in policies in which it does
 * - `shows`: an address space and its flat view
 * - `field`: the state of an object, which destroys the address space, or unmaps the mapping, that it refers to. Not
 *   a count
 * - `external`: counts that none of these explains, such as a caller that has just created the object
 */
export type HoldReason =
  | "property"
  | "link"
  | "foreign container"
  | "own container"
  | "root"
  | "view"
  | "section"
  | "map"
  | "find"
  | "bus"
  | "region"
  | "shows"
  | "field"
  | "external";

/** Anything that holds or is held. */
export type Holder = QomObject | FlatView | AddressSpace | Mapping | FoundRange;

export interface Hold {
  /** Null: outside of the machine. */
  readonly holder: Holder | null;
  readonly held: Holder;
  readonly reason: HoldReason;
  /** References; 0 for a field, which takes none. */
  readonly count: number;
  /** Names of the properties, or of the regions through which an owner is held. */
  readonly through: readonly string[];
}

export interface HoldGraph {
  readonly nodes: readonly Holder[];
  readonly holds: readonly Hold[];
  /**
   * For each group of things that hold each other, a shortest cycle. Nothing in one ends before something breaks it.
   * Buses and the devices on them are left out: unparenting the device breaks that.
   */
  readonly cycles: readonly (readonly Hold[])[];
}

/** All references of a machine at this moment, those of deferred flat views and parentless objects included. */
export function holdGraph(model: DeviceModel): HoldGraph {
  const collector = new Collector(model);
  const nodes = collector.nodes();
  for (const node of nodes) collector.follow(node);
  collector.addExternal(nodes);
  const holds = collector.holds();
  return { nodes, holds, cycles: cyclesOf(nodes, holds) };
}

class Collector {
  private readonly model: DeviceModel;
  private readonly found = new Map<Holder | null, Map<Holder, Map<HoldReason, string[]>>>();

  constructor(model: DeviceModel) {
    this.model = model;
  }

  /** Everything in the ledger that has not ended. */
  nodes(): Holder[] {
    const { addressSpaces, endingSpaces, finds, heap } = this.model;
    const nodes: Holder[] = [...addressSpaces, ...endingSpaces].flatMap((space) => [
      space,
      ...space.mappings.current(),
    ]);
    nodes.push(...finds);
    for (const { tenants } of heap.live()) {
      for (const tenant of tenants) {
        const isLive = tenant instanceof QomObject && tenant.state === ObjectState.Live;
        if (isLive || tenant instanceof FlatView) nodes.push(tenant);
      }
    }
    return nodes;
  }

  follow(node: Holder): void {
    if (node instanceof FlatView) this.followView(node);
    else if (node instanceof AddressSpace) this.followSpace(node);
    else if (node instanceof Mapping) this.addRegion(node, node.region, "map");
    else if (node instanceof FoundRange) this.addRegion(node, node.region, "find");
    else this.followObject(node);
  }

  private followView(view: FlatView): void {
    if (view.root !== null) this.addRegion(view, view.root, "root");
    for (const { region } of view.heldRanges) {
      this.addRegion(view, region, "view");
      this.addRegion(view, region, "section");
    }
  }

  private followSpace(space: AddressSpace): void {
    if (space.heldRoot !== null) this.addRegion(space, space.heldRoot, "root");
    this.add(space, space.view, "shows", "");
  }

  private followObject(object: QomObject): void {
    for (const [name, child] of object.children()) this.add(object, child, "property", name);
    for (const [name, target] of object.strongLinks()) this.add(object, target, "link", name);
    if (object instanceof MemoryRegion) this.followRegion(object);
    if (object instanceof Bus) {
      for (const device of object.held) this.add(object, device, "bus", object.name);
      for (const device of object.devices) this.add(device, object, "bus", object.name);
    }
    for (const [field, value] of Object.entries(object)) {
      const held = value instanceof AddressSpaceStorage ? value.current : value;
      if (held instanceof AddressSpace || held instanceof Mapping) this.add(object, held, "field", field);
    }
  }

  private followRegion(region: MemoryRegion): void {
    for (const subregion of region.subregions) {
      if (this.model.exempt(region, subregion)) continue;
      const own = region.owner === subregion.owner;
      this.addRegion(region, subregion, own ? "own container" : "foreign container");
    }
    if (this.model.references.regionHoldsOwner && region.owner !== null)
      this.add(region, region.owner, "region", nameOf(region));
  }

  /** A reference to a region, which may count on its owner. */
  private addRegion(holder: Holder, region: MemoryRegion, reason: HoldReason): void {
    const target = this.model.references.countsOn === "region" ? region : region.owner;
    if (target !== null) this.add(holder, target, reason, nameOf(region));
  }

  private add(holder: Holder | null, held: Holder, reason: HoldReason, through: string): void {
    const ofHolder = this.found.get(holder) ?? new Map<Holder, Map<HoldReason, string[]>>();
    this.found.set(holder, ofHolder);
    const ofHeld = ofHolder.get(held) ?? new Map<HoldReason, string[]>();
    ofHolder.set(held, ofHeld);
    ofHeld.set(reason, [...(ofHeld.get(reason) ?? []), through]);
  }

  /** Adds the counts that nothing explains. */
  addExternal(nodes: readonly Holder[]): void {
    const explained = new Map<Holder, number>();
    for (const { held, count } of this.holds()) explained.set(held, (explained.get(held) ?? 0) + count);
    for (const node of nodes) {
      if (!(node instanceof QomObject)) continue;
      for (let left = node.refCount - (explained.get(node) ?? 0); left > 0; left--)
        this.add(null, node, "external", "");
    }
  }

  holds(): Hold[] {
    return [...this.found].flatMap(([holder, ofHolder]) =>
      [...ofHolder].flatMap(([held, reasons]) =>
        [...reasons].map(([reason, through]) => ({
          holder,
          held,
          reason,
          count: reason === "field" ? 0 : through.length,
          through: [...new Set(through)].filter((name) => name !== ""),
        })),
      ),
    );
  }
}

function nameOf(region: MemoryRegion): string {
  return region.name ?? region.nameInParent;
}

/** A shortest cycle of each strongly connected component. */
function cyclesOf(nodes: readonly Holder[], holds: readonly Hold[]): Hold[][] {
  const from = new Map<Holder, Hold[]>(nodes.map((node) => [node, []]));
  for (const hold of holds) {
    if (hold.holder !== null && hold.reason !== "bus") from.get(hold.holder)?.push(hold);
  }
  return componentsOf(nodes, from).flatMap((component) => {
    const inside = new Set(component);
    let shortest: Hold[] | null = null;
    for (const start of component) {
      const cycle = cycleThrough(start, inside, from);
      if (cycle !== null && (shortest === null || cycle.length < shortest.length)) shortest = cycle;
    }
    return shortest === null ? [] : [shortest];
  });
}

/** Breadth first. */
function cycleThrough(
  start: Holder,
  inside: ReadonlySet<Holder>,
  from: ReadonlyMap<Holder, readonly Hold[]>,
): Hold[] | null {
  const reachedBy = new Map<Holder, Hold>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const hold of from.get(node) ?? []) {
      if (hold.held === start) {
        const path = [hold];
        for (let at: Holder = node; at !== start; ) {
          const step = reachedBy.get(at) as Hold; // every node in the queue but the start was reached
          path.unshift(step);
          at = step.holder as Holder; // only holders inside the machine are followed
        }
        return path;
      }
      if (!inside.has(hold.held) || reachedBy.has(hold.held)) continue;
      reachedBy.set(hold.held, hold);
      queue.push(hold.held);
    }
  }
  return null;
}

/** Strongly connected components (Tarjan), without recursion: a machine may have long chains. */
function componentsOf(nodes: readonly Holder[], from: ReadonlyMap<Holder, readonly Hold[]>): Holder[][] {
  const index = new Map<Holder, number>();
  const low = new Map<Holder, number>();
  const onStack = new Set<Holder>();
  const stack: Holder[] = [];
  const components: Holder[][] = [];
  const enter = (node: Holder) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    stack.push(node);
    onStack.add(node);
    return { node, next: 0 };
  };
  const lowered = (node: Holder, to: number) => low.set(node, Math.min(low.get(node) ?? to, to));
  for (const root of nodes) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const held = from.get(node)?.[top.next++]?.held;
      if (held !== undefined) {
        if (!index.has(held)) path.push(enter(held));
        else if (onStack.has(held)) lowered(node, index.get(held) ?? 0);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above !== undefined) lowered(above.node, low.get(node) ?? 0);
      if (low.get(node) !== index.get(node)) continue;
      const component = stack.splice(stack.indexOf(node));
      for (const member of component) onStack.delete(member);
      components.push(component);
    }
  }
  return components;
}
