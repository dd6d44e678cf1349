/**
 * Counts how many fields of regions an access reads, with a trap on every field of every region of a map. An access
 * that reads none cannot differ between the forms: equal times are then a consequence, not a finding.
 *
 * Traps change V8's type feedback on regions, so count in a process or isolate in which nothing is timed.
 */
import { loadHardware } from "#machine";
import type { AccessSize, MemoryRegion } from "#memory";
import { COUNTED_ACCESSES, type FieldReads, type Form } from "#results";
import { loadingGuest, UART_SCRATCH } from "./dispatch-guest.ts";
import { flatMap, type ProbeMap } from "./dispatch-maps.ts";
import { FIRST_READS, missCase } from "./dispatch-miss.ts";
import { scatteredMap, UncopiedDispatcher } from "./dispatch-uncopied.ts";
import { VARIANTS } from "./probe.ts";

/** The reads of one form for one kind of access. */
export interface CountedReads extends Pick<FieldReads, "access" | "fields"> {
  /** Reads of fields of regions per access. */
  readonly reads: number;
}

/** Counts for one form, in the order of {@link COUNTED_ACCESSES}. */
export async function countFieldReads(form: Form): Promise<CountedReads[]> {
  const one = flatMap(form, 1);
  const [address = 0] = one.addresses;
  const six = flatMap(form, VARIANTS);
  // The second kind of probe accepts 8-byte accesses, which are split into two calls for its 4-byte registers.
  const [, wide = 0] = six.addresses;
  const read = (map: ProbeMap, at: number, size: AccessSize) => () => void map.space.read(at, size);
  const { readHit, writeHit, byTurns, split } = COUNTED_ACCESSES;
  return [
    countWarm(readHit, regionsBelow(one.space.root), [read(one, address, 4)]),
    countWarm(writeHit, regionsBelow(one.space.root), [() => one.space.write(address, 4, 1)]),
    countWarm(
      byTurns,
      regionsBelow(six.space.root),
      six.addresses.map((at) => read(six, at, 4)),
    ),
    countFirstReads(form),
    countWarm(split, regionsBelow(six.space.root), [read(six, wide, 8)]),
    await countGuestLoads(form),
    countUncopied(form),
  ];
}

/**
 * Combines the counts of two forms; the fields are those that either form reads.
 * @throws RangeError when they are not counts of the same accesses
 */
export function combineFieldReads(arms: {
  readonly A: readonly CountedReads[];
  readonly B: readonly CountedReads[];
}): FieldReads[] {
  if (arms.A.length !== arms.B.length) throw new RangeError("the arms counted different numbers of accesses");
  return arms.A.map((a, i) => {
    const b = arms.B[i];
    if (b?.access !== a.access)
      throw new RangeError(`the arms counted different accesses: A ${a.access}, B ${b?.access}`);
    return {
      access: a.access,
      reads: { A: a.reads, B: b.reads },
      fields: [...new Set([...a.fields, ...b.fields])],
    };
  });
}

/** Counts the reads of accesses after each has been made once, so that every section is cached. */
function countWarm(
  access: string,
  regions: readonly MemoryRegion[],
  accesses: readonly (() => void)[],
): CountedReads {
  for (const each of accesses) each();
  const trap = new ReadTrap(regions);
  for (const each of accesses) each();
  return trap.end(access, accesses.length);
}

function countFirstReads(form: Form): CountedReads {
  const { before, loop, space } = missCase(form);
  before();
  const trap = new ReadTrap(regionsBelow(space.root)); // set after the commit, which reads many fields
  loop(FIRST_READS);
  return trap.end(COUNTED_ACCESSES.firstRead, FIRST_READS);
}

async function countGuestLoads(form: Form): Promise<CountedReads> {
  const { emulation, cycle } = loadingGuest(await loadHardware(form), UART_SCRATCH);
  const { memorySpace } = emulation.board;
  const run = (cycles: number) => emulation.run({ maxInstructions: emulation.instructions + cycles * cycle });
  run(1);
  const trap = new ReadTrap(regionsBelow(memorySpace.root));
  run(CYCLES);
  return trap.end(COUNTED_ACCESSES.guestLoad, CYCLES * (cycle - 1)); // one instruction of each cycle is the jump back
}

/** Counted cycles of the loading guest's loop. */
const CYCLES = 4;

function countUncopied(form: Form): CountedReads {
  const map = scatteredMap(form, VARIANTS);
  const dispatcher = new UncopiedDispatcher(map);
  return countWarm(
    COUNTED_ACCESSES.uncopied,
    regionsBelow(map.space.root),
    map.addresses.map((at) => () => void dispatcher.read(at, 4)),
  );
}

/** Every region that an access through `root` could touch: all regions below it, directly or through aliases. */
export function regionsBelow(root: MemoryRegion | null): MemoryRegion[] {
  const found = new Set<MemoryRegion>();
  const add = (region: MemoryRegion | null) => {
    if (region === null || found.has(region)) return;
    found.add(region);
    for (const subregion of region.subregions) add(subregion);
    add(region.alias);
  };
  add(root);
  return [...found];
}

/** Counts every read of every own field of some regions, from its construction until `end`. */
export class ReadTrap {
  private readonly regions: readonly MemoryRegion[];
  private readonly fields = new Set<string>();
  private reads = 0;

  constructor(regions: readonly MemoryRegion[]) {
    this.regions = regions;
    for (const region of regions) {
      for (const [field, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(region))) {
        let { value }: { value?: unknown } = descriptor;
        Object.defineProperty(region, field, {
          configurable: true,
          enumerable: true,
          get: () => {
            this.reads++;
            this.fields.add(field);
            return value;
          },
          set: (next: unknown) => {
            value = next;
          },
        });
      }
    }
  }

  /**
   * Removes the traps and returns what they counted, divided by the number of accesses.
   * @throws RangeError when that is not an integer, because then the accesses did not all read the same
   */
  end(access: string, accesses: number): CountedReads {
    const { reads } = this;
    const fields = [...this.fields];
    for (const region of this.regions) {
      for (const field of Object.keys(region)) {
        const value: unknown = Reflect.get(region, field);
        Object.defineProperty(region, field, { configurable: true, enumerable: true, writable: true, value });
      }
    }
    if (reads % accesses !== 0)
      throw new RangeError(
        `${access}: ${reads} reads of fields in ${accesses} accesses are not a whole number per access`,
      );
    return { access, reads: reads / accesses, fields };
  }
}
