import { QomAbort, type QomType } from "#qom";
import { PAGE_BYTES } from "../access/guest-memory.ts";
import type { MemTxAttrs } from "../access/ops.ts";
import type { AddressSpace } from "../address-space.ts";
import { MemoryRegion, type RegionOwner } from "./region.ts";

/** What an access does, or a translation permits: a bit set. */
export const IommuAccess = { None: 0, Read: 1, Write: 2, ReadWrite: 3 } as const;

/** Changes of translations, as a bit set. */
export const IommuEvent = {
  /** A page is not translated any more. */
  Unmap: 1,
  Map: 2,
  /** As `Unmap`, for a cache of translations in a device. */
  DeviceUnmap: 4,
} as const;

/** The translation of one page. */
export interface IommuTlbEntry {
  /** Where accesses to the page go. No reference is held: the translation must end before this space. */
  readonly target: AddressSpace;
  /** Offset in the IOMMU's region, and address in `target`, of the page's first byte. */
  readonly iova: number;
  readonly address: number;
  /** Bytes of the page: a power of two, except in announcements, which are clipped to what a notifier follows. */
  readonly size: number;
  /** A set of {@link IommuAccess}. */
  readonly access: number;
  /** The process whose translation it is, for devices that keep those of several; the memory core only hands it on. */
  readonly pasid?: number;
}

/** What QEMU's users of an IOMMU ask it for: how it differs from others. */
export const IommuAttribute = {
  /** Descriptor of the host's copy of a sPAPR table, for devices that the host translates for. */
  SpaprTceFd: 0,
} as const;

/** Follows the translations of a part of an IOMMU's region, as a device does that caches them. */
export interface IommuNotifier {
  /** A set of {@link IommuEvent}; not empty. */
  readonly events: number;
  readonly start: number;
  /** First offset after the part. */
  readonly end: number;
  /** Which of the IOMMU's translation tables. */
  readonly index: number;
  notify(entry: IommuTlbEntry): void;
}

/**
 * Forwards each access, page by page, to wherever `translate` says, in another address space. A flat view shows it as one
 * range. Each kind of IOMMU is a subclass. Source: QEMU 10.2.2, docs/devel/memory.rst and system/memory.c.
 */
export abstract class IommuMemoryRegion extends MemoryRegion {
  static override readonly typeName: string = "iommu-memory-region";
  static override readonly instanceSize: number = 288;

  /** The latest first. */
  private notifiers: readonly IommuNotifier[] = [];
  private followed = 0;

  protected override instanceInit(): void {
    this.isIommu = true;
    this.notifiers = [];
    this.followed = 0;
  }

  initIommu(owner: RegionOwner, name: string | null, size: number): void {
    this.initialize().adopt(owner, name, size).terminates = true;
  }

  static newIommu<R extends IommuMemoryRegion>(
    this: QomType<R>,
    owner: RegionOwner,
    name: string,
    size: number,
  ): R {
    // biome-ignore lint/complexity/noThisInStatic: the subclass that it is called on
    const region = IommuMemoryRegion.createIn(this, owner, name, size);
    region.terminates = true;
    return region;
  }

  /**
   * The page that contains `iova`, an offset in this region. Accesses that it does not permit are decode errors.
   * @param access what is about to be done; `IommuAccess.None` when somebody only looks
   * @param index which translation table
   */
  abstract translate(iova: number, access: number, index: number): IommuTlbEntry;

  /** Bytes of the smallest page. */
  get minPageSize(): number {
    return PAGE_BYTES;
  }

  /** Number of translation tables. */
  get indexCount(): number {
    return 1;
  }

  /** The translation table of an originator's accesses, as by `requesterId`, `pid`, or because it is `unspecified`. */
  indexOf(_attrs: MemTxAttrs): number {
    return 0;
  }

  /**
   * An attribute of this kind of IOMMU.
   * @param _attribute one of {@link IommuAttribute}
   * @returns null if this kind has none, or not that one (QEMU: -EINVAL)
   */
  attribute(_attribute: number): unknown {
    return null;
  }

  /** What all notifiers follow together, a set of {@link IommuEvent}. */
  get followedEvents(): number {
    return this.followed;
  }

  /** Called before `followedEvents` changes. @throws QomError to refuse a notifier */
  protected onFollowedEvents(_old: number, _now: number): void {}

  /** @throws QomAbort for an empty set or range, or a table that does not exist; QomError when the IOMMU refuses it */
  addNotifier(notifier: IommuNotifier): void {
    const { events, start, end, index } = notifier;
    const what = `a notifier of ${this.describe()}`;
    if (events === 0) throw new QomAbort(`${what} follows no events`);
    if (start >= end) throw new QomAbort(`${what} follows an empty range, from ${start} to ${end}`);
    if (!(index >= 0 && index < this.indexCount))
      throw new QomAbort(`${what} follows table ${index} of ${this.indexCount}`);
    this.follow([notifier, ...this.notifiers]);
  }

  /** @throws QomAbort when it was not added */
  removeNotifier(notifier: IommuNotifier): void {
    if (!this.notifiers.includes(notifier))
      throw new QomAbort(`${this.describe()} has no such notifier to remove`);
    this.follow(this.notifiers.filter((each) => each !== notifier));
  }

  /** Tells the notifiers that follow a table about a change, each about the part that it follows. */
  notify(index: number, event: number, entry: IommuTlbEntry): void {
    for (const notifier of this.notifiers) if (notifier.index === index) notifyOne(notifier, event, entry);
  }

  /** Tells one notifier every translation that there is, page by page; for IOMMUs with a better way to override. */
  replay(notifier: IommuNotifier): void {
    const step = this.minPageSize;
    for (let iova = 0; iova < this.size; iova += step) {
      const entry = this.translate(iova, IommuAccess.None, notifier.index);
      if (entry.access !== IommuAccess.None) notifier.notify(entry);
    }
  }

  private follow(notifiers: readonly IommuNotifier[]): void {
    const now = notifiers.reduce((set, { events }) => set | events, 0);
    if (now !== this.followed) this.onFollowedEvents(this.followed, now);
    this.followed = now;
    this.notifiers = notifiers;
  }
}

/**
 * Tells a notifier about the part of a change that it follows.
 * @throws QomAbort for a page that is unmapped and still permits something
 */
function notifyOne(notifier: IommuNotifier, event: number, entry: IommuTlbEntry): void {
  if (event === IommuEvent.Unmap && entry.access !== IommuAccess.None)
    throw new QomAbort("a page that is unmapped permits accesses");
  const low = Math.max(entry.iova, notifier.start);
  const size = Math.min(entry.iova + entry.size, notifier.end) - low;
  if (size > 0 && (event & notifier.events) !== 0) notifier.notify({ ...entry, iova: low, size });
}

/** The IOMMU that a region is, or that it is an alias of; null if there is none. */
export function iommuOf(region: MemoryRegion): IommuMemoryRegion | null {
  let target = region;
  while (target.alias !== null) target = target.alias;
  return target instanceof IommuMemoryRegion ? target : null;
}
