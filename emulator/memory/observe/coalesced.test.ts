/** Batched writes from end to end, with a ring as that of an accelerator. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, type CoalescedRange, type FlatRange, MemoryRegion } from "#memory";
import { Owner, testMemory } from "../testing.ts";

/** Takes guest writes to coalesced ranges, and delivers them in order. */
class Ring {
  readonly priority = 0;
  readonly space: AddressSpace;
  private readonly zones = new Map<string, { start: number; end: number }>();
  private readonly waiting: { address: number; value: number }[] = [];

  constructor(space: AddressSpace) {
    this.space = space;
    space.addListener(this);
  }

  coalescedAdd(section: FlatRange, { offset, size }: CoalescedRange): void {
    const start = section.start - section.offset + offset;
    this.zones.set(`${start} ${size}`, { start, end: start + size });
  }

  coalescedDel(section: FlatRange, { offset, size }: CoalescedRange): void {
    this.zones.delete(`${section.start - section.offset + offset} ${size}`);
  }

  flushCoalesced(): void {
    for (const { address, value } of this.waiting.splice(0)) this.space.write(address, 4, value);
  }

  /** A write of the guest. */
  write(address: number, value: number): void {
    const batched = [...this.zones.values()].some(({ start, end }) => address >= start && address + 4 <= end);
    if (batched) this.waiting.push({ address, value });
    else this.space.write(address, 4, value);
  }

  get length(): number {
    return this.waiting.length;
  }
}

const [FIRST, SECOND] = [0x1000, 0x2000];

function machine() {
  const { model, root, space } = testMemory();
  const log: string[] = [];
  const make = (name: string, at: number) => {
    const ops = {
      read: (_: unknown, offset: number) => {
        log.push(`${name} read ${offset}`);
        return 0;
      },
      write: (_: unknown, offset: number, value: number) => {
        log.push(`${name} write ${offset} ${value}`);
      },
      endianness: "little",
    } as const;
    const region = MemoryRegion.newIo(model.create(Owner), ops, null, name, 0x100);
    root.addSubregion(at, region);
    return region;
  };
  const [first, second] = [make("first", FIRST), make("second", SECOND)];
  return { model, root, space, first, second, log, ring: new Ring(space) };
}

describe("batched writes", () => {
  it("wait until their own region is accessed, or another that asks for it", () => {
    const { first, second, space, log, ring } = machine();
    first.addCoalescing(0x10, 0x10);
    ring.write(FIRST + 0x10, 1);
    ring.write(SECOND, 2); // does not ask
    expect(log).toEqual(["second write 0 2"]);
    space.read(FIRST + 0x40, 4);
    expect(log.splice(0)).toEqual(["second write 0 2", "first write 16 1", "first read 64"]);
    second.setFlushCoalesced();
    ring.write(FIRST + 0x14, 3);
    space.write(SECOND + 8, 4, 4);
    expect(log.splice(0)).toEqual(["first write 20 3", "second write 8 4"]);
    second.clearFlushCoalesced();
    ring.write(FIRST + 0x14, 5);
    space.read(SECOND, 4);
    expect([ring.length, log]).toEqual([1, ["second read 0"]]);
  });

  it("are delivered when the map changes, and when the batching ends", () => {
    const { first, root, log, ring } = machine();
    first.addCoalescing(0, 0x100);
    ring.write(FIRST, 1);
    root.delSubregion(first);
    expect(log.splice(0)).toEqual(["first write 0 1"]);
    root.addSubregion(FIRST, first);
    ring.write(FIRST, 2);
    first.clearCoalescing();
    ring.write(FIRST + 4, 3);
    expect(log).toEqual(["first write 0 2", "first write 4 3"]);
  });

  it("reach each device in the same order as unbatched ones, between all other accesses to it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            what: fc.constantFrom("write", "write", "write", "read", "batch", "stop", "event", "no event"),
            at: fc.constantFrom(FIRST, SECOND),
            offset: fc.nat({ max: 15 }),
          }),
          { maxLength: 40 },
        ),
        (steps) => {
          const run = (batches: boolean) => {
            const { first, second, space, log, ring } = machine();
            const fds = new Map(
              [FIRST, SECOND].map((at) => [at, { offset: 0xf0, size: 4 as const, notify: () => {} }]),
            );
            const added = new Set<number>();
            for (const [index, { what, at, offset }] of steps.entries()) {
              const region = at === FIRST ? first : second;
              const fd = fds.get(at);
              if (what === "write") ring.write(at + 4 * offset, index);
              else if (what === "read") space.read(at + 4 * offset, 4);
              else if (what === "batch" && batches && region.coalesced.length === 0)
                region.addCoalescing(0x10, 0x20);
              else if (what === "stop") region.clearCoalescing();
              else if (what === "event" && fd !== undefined && !added.has(at)) {
                region.addIoEventFd(fd);
                added.add(at);
              } else if (what === "no event" && fd !== undefined && added.delete(at)) region.delIoEventFd(fd);
            }
            for (const region of [first, second]) region.clearCoalescing();
            return ["first", "second"].map((name) => log.filter((line) => line.startsWith(name)));
          };
          expect(run(true)).toEqual(run(false));
        },
      ),
      { numRuns: 100 },
    );
  });
});
