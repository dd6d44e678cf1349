import type { Interval } from "./interval.ts";
import type { MemoryRegion } from "./region.ts";

/** For some roots, the places below each. */
export type Places = ReadonlyMap<MemoryRegion, readonly Interval[]>;

/**
 * What has changed below the roots of address spaces and views since it was last asked for. A change of a region is
 * followed at once through all containers and aliases that show it; what becomes visible only later, with a container or
 * an alias, is part of the change of that.
 */
export class MapChanges {
  private readonly isRoot: (region: MemoryRegion) => boolean;
  private readonly enabled: boolean;
  /** Aliases of each region. */
  private readonly aliases = new WeakMap<MemoryRegion, Set<MemoryRegion>>();
  private map = new Map<MemoryRegion, Interval[]>();
  private ioEventFds = new Map<MemoryRegion, Interval[]>();

  /**
   * @param isRoot whether anything is rendered from a region
   * @param enabled false if everything is rendered at each commit, so that nobody will ask
   */
  constructor(isRoot: (region: MemoryRegion) => boolean, enabled: boolean) {
    this.isRoot = isRoot;
    this.enabled = enabled;
  }

  aliasBegins(alias: MemoryRegion, target: MemoryRegion): void {
    if (!this.enabled) return;
    const aliases = this.aliases.get(target);
    if (aliases === undefined) this.aliases.set(target, new Set([alias]));
    else aliases.add(alias);
  }

  aliasEnds(alias: MemoryRegion): void {
    if (this.enabled && alias.alias !== null) this.aliases.get(alias.alias)?.delete(alias);
  }

  /** Notes that what `region` shows from `low` to `high` may have changed. */
  note(region: MemoryRegion, low: number, high: number): void {
    if (this.enabled) this.follow(region, low, high, this.map);
  }

  /** Notes that event notifiers at an offset of `region` have changed. */
  noteIoEventFd(region: MemoryRegion, offset: number): void {
    if (this.enabled) this.follow(region, offset, offset + 1, this.ioEventFds);
  }

  /** Where `region` may be visible. */
  placesOf(region: MemoryRegion): Places {
    const places = new Map<MemoryRegion, Interval[]>();
    this.follow(region, 0, region.size, places);
    return places;
  }

  /** Changes of the map; forgets them. */
  takeMap(): Places {
    const { map } = this;
    if (map.size > 0) this.map = new Map();
    return map;
  }

  /** Changes of event notifiers; forgets them. */
  takeIoEventFds(): Places {
    const { ioEventFds } = this;
    if (ioEventFds.size > 0) this.ioEventFds = new Map();
    return ioEventFds;
  }

  private follow(region: MemoryRegion, low: number, high: number, into: Map<MemoryRegion, Interval[]>): void {
    if (low >= high) return;
    if (this.isRoot(region)) {
      const places = into.get(region);
      if (places === undefined) into.set(region, [{ low, high }]);
      else places.push({ low, high });
    }
    const { container } = region;
    if (container !== null) {
      const { address } = region;
      this.follow(container, Math.max(low + address, 0), Math.min(high + address, container.size), into);
    }
    for (const alias of this.aliases.get(region) ?? []) {
      const { aliasOffset, size } = alias;
      this.follow(alias, Math.max(low - aliasOffset, 0), Math.min(high - aliasOffset, size), into);
    }
  }
}
