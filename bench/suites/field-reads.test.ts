import { describe, expect, it } from "vitest";
import { COUNTED_ACCESSES, FORMS } from "#results";
import { aliasMap, flatMap } from "./dispatch-maps.ts";
import { scatteredMap, UncopiedDispatcher } from "./dispatch-uncopied.ts";
import { combineFieldReads, countFieldReads, ReadTrap, regionsBelow } from "./field-reads.ts";

const [A, B] = await Promise.all([countFieldReads("embedded"), countFieldReads("owned")]);
const counts = combineFieldReads({ A, B });

function readsOf(access: string): { readonly A: number; readonly B: number } {
  const found = counts.find((each) => each.access === access);
  if (found === undefined) throw new RangeError(`no count of ${access}`);
  return found.reads;
}

describe("reads of region fields", () => {
  it("are zero in every access that finds a section", () => {
    const { readHit, writeHit, byTurns, firstRead, guestLoad } = COUNTED_ACCESSES;
    for (const access of [readHit, writeHit, byTurns, firstRead, guestLoad])
      expect([access, readsOf(access)]).toEqual([access, { A: 0, B: 0 }]);
  });

  it("are those of the region's ops, opaque and guards if nothing is copied", () => {
    const uncopied = counts.find(({ access }) => access === COUNTED_ACCESSES.uncopied);
    expect(uncopied?.reads).toEqual({ A: 5, B: 5 });
    expect(uncopied?.fields.toSorted()).toEqual(["guard", "opaque", "ops", "plainReads", "ram"]);
  });

  it("are not zero where the emulator itself goes through the region", () => {
    const split = counts.find(({ access }) => access === COUNTED_ACCESSES.split);
    expect(split?.reads.A).toBeGreaterThanOrEqual(4); // two calls, each with ops and opaque
    expect(split?.fields).toEqual(expect.arrayContaining(["ops", "opaque"]));
  });

  it("are given once for every access", () => {
    expect(counts.map(({ access }) => access)).toEqual(Object.values(COUNTED_ACCESSES));
  });

  it("of different accesses are not combined", () => {
    expect(() => combineFieldReads({ A, B: B.slice(1) })).toThrow(/different numbers/);
    expect(() => combineFieldReads({ A, B: B.toReversed() })).toThrow(
      /different accesses: A read, section hit/,
    );
  });
});

describe.each(FORMS)("%s: the trap", (form) => {
  it("counts an extra read, with its name, and none of another region", () => {
    const map = flatMap(form, 2);
    const [probe, other] = map.probes;
    if (probe === undefined || other === undefined) throw new RangeError("two probes");
    const trap = new ReadTrap([probe.window]);
    map.space.read(0, 4);
    void probe.window.aliasOffset;
    void other.window.aliasOffset;
    expect(trap.end("planted", 1)).toEqual({ access: "planted", reads: 1, fields: ["aliasOffset"] });
  });

  it("lists fields in the order of first read, and refuses a fractional number of reads per access", () => {
    const [probe] = flatMap(form, 1).probes;
    if (probe === undefined) throw new RangeError("one probe");
    const { window } = probe;
    const planted = new ReadTrap([window]);
    for (const field of ["size", "name", "size"] as const) void window[field];
    expect(planted.end("planted", 3)).toEqual({ access: "planted", reads: 1, fields: ["size", "name"] });
    const uneven = new ReadTrap([window]);
    void window.size;
    expect(() => uneven.end("uneven", 2)).toThrow(/uneven: 1 reads of fields in 2 accesses/);
  });

  it("lets writes through, and restores the regions", () => {
    const [probe] = flatMap(form, 1).probes;
    if (probe === undefined) throw new RangeError("one probe");
    const { window } = probe;
    const before = Object.getOwnPropertyDescriptors(window);
    const trap = new ReadTrap([window]);
    window.priority = 5;
    expect(trap.end("write", 1).reads).toBe(0);
    expect(window.priority).toBe(5);
    window.priority = 0;
    expect(Object.getOwnPropertyDescriptors(window)).toEqual(before);
  });

  it("covers every region of a map, including the targets of aliases", () => {
    const map = scatteredMap(form, 3);
    const regions = regionsBelow(map.space.root);
    for (const { window } of map.probes) expect(regions).toContain(window);
    const aliased = aliasMap(form, 3);
    expect(regionsBelow(aliased.space.root)).toContain(aliased.probes[0]?.window);
    const trap = new ReadTrap(regions);
    const dispatcher = new UncopiedDispatcher(map);
    for (const at of map.addresses) dispatcher.read(at, 4);
    expect(trap.end("uncopied", 3).reads).toBe(5);
  });
});
