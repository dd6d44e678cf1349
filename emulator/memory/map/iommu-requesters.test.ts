/** Which translation table an access uses: by its originator's attributes, through IOMMUs in a row, for each kind of access. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type AccessSize,
  AddressSpace,
  DmaView,
  IommuAccess,
  IommuEvent,
  IommuMemoryRegion,
  type IommuTlbEntry,
  iotlbEntry,
  MemoryRegion,
  type MemoryRegionOps,
  type MemTxAttrs,
  MemTxResult,
  type Transaction,
  UNSPECIFIED_ATTRS,
} from "#memory";
import { testMemory } from "../testing.ts";

/** Bytes of a page, so that accesses cross many. */
const BYTES = 16;
/** Pages of each IOMMU and of the RAM behind them. */
const PAGES = 4;
const RAM_PAGES = 6;
const PROCESSES = 3;
const REQUESTERS = 2;

/** Where a page is, and what may be done with it. */
interface Page {
  readonly place: number;
  readonly access: number;
}
type Table = readonly Page[];

/** Table 0 is that of originators that say nothing of themselves; each process of each requester has one. */
class ProcessIommu extends IommuMemoryRegion {
  static override readonly typeName: string = "test-process-iommu";
  tables: readonly Table[] = [];
  behind!: AddressSpace;

  override get minPageSize(): number {
    return BYTES;
  }

  override get indexCount(): number {
    return 1 + PROCESSES * REQUESTERS;
  }

  override indexOf({ unspecified, pid = 0, requesterId }: MemTxAttrs): number {
    return unspecified === true ? 0 : 1 + requesterId * PROCESSES + pid;
  }

  override translate(iova: number, _access: number, index: number): IommuTlbEntry {
    const page = Math.floor(iova / BYTES);
    const { place, access } = this.tables[index]?.[page] ?? { place: 0, access: IommuAccess.None };
    const entry = { target: this.behind, iova: page * BYTES, address: place * BYTES, size: BYTES, access };
    return index === 0 ? entry : { ...entry, pasid: (index - 1) % PROCESSES };
  }
}

/** A table for secure originators and one for the others. */
class SecureIommu extends ProcessIommu {
  static override readonly typeName = "test-secure-iommu";
  override get indexCount(): number {
    return 2;
  }
  override indexOf({ secure }: MemTxAttrs): number {
    return Number(secure);
  }
}

/** The table of an originator, found otherwise: by looking for it. */
const originators: readonly (MemTxAttrs | null)[] = [
  null,
  ...Array.from({ length: REQUESTERS }, (_, requesterId) =>
    Array.from({ length: PROCESSES }, (_, pid) => ({ secure: false, user: false, requesterId, pid })),
  ).flat(),
];
function naiveTables(attrs: MemTxAttrs): [first: number, second: number] {
  const first = originators.findIndex((each) =>
    each === null
      ? attrs.unspecified
      : each.pid === (attrs.pid ?? 0) && each.requesterId === attrs.requesterId,
  );
  return [first, attrs.secure ? 1 : 0];
}

const table = (places: number): fc.Arbitrary<Table> =>
  fc.array(fc.record({ place: fc.nat({ max: places - 1 }), access: fc.constantFrom(0, 1, 2, 3, 3, 3) }), {
    minLength: PAGES,
    maxLength: PAGES,
  });
const tables = (count: number, places: number) =>
  fc.array(table(places), { minLength: count, maxLength: count });
const attributes: fc.Arbitrary<MemTxAttrs> = fc.oneof(
  fc.constant(UNSPECIFIED_ATTRS),
  fc.record(
    {
      secure: fc.boolean(),
      user: fc.boolean(),
      requesterId: fc.nat({ max: REQUESTERS - 1 }),
      pid: fc.nat({ max: PROCESSES - 1 }),
    },
    { requiredKeys: ["secure", "user", "requesterId"] },
  ),
);
const accesses = fc.array(
  fc.record({
    kind: fc.constantFrom("single", "transfer", "view", "mapping", "cached"),
    isWrite: fc.boolean(),
    at: fc.nat({ max: PAGES * BYTES - 1 }),
    length: fc.integer({ min: 1, max: 40 }),
    attrs: attributes,
    seed: fc.nat({ max: 200 }),
  }),
  { minLength: 1, maxLength: 20 },
);

it("is the same for each byte as a naive model says, whichever way the access takes", () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(
      tables(1 + PROCESSES * REQUESTERS, PAGES),
      tables(2, RAM_PAGES),
      accesses,
      (first, second, list) => {
        const { model, root, space } = testMemory();
        const ram = new Uint8Array(RAM_PAGES * BYTES);
        const mine = new Uint8Array(RAM_PAGES * BYTES);
        root.addSubregion(0, MemoryRegion.newRamPtr(model.noOwner, "ram", ram));
        const inner = SecureIommu.newIommu(model.noOwner, "inner", PAGES * BYTES);
        const outer = ProcessIommu.newIommu(model.noOwner, "outer", PAGES * BYTES);
        inner.behind = space;
        outer.behind = new AddressSpace(model, inner, "between");
        inner.tables = second;
        outer.tables = first;
        const device = new AddressSpace(model, outer, "device");

        for (const { kind, isWrite, at, length, attrs, seed } of list) {
          const needs = isWrite ? IommuAccess.Write : IommuAccess.Read;
          const [one, two] = naiveTables(attrs);
          /** The place of a byte in RAM; null if an IOMMU refuses it. */
          const locate = (address: number): number | null => {
            const outerPage = first[one]?.[Math.floor(address / BYTES)];
            if (outerPage === undefined || (outerPage.access & needs) === 0) return null;
            const innerPage = second[two]?.[outerPage.place];
            if (innerPage === undefined || (innerPage.access & needs) === 0) return null;
            return innerPage.place * BYTES + (address % BYTES);
          };
          const size = kind === "single" ? ((2 ** (length % 4)) as AccessSize) : length;
          const start = kind === "single" ? at - (at % size) : at;
          const bytes = Uint8Array.from({ length: size }, (_, i) => (seed + i) & 0xff);
          const places = Array.from({ length: size }, (_, i) => locate(start + i));
          reached.add(`${kind} ${isWrite} ${places.includes(null)}`);

          if (kind === "cached") {
            const entry = iotlbEntry(device, start, isWrite, attrs);
            const place = places[0] ?? null;
            const expected =
              place === null ? null : [space, start - (start % BYTES), place - (place % BYTES)];
            expect(entry && [entry.target, entry.iova, entry.address]).toEqual(expected);
            continue;
          }
          if (kind === "mapping") {
            const mapping = device.map(start, size, isWrite, attrs);
            // As far as RAM goes on in one piece, allowed and contiguous.
            const [begin = null] = places;
            let reach = 0;
            while (begin !== null && reach < size && places[reach] === begin + reach) reach++;
            expect(mapping?.bytes.length ?? 0).toBe(reach);
            if (mapping === null) continue;
            if (isWrite) mapping.bytes.set(bytes.subarray(0, reach));
            else expect([...mapping.bytes]).toEqual([...mine.subarray(begin ?? 0, (begin ?? 0) + reach)]);
            device.unmap(mapping, isWrite ? reach : 0);
            if (isWrite && begin !== null) mine.set(bytes.subarray(0, reach), begin);
            expect(ram).toEqual(mine);
            continue;
          }
          const expected = places.map((place, i) =>
            isWrite ? (bytes[i] ?? 0) : place === null ? 0 : (mine[place] ?? 0),
          );
          if (isWrite)
            for (const [i, place] of places.entries()) if (place !== null) mine[place] = bytes[i] ?? 0;
          let result: number;
          if (kind === "single") {
            const view = new DataView(new ArrayBuffer(8));
            new Uint8Array(view.buffer).set(bytes);
            if (isWrite) {
              const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
              device.write(start, size as AccessSize, low, high, attrs);
            } else {
              view.setUint32(0, device.read(start, size as AccessSize, attrs), true);
              view.setUint32(4, size === 8 ? device.high : 0, true);
              bytes.set(new Uint8Array(view.buffer, 0, size));
            }
            result = device.result;
          } else {
            const by = kind === "view" ? new DmaView(device, attrs) : null;
            if (isWrite) result = by?.writeBytes(start, bytes) ?? device.writeBytes(start, bytes, attrs);
            else result = by?.readBytes(start, bytes) ?? device.readBytes(start, bytes, attrs);
          }
          expect([...bytes]).toEqual(expected);
          expect(result === MemTxResult.Ok).toBe(!places.includes(null));
          expect(ram).toEqual(mine);
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(reached.size).toBe(5 * 2 * 2); // each kind, reading and writing, permitted and not
});

it("stays known to the device behind the IOMMUs, whichever way the access takes", () => {
  const { model, root, space } = testMemory();
  const seen: (number | undefined)[] = [];
  const note = (_: unknown, { attrs }: Transaction) => {
    seen.push(attrs.pid);
    return 0;
  };
  const registers: MemoryRegionOps<null> = {
    readWithAttrs: (opaque, _offset, _size, transaction) => note(opaque, transaction),
    writeWithAttrs: (opaque, _offset, _value, _size, transaction) => void note(opaque, transaction),
    valid: {
      accepts: (opaque, _offset, _size, _isWrite, attrs) =>
        note(opaque, { attrs, result: MemTxResult.Ok }) === 0,
    },
    endianness: "little",
  };
  root.addSubregion(0, MemoryRegion.newIo(model.noOwner, registers, null, "registers", PAGES * BYTES));
  const iommu = ProcessIommu.newIommu(model.noOwner, "iommu", PAGES * BYTES);
  iommu.behind = space;
  iommu.tables = Array.from({ length: iommu.indexCount }, () =>
    Array.from({ length: PAGES }, (_, place) => ({ place, access: IommuAccess.ReadWrite })),
  );
  const device = new AddressSpace(model, iommu, "device");
  const bytes = new Uint8Array(3 * BYTES);
  const ways: ((attrs: MemTxAttrs) => void)[] = [
    (attrs) => device.read(4, 4, attrs),
    (attrs) => device.write(4, 4, 1, 0, attrs),
    (attrs) => device.read(BYTES - 1, 4, attrs), // in two pages
    (attrs) => device.write(BYTES - 1, 4, 1, 0, attrs),
    (attrs) => device.readBytes(3, bytes, attrs),
    (attrs) => device.writeBytes(3, bytes, attrs),
    (attrs) => {
      const mapping = device.map(0, 8, false, attrs);
      if (mapping) device.unmap(mapping, 0);
    },
    (attrs) => {
      const mapping = device.map(0, 8, true, attrs);
      if (mapping) device.unmap(mapping, 8);
    },
  ];
  for (const [index, access] of ways.entries()) {
    const pid = 1 + (index % 2); // not what attributes say that were lost
    access({ secure: false, user: false, requesterId: 0, pid });
    expect([index, new Set(seen.splice(0))]).toEqual([index, new Set([pid])]);
  }
});

it("is the one whose changes and replays a notifier hears, with the process that they are of", () => {
  const { model, space } = testMemory();
  const iommu = ProcessIommu.newIommu(model.noOwner, "iommu", PAGES * BYTES);
  iommu.behind = space;
  iommu.tables = Array.from({ length: iommu.indexCount }, (_, index) =>
    Array.from({ length: PAGES }, (_, page) => ({ place: page, access: page === index % PAGES ? 3 : 0 })),
  );
  for (const [index, originator] of originators.entries()) {
    const told: IommuTlbEntry[] = [];
    const attrs = originator ?? UNSPECIFIED_ATTRS;
    expect(iommu.indexOf(attrs)).toBe(index);
    const notifier = {
      events: IommuEvent.Map | IommuEvent.Unmap,
      start: 0,
      end: PAGES * BYTES,
      index,
      notify: (entry: IommuTlbEntry) => told.push(entry),
    };
    iommu.addNotifier(notifier);
    for (let other = 0; other < iommu.indexCount; other++)
      iommu.notify(other, IommuEvent.Map, iommu.translate((other % PAGES) * BYTES, 0, other));
    iommu.replay(notifier);
    const entry = { iova: (index % PAGES) * BYTES, pasid: originator?.pid };
    expect(told.map(({ iova, pasid }) => ({ iova, pasid }))).toEqual([entry, entry]);
    iommu.removeNotifier(notifier);
  }
});
