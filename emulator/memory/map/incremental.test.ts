import fc from "fast-check";
import { expect, it } from "vitest";
import {
  AddressSpace,
  type FlatRange,
  type IoEventFd,
  type MemoryListener,
  MemoryModel,
  MemoryRegion,
  type PlacedIoEventFd,
  WHOLE_ADDRESS_SPACE,
} from "#memory";
import { ObjectState } from "#qom";
import { Owner, RELEASE_ORDER, recordingOps } from "../testing.ts";
import { physicalRoot } from "./flat-view.ts";
import { render } from "./render.ts";

/** Enough regions that views are derived rather than rendered. */
const REGIONS = 120;
const CONTAINERS = 4;
const SLOT = 16;

const which = fc.nat({ max: REGIONS + CONTAINERS - 1 });
const edit = fc.oneof(
  fc.record({
    do: fc.constant("add" as const),
    which,
    at: fc.nat({ max: REGIONS * SLOT }),
    more: fc.integer({ min: -1, max: 2 }),
  }),
  fc.record({
    do: fc.constantFrom(
      "delete",
      "enable",
      "disable",
      "read only",
      "writable",
      "notify",
      "do not notify",
      "replace",
    ),
    which,
    at: fc.nat({ max: 12 }),
    more: fc.constant(0),
  }),
  fc.record({
    do: fc.constantFrom("size", "address", "alias offset"),
    which,
    at: fc.nat({ max: 6 * SLOT }),
    more: fc.constant(0),
  }),
  fc.record({
    do: fc.constantFrom("reader comes", "reader goes", "drain", "space", "no space"),
    which,
    at: fc.constant(0),
    more: fc.constant(0),
  }),
);

/** Mirrors what a listener is told. */
class Mirror implements MemoryListener {
  readonly priority = 0;
  readonly ranges = new Set<FlatRange>();
  readonly fds: PlacedIoEventFd[] = [];
  readonly space: AddressSpace;

  constructor(space: AddressSpace) {
    this.space = space;
    space.addListener(this);
  }

  regionAdd(range: FlatRange): void {
    expect(this.ranges.has(range)).toBe(false);
    this.ranges.add(range);
  }

  regionDel(range: FlatRange): void {
    const same = [...this.ranges].find((each) => each.equals(range));
    expect(same).toBeDefined();
    this.ranges.delete(same as FlatRange);
  }

  eventFdAdd(placed: PlacedIoEventFd): void {
    this.fds.push(placed);
  }

  eventFdDel({ address, fd }: PlacedIoEventFd): void {
    const place = this.fds.findIndex((each) => each.address === address && each.fd === fd);
    expect(place).toBeGreaterThanOrEqual(0);
    this.fds.splice(place, 1);
  }
}

const text = (range: FlatRange, owners: Map<MemoryRegion, number>) =>
  `${range.start}-${range.end}@${range.offset} ${owners.get(range.region)} ${range.readOnly}`;

it("derived views are those that rendering everything gives, and hold and tell the same", () => {
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 5 }), { maxLength: 25 }), (transactions) => {
      const model = new MemoryModel({ releaseOrder: RELEASE_ORDER });
      const root = MemoryRegion.new(model.noOwner, "root", WHOLE_ADDRESS_SPACE);
      const spaces = [new AddressSpace(model, root, "first")];
      const owner = model.create(Owner);
      const numbers = new Map<MemoryRegion, number>();
      const fds = new Map<MemoryRegion, IoEventFd[]>();
      const make = (number: number): MemoryRegion => {
        const name = `region${number}`;
        const region =
          number >= REGIONS
            ? MemoryRegion.new(owner, name, 8 * SLOT)
            : number % 7 === 3
              ? MemoryRegion.newAlias(owner, name, regions[number - 1] as MemoryRegion, 0, SLOT)
              : number % 2 === 0
                ? MemoryRegion.newRam(owner, name, SLOT)
                : MemoryRegion.newIo(owner, recordingOps([]), null, name, SLOT);
        numbers.set(region, number);
        fds.set(region, []);
        return region;
      };
      const regions: MemoryRegion[] = [];
      for (let number = 0; number < REGIONS + CONTAINERS; number++) regions.push(make(number));
      model.transaction(() => {
        for (const [number, region] of regions.entries()) root.addSubregion(number * SLOT, region);
      });
      const mirror = new Mirror(spaces[0] as AddressSpace);
      const readers: (() => void)[] = [];
      for (const edits of transactions) {
        model.transaction(() => {
          for (const { do: what, which: number, at, more } of edits) {
            const region = regions[number] as MemoryRegion;
            if (what === "add" && region.container === null) {
              // Containers go into the root, others also into containers.
              const inner = more > 0 && number < REGIONS ? regions[REGIONS + (at % CONTAINERS)] : root;
              (inner as MemoryRegion).addSubregion(
                at % (inner === root ? REGIONS * SLOT : 8 * SLOT),
                region,
                more % 2,
              );
            } else if (what === "delete") region.container?.delSubregion(region);
            else if (what === "enable" || what === "disable") region.setEnabled(what === "enable");
            else if (what === "read only" || what === "writable") region.setReadOnly(what === "read only");
            else if (what === "size" && region.ram === null) region.setSize(at);
            else if (what === "address") region.setAddress(number * SLOT + at);
            else if (what === "alias offset" && region.alias !== null) region.setAliasOffset(at % SLOT);
            else if (what === "notify") {
              const fd = { offset: at, size: 4, notify: () => {} } as const;
              fds.get(region)?.push(fd);
              region.addIoEventFd(fd);
            } else if (what === "do not notify") {
              const fd = fds.get(region)?.pop();
              if (fd !== undefined) region.delIoEventFd(fd);
            } else if (what === "replace" && number < REGIONS && number % 7 !== 2) {
              region.container?.delSubregion(region);
              numbers.delete(region);
              region.unparent(); // its storage waits for no view, but the owner does
              regions[number] = make(number);
            } else if (what === "space")
              spaces.push(new AddressSpace(model, number % 2 ? root : region, "more"));
            else if (what === "no space" && spaces.length > 1) spaces.pop()?.destroy();
            else if (what === "reader comes") readers.push(model.rcu.read());
            else if (what === "reader goes") readers.pop()?.();
            else if (what === "drain" && readers.length === 0) model.rcu.drain();
          }
        });
        for (const space of spaces) {
          const physical = space.root === null ? null : physicalRoot(space.root);
          const expected = physical === null ? [] : render(physical);
          expect(space.view.ranges.map((each) => text(each, numbers))).toEqual(
            expected.map((each) => text(each, numbers)),
          );
          expect(space.view.root === physical).toBe(true);
          for (const range of expected) {
            for (const address of [range.start, range.end - 1])
              expect(space.find(address)?.region === range.region).toBe(true);
            expect(space.find(range.end)?.start ?? range.end).toBe(range.end);
          }
        }
        const [first] = spaces as [AddressSpace];
        const heard = [...mirror.ranges].map((each) => text(each, numbers)).sort();
        expect(heard).toEqual(first.view.ranges.map((each) => text(each, numbers)).sort());
        const placed = first.view.ranges.flatMap(({ region, start, end, offset }) =>
          region.ioEventFds
            .map((fd) => fd.offset - offset + start)
            .filter((address) => address >= start && address < end),
        );
        expect(mirror.fds.map(({ address }) => address).sort()).toEqual(placed.sort());
        if (readers.length > 0) continue;
        model.rcu.drain();
        const views = new Set(spaces.map(({ view }) => view));
        let references = 1 + root.subregions.length; // everything has one owner, and the root none
        for (const view of views) references += 2 * view.ranges.length + (view.root?.owner === owner ? 1 : 0);
        references += spaces.filter((space) => space.root?.owner === owner).length;
        expect(owner.refCount).toBe(references);
      }
      for (const leave of readers) leave();
      spaces[0]?.removeListener(mirror);
      for (const region of [...root.subregions]) root.delSubregion(region);
      for (const space of spaces.slice(1)) space.destroy();
      model.rcu.drain();
      owner.unref();
      expect(owner.state).toBe(ObjectState.Freed);
      model.destroy();
      expect(model.heap.leaks()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

it("an address space may come and go, with its grace period, within one transaction", () => {
  const model = new MemoryModel();
  const root = MemoryRegion.new(model.noOwner, "root", WHOLE_ADDRESS_SPACE);
  const owner = model.create(Owner);
  const region = MemoryRegion.newRam(owner, "ram", SLOT);
  const space = new AddressSpace(model, root, "first");
  model.transaction(() => {
    root.addSubregion(0, region);
    new AddressSpace(model, region, "brief").destroy();
    model.rcu.drain();
  });
  expect(space.view.ranges).toHaveLength(1);
  root.delSubregion(region);
  owner.unref();
  model.rcu.drain();
  expect(owner.state).toBe(ObjectState.Freed);
  model.destroy();
  expect(model.heap.leaks()).toEqual([]);
});
