/** The time of one access to a device, from the address space to the device's callback and back. */
import { loadHardware } from "#machine";
import type { AccessSize } from "#memory";
import type { Form, MetricDefinition } from "#results";
import {
  DISPATCH_MARGIN_PERCENT,
  FLOOR,
  PROBES,
  SECTION_HIT,
  SECTION_HIT_WRITE,
  SECTIONS_BY_TURNS,
  TEN_THOUSAND,
  TEN_THOUSAND_FLOOR,
} from "#results";
import { loopWork, type SlicedWork } from "../trio/work.ts";
import { guestCase } from "./dispatch-guest.ts";
import { bareReadLoop, bareWalkLoop, type Case, type Loop, readLoop, writeLoop } from "./dispatch-loops.ts";
import { aliasMap, flatMap, nestedMap, type ProbeMap, visits, walk } from "./dispatch-maps.ts";
import { missCase } from "./dispatch-miss.ts";
import { formatCount, uncopiedCase } from "./dispatch-uncopied.ts";
import { VARIANTS } from "./probe.ts";
import { slicedTime } from "./sliced-time.ts";

/** Makes the work of one case. */
export async function dispatchWork(name: string, form: Form, quick: boolean): Promise<SlicedWork> {
  const all = flatMap(form, VARIANTS);
  acquaint([writes(all, 4), ...floors(all), reads(all, 4)]);
  const chosen = await caseOf(name, form, all);
  return loopWork(definition(chosen), chosen, EFFORT[quick ? "quick" : "full"]);
}

const EFFORT = {
  quick: { warmUpSlices: 80, slices: 200 },
  full: { warmUpSlices: 120, slices: 400 },
} as const;

/**
 * Calls the dispatcher and the floor with every kind of device in turn before either is timed. V8 inlines the callback
 * into a loop that has seen only one kind; as the callback is then never called on its own, it would stay uncompiled
 * for millions of later calls.
 */
function acquaint(loops: readonly Loop[]): void {
  for (let turn = 0; turn < 400; turn++) for (const loop of loops) loop(256);
}

const HIT = "the section of the access before is the one needed";

async function caseOf(name: string, form: Form, all: ProbeMap): Promise<Case> {
  const [kind = "", argument = ""] = name.split(/-(?=[^-]*$)/);
  switch (name) {
    case "floor":
      return {
        name: FLOOR,
        role: "control",
        description: "The device's callback called through a variable: what dispatch cannot go below.",
        loop: floors(flatMap(form, 1))[0] ?? raise(),
      };
    case "hit-read":
      return {
        name: SECTION_HIT,
        role: "headline",
        description: `One read; ${HIT}.`,
        loop: reads(flatMap(form, 1), 4),
      };
    case "hit-write":
      return {
        name: SECTION_HIT_WRITE,
        role: "headline",
        description: `One write; ${HIT}.`,
        loop: writes(flatMap(form, 1), 4),
      };
    case "turns":
      return {
        name: SECTIONS_BY_TURNS,
        role: "detail",
        description: "Six devices at random: the section of the access before is rarely the one needed.",
        loop: reads(all, 4),
      };
    case "nested":
      return {
        name: "read 4 bytes, nested 16 deep",
        role: "detail",
        description: "The device sits inside 16 containers, which the flat view dissolves.",
        loop: reads(nestedMap(form, 16), 4),
      };
    case "aliases":
      return {
        name: "read 4 bytes, through 8 aliases",
        role: "detail",
        description: "The device is seen through a chain of 8 aliases, which the flat view dissolves.",
        loop: reads(aliasMap(form, 8), 4),
      };
    case "uart-host":
    case "uart-guest":
    case "ram-guest":
      return guestCase(name, await loadHardware(form));
    case "miss":
      return missCase(form);
    case "map-floor": {
      const count = 10_000;
      return {
        name: TEN_THOUSAND_FLOOR,
        role: "control",
        description:
          "The callbacks of the same devices called directly: what the processor's caches cost alone.",
        loop: bareWalkLoop(flatMap(form, count).probes, visits(count, "visits")),
      };
    }
  }
  if (kind === "uncopied") return uncopiedCase(form, Number(argument));
  if (kind === "size") return sizeOfAccessCase(form, argument);
  if (kind === "map") return mapSizeCase(form, Number(argument));
  throw new Error(`no dispatch case is called ${name}`);
}

function sizeOfAccessCase(form: Form, size: string): Case {
  const role = "detail";
  switch (size) {
    case "1":
      return {
        name: "read 1 byte",
        role,
        description: `One read; ${HIT}.`,
        loop: reads(flatMap(form, 1), 1),
      };
    case "2":
      return {
        name: "read 2 bytes",
        role,
        description: `One read; ${HIT}.`,
        loop: reads(flatMap(form, 1), 2),
      };
    default:
      return {
        name: "read 8 bytes",
        role,
        description: "Split into two calls, because the device's registers have 4 bytes.",
        // The second kind of probe takes 8-byte accesses.
        loop: reads(only(flatMap(form, 2), 1), 8),
      };
  }
}

function mapSizeCase(form: Form, count: number): Case {
  return {
    name: count === 10_000 ? TEN_THOUSAND : `read 4 bytes, ${formatCount(count)} regions at random`,
    role: "detail",
    description: `A map of ${formatCount(count)} devices, visited at random.`,
    loop: reads(flatMap(form, count), 4),
  };
}

function raise(): never {
  throw new RangeError("one probe has one floor");
}

function reads(map: ProbeMap, size: AccessSize): Loop {
  return readLoop(map.space, walk(map.addresses, size, "walk"), size);
}

function writes(map: ProbeMap, size: AccessSize): Loop {
  return writeLoop(map.space, walk(map.addresses, size, "walk"), size);
}

/** One floor per probe, at the offsets that the walk visits. */
function floors({ probes }: ProbeMap): Loop[] {
  const offsets = walk([0], 4, "walk");
  return probes.map((probe) => bareReadLoop(probe, offsets));
}

/** The same map, restricted to one of its probes. */
function only({ space, addresses, probes }: ProbeMap, index: number): ProbeMap {
  return { space, addresses: addresses.slice(index, index + 1), probes: probes.slice(index, index + 1) };
}

function definition({ workload = PROBES, name, role, description }: Omit<Case, "loop">): MetricDefinition {
  return slicedTime({
    suite: "dispatch",
    workload,
    name,
    description,
    margin: DISPATCH_MARGIN_PERCENT,
    role,
  });
}
