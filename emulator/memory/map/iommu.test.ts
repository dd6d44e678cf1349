import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccessSize,
  AddressSpace,
  formatFlatViews,
  IommuAccess,
  IommuAttribute,
  IommuEvent,
  IommuMemoryRegion,
  type IommuNotifier,
  type IommuTlbEntry,
  iommuOf,
  iotlbEntry,
  type MemoryModel,
  MemoryRegion,
  type MemTxAttrs,
  MemTxResult,
  UNSPECIFIED_ATTRS,
} from "#memory";
import { QomAbort, QomError, QomObject } from "#qom";
import { EmbeddingOwner, Owner, recordingOps, testMemory } from "../testing.ts";

const PAGE = 0x1000;

/** Translates by a list of pages; table 1 is that of secure originators, and permits nothing that is not listed. */
class TableIommu extends IommuMemoryRegion {
  static override readonly typeName = "test-iommu-memory-region";
  readonly tables: [Map<number, IommuTlbEntry>, Map<number, IommuTlbEntry>] = [new Map(), new Map()];
  /** What translations were asked for. */
  readonly asked: number[] = [];
  nowhere!: AddressSpace;
  refuses = IommuEvent.DeviceUnmap;
  readonly changes: [old: number, now: number][] = [];

  override translate(iova: number, access: number, index: number): IommuTlbEntry {
    this.asked.push(access);
    for (const entry of this.tables[index as 0 | 1].values())
      if (iova >= entry.iova && iova < entry.iova + entry.size) return entry;
    return {
      target: this.nowhere,
      iova: iova - (iova % PAGE),
      address: 0,
      size: PAGE,
      access: IommuAccess.None,
    };
  }

  override get indexCount(): number {
    return 2;
  }

  override indexOf(attrs: MemTxAttrs): number {
    return attrs.secure ? 1 : 0;
  }

  protected override onFollowedEvents(old: number, now: number): void {
    if ((now & this.refuses) !== 0) throw new QomError("this IOMMU cannot tell device caches");
    this.changes.push([old, now]);
  }

  /** Maps a page, or a larger one, in table 0. */
  set(
    iova: number,
    target: AddressSpace,
    address: number,
    access: number,
    size = PAGE,
    index: 0 | 1 = 0,
  ): void {
    this.tables[index].set(iova, { target, iova, address, size, access });
  }
}

/** One table, and an attribute. */
class PlainIommu extends IommuMemoryRegion {
  static override readonly typeName = "test-plain-iommu-memory-region";

  override translate(): never {
    throw new Error("nothing is behind it");
  }

  override attribute(attribute: number): unknown {
    return attribute === IommuAttribute.SpaprTceFd ? 7 : super.attribute(attribute);
  }
}

class EmbeddingIommu extends QomObject {
  static override readonly typeName = "test-iommu-owner";
  declare readonly model: MemoryModel;
  readonly iommu = this.embed(TableIommu);
}

const FORMS = ["embedded", "owned"] as const;
type Form = (typeof FORMS)[number];

/** System memory with RAM at 0x10000; and 64 KiB of addresses behind an IOMMU, as a bus master sees them. */
function behindIommu(form: Form, options: ConstructorParameters<typeof MemoryModel>[0] = {}) {
  const memory = testMemory(options);
  const { model, root, space } = memory;
  const owner = model.create(EmbeddingIommu);
  let { iommu } = owner;
  if (form === "embedded") iommu.initIommu(owner, "iommu", 16 * PAGE);
  else iommu = TableIommu.newIommu(owner, "iommu", 16 * PAGE);
  iommu.nowhere = space;
  const ram = MemoryRegion.newRam(model.noOwner, "ram", 4 * PAGE);
  root.addSubregion(0x1_0000, ram);
  const device = new AddressSpace(model, iommu, "bus master");
  return { ...memory, owner, iommu, ram, device };
}

describe.each(FORMS)("an IOMMU, %s", (form) => {
  it("is one range of the view, of its own type and size, and a child of its owner", () => {
    const { model, iommu, owner, device } = behindIommu(form);
    expect(device.view.ranges.map(({ region, start, end }) => [region, start, end])).toEqual([
      [iommu, 0, 16 * PAGE],
    ]);
    expect(formatFlatViews(model)).toContain("0000000000000000-000000000000ffff (prio 0, i/o): iommu\n");
    expect(owner.child("iommu[0]")).toBe(iommu);
    expect(iommu.qomType.instanceSize).toBe(288);
    expect(iommuOf(iommu)).toBe(iommu);
    expect(iommuOf(MemoryRegion.newAlias(owner, "alias", iommu, 0, PAGE))).toBe(iommu);
    expect(iommuOf(device.view.root as MemoryRegion)).toBe(iommu);
  });

  it("has attributes and tables as its kind says: by default none, and one", () => {
    const { iommu, owner } = behindIommu(form);
    expect(iommu.attribute(IommuAttribute.SpaprTceFd)).toBeNull();
    expect(iommu.indexCount).toBe(2);
    const sPaprLike = PlainIommu.newIommu(owner, "tce", PAGE);
    expect([sPaprLike.indexCount, sPaprLike.indexOf({ ...UNSPECIFIED_ATTRS, secure: true })]).toEqual([1, 0]);
    expect(sPaprLike.attribute(IommuAttribute.SpaprTceFd)).toBe(7);
    expect(sPaprLike.attribute(99)).toBeNull();
  });

  it("tells what may be cached of a page: where it is behind all IOMMUs in a row, and how far that holds", () => {
    const { model, iommu, owner, device, space } = behindIommu(form);
    iommu.set(0, space, 0x1_0000, IommuAccess.Read, 2 * PAGE);
    iommu.set(2 * PAGE, space, 0x9_0000, IommuAccess.ReadWrite);
    const cached = (of: AddressSpace, address: number, isWrite: boolean) => {
      const entry = iotlbEntry(of, address, isWrite);
      return entry && [entry.target, entry.iova, entry.address, entry.size, entry.access];
    };
    const all = IommuAccess.ReadWrite;
    expect(cached(device, PAGE + 5, false)).toEqual([space, 0, 0x1_0000, 2 * PAGE, all]);
    expect(cached(device, PAGE + 5, true)).toBeNull(); // not permitted
    expect(cached(device, 2 * PAGE, false)).toBeNull(); // nothing there
    expect(cached(device, 16 * PAGE, false)).toBeNull(); // beyond the IOMMU
    expect(cached(space, 0x1_0123, true)).toEqual([space, 0x1_0000, 0x1_0000, PAGE, all]); // no IOMMU
    // A second one, with larger pages: what may be cached is as small as the smallest.
    const outer = TableIommu.newIommu(owner, "outer", 16 * PAGE);
    outer.nowhere = space;
    outer.set(0, device, 0, IommuAccess.ReadWrite, 16 * PAGE);
    const far = new AddressSpace(model, outer, "far");
    expect(cached(far, PAGE + 5, false)).toEqual([space, 0, 0x1_0000, 2 * PAGE, all]);
    iommu.set(8 * PAGE, space, 0x1_2000, IommuAccess.ReadWrite);
    expect(cached(far, 8 * PAGE + 5, true)).toEqual([space, 8 * PAGE, 0x1_2000, PAGE, all]);
  });

  it("forwards accesses to where the page is, asking for what the access does", () => {
    const { iommu, device, space } = behindIommu(form);
    iommu.set(2 * PAGE, space, 0x1_1000, IommuAccess.ReadWrite);
    device.write(2 * PAGE + 0x10, 8, 0x1122_3344, 0x5566_7788);
    expect(device.result).toBe(MemTxResult.Ok);
    expect(space.read(0x1_1010, 8)).toBe(0x1122_3344);
    expect(device.read(2 * PAGE + 0x14, 2)).toBe(0x7788);
    expect([device.read(2 * PAGE + 0x10, 8), device.high]).toEqual([0x1122_3344, 0x5566_7788]);
    expect(iommu.asked).toEqual([IommuAccess.Write, IommuAccess.Read, IommuAccess.Read]);
  });

  it("refuses what a page does not permit, and pages that are not translated", () => {
    const { iommu, device, space, ram } = behindIommu(form);
    ram.ramBytes().fill(0xee);
    iommu.set(0, space, 0x1_0000, IommuAccess.Read);
    iommu.set(PAGE, space, 0x1_1000, IommuAccess.Write);
    device.write(0, 4, 1);
    expect(device.result).toBe(MemTxResult.DecodeError);
    expect(device.read(0, 4)).toBe(0xeeee_eeee);
    expect([device.read(PAGE, 4), device.result]).toEqual([0, MemTxResult.DecodeError]);
    expect([device.read(2 * PAGE, 8), device.high, device.result]).toEqual([0, 0, MemTxResult.DecodeError]);
    const bytes = new Uint8Array(8).fill(1);
    expect(device.readBytes(PAGE - 4, bytes)).toBe(MemTxResult.DecodeError);
    expect([...bytes]).toEqual([0xee, 0xee, 0xee, 0xee, 0, 0, 0, 0]);
  });

  it("has translation tables for kinds of originators", () => {
    const { iommu, device, space } = behindIommu(form);
    iommu.set(0, space, 0x1_0000, IommuAccess.ReadWrite);
    iommu.set(0, space, 0x1_2000, IommuAccess.ReadWrite, PAGE, 1);
    device.write(4, 4, 5, 0, { ...UNSPECIFIED_ATTRS, secure: true });
    device.write(4, 4, 6);
    expect([space.read(0x1_0004, 4), space.read(0x1_2004, 4)]).toEqual([6, 5]);
  });

  it("lends RAM across pages that are contiguous behind it, and a bounce buffer for one page of anything else", () => {
    const { iommu, device, space, ram, root, model } = behindIommu(form);
    const owner = model.create(Owner);
    const calls: Parameters<typeof recordingOps>[0] = [];
    root.addSubregion(0x2_0000, MemoryRegion.newIo(owner, recordingOps(calls), null, "registers", PAGE));
    iommu.set(0, space, 0x1_0000, IommuAccess.ReadWrite);
    iommu.set(PAGE, space, 0x1_1000, IommuAccess.ReadWrite);
    iommu.set(2 * PAGE, space, 0x1_3000, IommuAccess.ReadWrite);
    iommu.set(3 * PAGE, space, 0x2_0000, IommuAccess.Write);
    const lent = device.map(0x800, 3 * PAGE, true);
    expect(lent?.bytes.length).toBe(2 * PAGE - 0x800);
    lent?.bytes.fill(7);
    if (lent) device.unmap(lent, 4);
    expect(ram.ramBytes()[0x800]).toBe(7);
    const counted = owner.refCount;
    const bounce = device.map(3 * PAGE + PAGE - 4, 8, true);
    expect([bounce?.bytes.length, bounce?.bounce === null]).toEqual([4, false]);
    expect(owner.refCount).toBe(counted + 1);
    bounce?.bytes.set([1, 2, 3, 4]);
    if (bounce) device.unmap(bounce, 4);
    expect(calls).toEqual([{ kind: "write", offset: 0xffc, size: 4, value: 0x0403_0201 }]);
    expect(device.map(3 * PAGE, 4, false)).toBeNull(); // not permitted
  });

  it("lets its own translation table be read through the space that it serves", () => {
    const { iommu, device, space } = behindIommu(form);
    iommu.set(0, space, 0x1_0000, IommuAccess.ReadWrite);
    iommu.set(PAGE, device, 0, IommuAccess.ReadWrite); // in turn through page 0
    device.write(PAGE + 8, 4, 42);
    expect([space.read(0x1_0008, 4), device.read(PAGE + 8, 4)]).toEqual([42, 42]);
    iommu.set(2 * PAGE, device, 2 * PAGE, IommuAccess.ReadWrite); // round for ever
    expect([device.read(2 * PAGE, 4), device.result]).toEqual([0, MemTxResult.DecodeError]);
  });
});

describe("notifiers of an IOMMU", () => {
  function following(events: number, start = 0, end = 16 * PAGE, index = 0) {
    const told: IommuTlbEntry[] = [];
    const notifier: IommuNotifier = { events, start, end, index, notify: (entry) => told.push(entry) };
    return { notifier, told };
  }

  it("hear of the events, the table and the range that they follow, clipped", () => {
    const { iommu, space } = behindIommu("owned");
    const all = following(IommuEvent.Map | IommuEvent.Unmap);
    const part = following(IommuEvent.Unmap, 0x1800, 0x2800);
    const other = following(IommuEvent.Unmap, 0, PAGE, 1);
    for (const { notifier } of [all, part, other]) iommu.addNotifier(notifier);
    const page = { target: space, iova: PAGE, address: 0, size: PAGE, access: IommuAccess.None };
    iommu.notify(0, IommuEvent.Unmap, page);
    iommu.notify(0, IommuEvent.Map, { ...page, access: IommuAccess.Read });
    iommu.notify(0, IommuEvent.Unmap, { ...page, iova: 3 * PAGE });
    iommu.notify(1, IommuEvent.Unmap, { ...page, iova: 0 });
    expect(all.told.map(({ iova, access }) => [iova, access])).toEqual([
      [PAGE, 0],
      [PAGE, 1],
      [3 * PAGE, 0],
    ]);
    expect(part.told).toEqual([{ ...page, iova: 0x1800, size: 0x800 }]);
    expect(other.told.map(({ iova }) => iova)).toEqual([0]);
    expect(() => iommu.notify(0, IommuEvent.Unmap, { ...page, access: IommuAccess.Read })).toThrow(QomAbort);
  });

  it("are what the IOMMU is told about, which may refuse them", () => {
    const { iommu } = behindIommu("owned");
    const [map, unmap] = [following(IommuEvent.Map), following(IommuEvent.Unmap)];
    iommu.addNotifier(map.notifier);
    iommu.addNotifier(unmap.notifier);
    iommu.addNotifier(following(IommuEvent.Unmap).notifier);
    expect(() => iommu.addNotifier(following(IommuEvent.DeviceUnmap).notifier)).toThrow(QomError);
    expect(iommu.followedEvents).toBe(IommuEvent.Map | IommuEvent.Unmap);
    iommu.removeNotifier(map.notifier);
    expect(iommu.changes).toEqual([
      [0, 2],
      [2, 3],
      [3, 1],
    ]);
    expect(() => iommu.removeNotifier(map.notifier)).toThrow(/no such notifier/);
    expect(() => iommu.addNotifier(following(0).notifier)).toThrow(/no events/);
    expect(() => iommu.addNotifier(following(1, 5, 5).notifier)).toThrow(/empty range/);
    expect(() => iommu.addNotifier(following(1, 0, 5, 2).notifier)).toThrow(/table 2 of 2/);
  });

  it("are told all translations by a replay", () => {
    const { iommu, space } = behindIommu("owned");
    iommu.set(PAGE, space, 0x1_0000, IommuAccess.Read);
    iommu.set(4 * PAGE, space, 0x1_0000, IommuAccess.ReadWrite);
    const { notifier, told } = following(IommuEvent.Map);
    iommu.replay(notifier);
    expect(told.map(({ iova }) => iova)).toEqual([PAGE, 4 * PAGE]);
    expect(new Set(iommu.asked)).toEqual(new Set([IommuAccess.None]));
  });

  it("are forgotten with the IOMMU, whose storage may be initialised again", () => {
    const { owner, iommu, device, model } = behindIommu("embedded");
    iommu.addNotifier(following(IommuEvent.Map).notifier);
    device.destroy();
    model.rcu.drain();
    iommu.unparent();
    iommu.initIommu(owner, "again", PAGE);
    expect(iommu.followedEvents).toBe(0);
  });
});

describe("what an IOMMU leads to", () => {
  it("is a use after free when its address space has ended", () => {
    const { model, iommu, device } = behindIommu("owned", { checked: "count" });
    const owner = model.create(EmbeddingOwner);
    owner.region.initRam(owner, "far", PAGE);
    const far = new AddressSpace(model, owner.region, "far");
    iommu.set(0, far, 0, IommuAccess.ReadWrite);
    device.write(0, 4, 3);
    expect(model.detector?.found).toEqual([]);
    far.destroy();
    expect([device.read(0, 4), device.result]).toEqual([0, MemTxResult.DecodeError]); // shows nothing, but lives
    expect(model.detector?.found).toEqual([]);
    model.rcu.drain();
    device.read(0, 4);
    const found = model.detector?.found ?? [];
    expect(new Set(found.map(({ name, subject }) => [name, subject === far].join()))).toEqual(
      new Set(["UseAfterFree,true"]),
    );
  });

  it("is reported as used too late when the IOMMU has ended under a view", () => {
    for (const form of FORMS) {
      const { model, iommu, device } = behindIommu(form, { checked: "count" });
      iommu.unparent();
      device.read(0, 4);
      const kind = form === "embedded" ? "UseAfterFinalize" : "UseAfterFree";
      const names = model.detector?.found.filter(({ subject }) => subject === iommu).map(({ name }) => name);
      expect(new Set(names)).toEqual(new Set(["FinalizedInView", kind]));
    }
  });
});

// Property test: transfers and single accesses through two IOMMUs in a row against byte-wise translation.

const KINDS = ["ram", "rom", "registers", "nothing", "second"] as const;
const pageOf = (kinds: readonly (typeof KINDS)[number][]) =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    place: fc.nat({ max: 3 }),
    access: fc.constantFrom(0, 1, 2, 3, 3, 3),
  });
const BYTES = 16;

interface NaivePage {
  readonly kind: (typeof KINDS)[number];
  readonly place: number;
  readonly access: number;
}

describe("random translations", () => {
  it("reach the same bytes as translating each byte by hand", () => {
    fc.assert(
      fc.property(
        fc.array(pageOf(KINDS), { minLength: 6, maxLength: 6 }),
        fc.array(pageOf(KINDS.slice(0, 4)), { minLength: 4, maxLength: 4 }),
        fc.array(
          fc.record({
            at: fc.nat({ max: 6 * BYTES - 1 }),
            length: fc.integer({ min: 1, max: 40 }),
            isWrite: fc.boolean(),
            single: fc.boolean(),
            seed: fc.nat({ max: 200 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        (pages, behind, accesses) => compare(pages, behind, accesses),
      ),
      { numRuns: 150 },
    );
  });
});

interface RandomAccess {
  readonly at: number;
  readonly length: number;
  readonly isWrite: boolean;
  readonly single: boolean;
  readonly seed: number;
}

/** Pages of 16 bytes, so that transfers cross many. */
function compare(
  pages: readonly NaivePage[],
  behind: readonly NaivePage[],
  accesses: readonly RandomAccess[],
): void {
  const { model, root, space } = testMemory();
  const owner = model.create(Owner);
  const stores = { ram: new Uint8Array(64), rom: new Uint8Array(64), registers: new Uint8Array(64) };
  const mine = { ram: new Uint8Array(64), rom: new Uint8Array(64).fill(0x77), registers: new Uint8Array(64) };
  stores.rom.fill(0x77);
  const bases = { ram: 0x1000, rom: 0x2000, registers: 0x3000, nothing: 0x4000 };
  root.addSubregion(bases.ram, MemoryRegion.newRamPtr(owner, "ram", stores.ram));
  const rom = MemoryRegion.newRamPtr(owner, "rom", stores.rom);
  rom.setReadOnly(true);
  root.addSubregion(bases.rom, rom);
  const bytewise = {
    read: (_: unknown, offset: number) => stores.registers[offset] ?? 0,
    write: (_: unknown, offset: number, value: number) => {
      stores.registers[offset] = value;
    },
    endianness: "little",
    valid: { unaligned: true },
    impl: { maxAccessSize: 1 },
  } as const;
  root.addSubregion(bases.registers, MemoryRegion.newIo(owner, bytewise, null, "registers", 64));

  const second = TableIommu.newIommu(owner, "second", 4 * BYTES);
  const first = TableIommu.newIommu(owner, "first", 6 * BYTES);
  const secondSpace = new AddressSpace(model, second, "second");
  const device = new AddressSpace(model, first, "device");
  for (const iommu of [first, second]) iommu.nowhere = space;
  const enter = (iommu: TableIommu, list: readonly NaivePage[]) => {
    for (const [index, { kind, place, access }] of list.entries()) {
      const target = kind === "second" ? secondSpace : space;
      const base = kind === "second" ? 0 : bases[kind];
      iommu.set(index * BYTES, target, base + place * BYTES, access, BYTES);
    }
  };
  enter(first, pages);
  enter(second, behind);

  /** Where one byte is; null if it is refused. */
  const locate = (at: number, needs: number): readonly [Uint8Array, number] | null => {
    let page = pages[Math.floor(at / BYTES)];
    if (page === undefined || (page.access & needs) === 0) return null;
    if (page.kind === "second") {
      page = behind[page.place];
      if (page === undefined || (page.access & needs) === 0) return null;
    }
    const { kind, place } = page;
    if (kind === "nothing" || kind === "second" || (kind === "rom" && needs === 2)) return null;
    return [mine[kind], place * BYTES + (at % BYTES)];
  };

  for (const { at, length, isWrite, single, seed } of accesses) {
    const size = single ? ((2 ** (length % 4)) as AccessSize) : length;
    const start = single ? at - (at % size) : at;
    const bytes = Uint8Array.from({ length: size }, (_, i) => (seed + i) & 0xff);
    const expected = Uint8Array.from(bytes);
    let refused = false;
    for (let i = 0; i < size; i++) {
      const place = locate(start + i, isWrite ? 2 : 1);
      refused ||= place === null;
      if (isWrite && place !== null) place[0][place[1]] = bytes[i] ?? 0;
      if (!isWrite) expected[i] = place === null ? 0 : (place[0][place[1]] ?? 0);
    }
    let result: number;
    if (!single) result = isWrite ? device.writeBytes(start, bytes) : device.readBytes(start, bytes);
    else {
      const view = new DataView(new ArrayBuffer(8));
      new Uint8Array(view.buffer).set(bytes);
      const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
      if (isWrite) device.write(start, size as AccessSize, low, high);
      else {
        view.setUint32(0, device.read(start, size as AccessSize), true);
        view.setUint32(4, size === 8 ? device.high : 0, true);
        bytes.set(new Uint8Array(view.buffer, 0, size));
      }
      result = device.result;
    }
    if (!isWrite) expect([...bytes]).toEqual([...expected]);
    expect(result === MemTxResult.Ok).toBe(!refused);
    expect([stores.ram, stores.rom, stores.registers]).toEqual([mine.ram, mine.rom, mine.registers]);
  }
}
