import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryRegion } from "#memory";
import { recordingOps, testMemory } from "../testing.ts";

/** Addresses that the naive model covers; regions extend beyond them on purpose. */
const WORLD_BYTES = 48;
const REGIONS = 9;

type Kind = "container" | "io" | "ram" | "rom-device" | "alias";

/** A region as the naive model sees it: plain data, looked up byte by byte. */
interface Naive {
  readonly number: number;
  readonly kind: Kind;
  size: number;
  address: number;
  priority: number;
  enabled: boolean;
  readOnly: boolean;
  romd: boolean;
  readonly target: number;
  aliasOffset: number;
  container: number | null;
  /** Position in the order of additions to containers. */
  order: number;
}

/** What responds at a byte: which region, at which offset, and whether a container above protects it. */
interface Answer {
  readonly region: number;
  readonly offset: number;
  readonly readOnly: boolean;
}

/** The rule itself, for one byte: subregions by priority, the most recent first, then the region. */
function naiveAnswer(all: readonly Naive[], region: Naive, offset: number, readOnly: boolean): Answer | null {
  if (!region.enabled || offset < 0 || offset >= region.size) return null;
  const protectedHere = readOnly || region.readOnly;
  if (region.kind === "alias") {
    return naiveAnswer(all, all[region.target] as Naive, offset + region.aliasOffset, protectedHere);
  }
  const inside = all
    .filter((each) => each.container === region.number)
    .sort((a, b) => b.priority - a.priority || b.order - a.order);
  for (const each of inside) {
    const answer = naiveAnswer(all, each, offset - each.address, protectedHere);
    if (answer !== null) return answer;
  }
  return region.kind === "container" ? null : { region: region.number, offset, readOnly: protectedHere };
}

const kinds = fc.constantFrom<Kind>("container", "io", "ram", "rom-device", "alias");
const place = fc.nat({ max: WORLD_BYTES });
const birth = fc.record({
  kind: kinds,
  size: fc.integer({ min: 1, max: WORLD_BYTES }),
  target: fc.nat(),
  offset: fc.nat({ max: 12 }),
});
const index = fc.nat({ max: REGIONS - 1 });
const edit = fc.oneof(
  fc.record({
    do: fc.constant("add" as const),
    container: index,
    region: index,
    at: place,
    priority: fc.integer({ min: -2, max: 2 }),
  }),
  fc.record({ do: fc.constant("delete" as const), region: index }),
  fc.record({ do: fc.constant("enable" as const), region: index, on: fc.boolean() }),
  fc.record({ do: fc.constant("size" as const), region: index, size: fc.nat({ max: WORLD_BYTES + 8 }) }),
  fc.record({ do: fc.constant("address" as const), region: index, at: place }),
  fc.record({ do: fc.constant("alias offset" as const), region: index, at: fc.nat({ max: 16 }) }),
  fc.record({ do: fc.constant("read only" as const), region: index, on: fc.boolean() }),
  fc.record({ do: fc.constant("romd" as const), region: index, on: fc.boolean() }),
);

describe("flat views of random region trees", () => {
  it("agree with the naive model on every byte, after every transaction of random edits", () => {
    fc.assert(
      fc.property(
        fc.array(birth, { minLength: REGIONS, maxLength: REGIONS }),
        fc.array(fc.array(edit, { maxLength: 4 }), { maxLength: 14 }),
        (births, batches) => {
          const { model, root, space } = testMemory();
          const naive: Naive[] = [];
          const real: MemoryRegion[] = [];
          // Targets and children have higher numbers than what refers to them, so that no cycle can arise.
          for (let number = REGIONS - 1; number >= 0; number--) {
            const { size, offset, target, kind: wanted } = births[number] as (typeof births)[number];
            const kind =
              wanted === "alias" && number === REGIONS - 1 ? "io" : number === 0 ? "container" : wanted;
            const aim = number + 1 + (target % Math.max(REGIONS - 1 - number, 1));
            naive[number] = {
              number,
              kind,
              size: number === 0 ? WORLD_BYTES : size,
              address: 0,
              priority: 0,
              enabled: true,
              readOnly: false,
              romd: true,
              target: aim,
              aliasOffset: kind === "alias" ? offset : 0,
              container: null,
              order: 0,
            };
            const owner = model.noOwner;
            const name = `region${number}`;
            const born = (naive[number] as Naive).size;
            if (kind === "io") real[number] = MemoryRegion.newIo(owner, recordingOps([]), null, name, born);
            else if (kind === "ram") real[number] = MemoryRegion.newRam(owner, name, born);
            else if (kind === "rom-device")
              real[number] = MemoryRegion.newRomDevice(owner, recordingOps([]), null, name, born);
            else if (kind === "alias")
              real[number] = MemoryRegion.newAlias(owner, name, real[aim] as MemoryRegion, offset, born);
            else real[number] = MemoryRegion.new(owner, name, born);
          }
          root.addSubregion(0, real[0] as MemoryRegion);
          let additions = 0;
          for (const batch of batches) {
            const rendersBefore = model.renders;
            model.transaction(() => {
              for (const each of batch) {
                const mine = naive[each.region] as Naive;
                const region = real[each.region] as MemoryRegion;
                if (each.do === "add") {
                  if (each.container >= each.region || mine.container !== null) continue;
                  const container = naive[each.container] as Naive;
                  if (container.kind === "alias") continue;
                  Object.assign(mine, {
                    container: each.container,
                    address: each.at,
                    priority: each.priority,
                    order: ++additions,
                  });
                  (real[each.container] as MemoryRegion).addSubregion(each.at, region, each.priority);
                } else if (each.region === 0) {
                } else if (each.do === "delete") {
                  if (mine.container === null) continue;
                  (real[mine.container] as MemoryRegion).delSubregion(region);
                  mine.container = null;
                } else if (each.do === "enable") {
                  mine.enabled = each.on;
                  region.setEnabled(each.on);
                } else if (each.do === "size") {
                  if (mine.kind === "ram" || mine.kind === "rom-device") continue;
                  mine.size = each.size;
                  region.setSize(each.size);
                } else if (each.do === "address") {
                  // Moving re-adds it: it comes before its equals.
                  if (mine.container !== null && mine.address !== each.at) mine.order = ++additions;
                  mine.address = each.at;
                  region.setAddress(each.at);
                } else if (each.do === "alias offset") {
                  if (mine.kind !== "alias") continue;
                  mine.aliasOffset = each.at;
                  region.setAliasOffset(each.at);
                } else if (each.do === "read only") {
                  mine.readOnly = each.on;
                  region.setReadOnly(each.on);
                } else {
                  mine.romd = each.on;
                  region.setRomdMode(each.on);
                }
              }
            });
            expect(model.transactionDepth).toBe(0);
            expect(model.renders - rendersBefore).toBeLessThanOrEqual(1);
            for (let byte = 0; byte < WORLD_BYTES; byte++) {
              const range = space.find(byte);
              const answer = naiveAnswer(naive, naive[0] as Naive, byte, false);
              expect(
                range && {
                  region: real.indexOf(range.region),
                  offset: byte - range.start + range.offset,
                  readOnly: range.readOnly,
                },
              ).toEqual(answer ?? undefined);
            }
            const { ranges } = space.view;
            for (const [i, range] of ranges.entries()) {
              expect(range.start).toBeLessThan(range.end);
              const next = ranges[i + 1];
              if (next === undefined) continue;
              expect(range.end).toBeLessThanOrEqual(next.start);
              expect(range.continuesIn(next)).toBe(false); // otherwise they would have been merged
            }
          }
          expect(space.find(WORLD_BYTES)).toBeUndefined();
        },
      ),
      { numRuns: 400 },
    );
  });
});
