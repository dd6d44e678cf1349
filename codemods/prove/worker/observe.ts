/** The state of a machine as lines of text, read without being counted as uses. */
import type * as Memory from "#memory";
import type * as Qdev from "#qdev";
import type * as Qom from "#qom";
import type { Rooms } from "./stage.ts";
import type { Step } from "./trace.ts";

type Observation = Pick<Step, "regions" | "windows" | "view" | "objects" | "uses">;

export class Observer {
  private readonly rooms: Rooms;
  private readonly model: Qdev.DeviceModel;
  private readonly blocks: Qom.Block[] = [];
  private usesSeen = 0;

  constructor(rooms: Rooms, model: Qdev.DeviceModel) {
    this.rooms = rooms;
    this.model = model;
    const allocate = model.heap.allocate.bind(model.heap);
    model.heap.allocate = (typeName, bytes) => {
      const block = allocate(typeName, bytes);
      this.blocks.push(block);
      return block;
    };
  }

  observe(device: Qom.QomObject | null): Observation {
    const uses = this.usesSince();
    const observation = {
      regions: this.regions(),
      windows: this.windows(device),
      view: this.view(),
      objects: this.objects(),
      uses,
    };
    this.forgetOwnUses();
    return observation;
  }

  /** Storage that is still allocated, by what it holds. */
  leaks(): string[] {
    const lines: string[] = [];
    for (const block of this.blocks) {
      if (block.freed) continue;
      const tenants = block.tenants as readonly Qom.QomObject[]; // objects only
      const [main] = tenants;
      if (main === undefined) lines.push(`a ${block.typeName}`);
      else if (!this.isLive(main)) lines.push(`storage of a ${block.typeName} that ${this.stateOf(main)}`);
      for (const tenant of tenants) if (this.isLive(tenant)) lines.push(`a live ${this.titleOf(tenant)}`);
    }
    this.forgetOwnUses();
    return lines.sort();
  }

  /** What stands in place of a region: its path, or why it has none. */
  label(region: unknown): string {
    if (region === undefined || region === null) return String(region);
    if (!(region instanceof this.rooms.qom.QomObject)) return typeof region;
    if (!this.isLive(region)) return `(a ${region.qomType.typeName} that ${this.stateOf(region)})`;
    return region.canonicalPath() ?? `(${this.titleOf(region)} without parent)`;
  }

  private isLive(object: Qom.QomObject): boolean {
    return object.state === this.rooms.qom.ObjectState.Live;
  }

  private stateOf({ state }: Qom.QomObject): string {
    const { ObjectState } = this.rooms.qom;
    if (state === ObjectState.Uninitialised) return "was never initialised";
    if (state === ObjectState.Freed) return "is freed";
    return state === ObjectState.Finalizing ? "is being finalized" : "is finalized";
  }

  private titleOf(object: Qom.QomObject): string {
    const { typeName } = object.qomType;
    return object instanceof this.rooms.memory.MemoryRegion ? `${typeName} "${object.name}"` : typeName;
  }

  private usesSince(): string[] {
    const found = this.model.detector?.found ?? [];
    const uses = found
      .slice(this.usesSeen)
      .map(({ name, typeName, touched }) => `${name}: ${touched} of a ${typeName}`);
    this.usesSeen = found.length;
    return [...new Set(uses)].sort();
  }

  private forgetOwnUses(): void {
    const found = this.model.detector?.found;
    if (found !== undefined) found.length = this.usesSeen;
  }

  private liveObjects(): Qom.QomObject[] {
    return this.blocks
      .filter(({ freed }) => !freed)
      .flatMap(({ tenants }) => tenants as readonly Qom.QomObject[]) // objects only
      .filter((tenant) => this.isLive(tenant));
  }

  private objects(): string[] {
    return this.liveObjects()
      .map((object) => `${this.label(object)}: ${object.qomType.typeName}, ${object.refCount} references`)
      .sort();
  }

  private regions(): string[] {
    const { MemoryRegion } = this.rooms.memory;
    const inTree: Memory.MemoryRegion[] = [];
    if (this.isLive(this.model.root)) {
      for (const object of this.model.root.descendants()) {
        if (object instanceof MemoryRegion) inTree.push(object);
      }
    }
    const seen = new Set<Qom.QomObject>(inTree);
    const outside = this.liveObjects().filter(
      (object) => object instanceof MemoryRegion && !seen.has(object),
    );
    return [
      ...inTree.map((region) => (this.isLive(region) ? this.regionLine(region) : this.label(region))),
      ...outside.map((region) => this.regionLine(region as Memory.MemoryRegion)).sort(), // as just filtered
    ];
  }

  private regionLine(region: Memory.MemoryRegion): string {
    const { container, alias } = region;
    const words = [
      `${this.label(region)}: ${kindOf(region)} "${region.name}"`,
      `${hex(region.size)} bytes`,
      container === null
        ? "nowhere"
        : `at ${hex(region.address)} of ${this.label(container)}, priority ${region.priority}, number ${this.placeIn(container, region)}`,
    ];
    if (alias !== null) words.push(`shows ${this.label(alias)} from ${hex(region.aliasOffset)}`);
    if (region.mappedViaAlias !== 0) words.push(`shown by ${region.mappedViaAlias}`);
    if (region.owner !== null) words.push(`owner ${this.label(region.owner)}`);
    if (region.guard !== null) words.push("guarded");
    if (!region.enabled) words.push("disabled");
    if (region.readOnly) words.push("read only");
    if (!region.romdMode) words.push("callbacks only");
    if (region.nonvolatile) words.push("nonvolatile");
    if (region.unmergeable) words.push("unmergeable");
    if (region.ioEventFds.length > 0) words.push(`${region.ioEventFds.length} event notifiers`);
    if (region.coalesced.length > 0) words.push(`${region.coalesced.length} coalesced ranges`);
    return words.join(", ");
  }

  private placeIn(container: Memory.MemoryRegion, region: Memory.MemoryRegion): string {
    return this.isLive(container) ? String(container.subregions.indexOf(region)) : "unknown";
  }

  private windows(device: Qom.QomObject | null): string[] {
    if (!(device instanceof this.rooms.qdev.SysBusDevice) || !this.isLive(device)) return [];
    return device.mmioWindows.map(({ region, address }) => `${this.label(region)} at ${hex(address)}`);
  }

  private view(): string[] {
    return this.model.addressSpaces.flatMap((space) => [
      `${space.name}:`,
      ...space.view.ranges.map(({ start, end, offset, region, readOnly, romdMode, nonvolatile }) => {
        const flags = `${readOnly ? " read only" : ""}${romdMode ? "" : " callbacks only"}${nonvolatile ? " nonvolatile" : ""}`;
        return `${hex(start)} to ${hex(end)}: ${this.label(region)} from ${hex(offset)}${flags}`;
      }),
    ]);
  }
}

function kindOf({ alias, ram, romDevice, readOnly, terminates }: Memory.MemoryRegion): string {
  if (alias !== null) return "alias";
  if (romDevice) return "ROM device";
  if (ram !== null) return readOnly ? "ROM" : "RAM";
  return terminates ? "I/O" : "container";
}

export function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

/** A value that a device hands out, as comparable text. */
export function valueText(value: unknown, observer: Observer, depth = 2): string {
  if (typeof value === "object" && value !== null) {
    if (depth === 0) return "an object";
    if (Array.isArray(value))
      return `[${value.map((each) => valueText(each, observer, depth - 1)).join(", ")}]`;
    return observer.label(value);
  }
  return typeof value === "function" ? "a function" : String(value);
}
