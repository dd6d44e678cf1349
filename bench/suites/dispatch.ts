/** How long one access to a device takes, from the address space to the device's callback and back. */
import { Bench } from "tinybench";
import { loadHardware } from "#machine";
import type { AccessSize } from "#memory";
import type { Form, MetricDefinition } from "#results";
import { guestCases } from "./dispatch-guest.ts";
import { bareReadLoop, bareWalkLoop, type Case, type Loop, readLoop, writeLoop } from "./dispatch-loops.ts";
import { aliasMap, flatMap, nestedMap, type ProbeMap, visits, walk } from "./dispatch-maps.ts";
import { FLOOR, SECTION_HIT, TEN_THOUSAND, TEN_THOUSAND_FLOOR } from "./limits.ts";
import {
  emptyReport,
  type Measurement,
  measurement,
  type SuiteReport,
  type SuiteRequest,
} from "./measurement.ts";
import { VARIANTS } from "./probe.ts";

/** Accesses per timed call: long enough that reading the clock, some 50 ns, is below a thousandth. */
const BATCH = 4096;

/** Up to 3 % of a few nanoseconds is less than what the layout of the machine code decides from build to build. */
const MARGIN_PERCENT = 3;

/** Regions on maps of growing size. */
const MAP_SIZES = [10, 100, 1_000, 10_000, 100_000];
const QUICK_MAP_SIZES = [10_000];

export async function measureDispatch({ form, quick }: SuiteRequest): Promise<SuiteReport> {
  const all = flatMap(form, VARIANTS);
  acquaint([writes(all, 4), ...floors(all), reads(all, 4)]);
  const measurements: Measurement[] = [];
  for await (const timed of allCases(form, all, quick)) measurements.push(await time(timed, quick));
  return { ...emptyReport, measurements };
}

/**
 * Shows the dispatcher and the floor every kind of device, by turns, before either is timed: a loop that has seen one kind
 * only inlines its callback, and that callback, never called by itself, is not compiled for millions of calls to come.
 */
function acquaint(loops: readonly Loop[]): void {
  for (let turn = 0; turn < 400; turn++) for (const loop of loops) loop(256);
}

/** Cases one after the other, each with its map made when its turn comes, so that large maps do not burden others. */
async function* allCases(form: Form, all: ProbeMap, quick: boolean): AsyncGenerator<Case> {
  yield* plainCases(form, all);
  yield* guestCases(await loadHardware(form));
  if (!quick) yield* sizeOfAccessCases(form);
  for (const count of quick ? QUICK_MAP_SIZES : MAP_SIZES) yield* mapSizeCases(form, count);
}

const HIT = "the section of the access before is the one needed";

function* plainCases(form: Form, all: ProbeMap): Generator<Case> {
  const one = flatMap(form, 1);
  const [floor] = floors(one);
  if (!floor) throw new RangeError("one probe has one floor");
  yield {
    name: FLOOR,
    role: "control",
    description: "The device's callback called through a variable: what dispatch cannot go below.",
    loop: floor,
  };
  yield { name: SECTION_HIT, role: "headline", description: `One read; ${HIT}.`, loop: reads(one, 4) };
  yield {
    name: "write 4 bytes, last section hit",
    role: "headline",
    description: `One write; ${HIT}.`,
    loop: writes(one, 4),
  };
  yield {
    name: "read 4 bytes, sections by turns",
    role: "detail",
    description: "Six devices at random: the section of the access before is rarely the one needed.",
    loop: reads(all, 4),
  };
  yield {
    name: "read 4 bytes, nested 16 deep",
    role: "detail",
    description: "The device sits inside 16 containers, which the flat view dissolves.",
    loop: reads(nestedMap(form, 16), 4),
  };
  yield {
    name: "read 4 bytes, through 8 aliases",
    role: "detail",
    description: "The device is seen through a chain of 8 aliases, which the flat view dissolves.",
    loop: reads(aliasMap(form, 8), 4),
  };
}

function* sizeOfAccessCases(form: Form): Generator<Case> {
  const one = flatMap(form, 1);
  yield { name: "read 1 byte", role: "detail", description: `One read; ${HIT}.`, loop: reads(one, 1) };
  yield { name: "read 2 bytes", role: "detail", description: `One read; ${HIT}.`, loop: reads(one, 2) };
  yield {
    name: "read 8 bytes",
    role: "detail",
    description: "Split into two calls, because the device's registers have 4 bytes.",
    // The second kind of probe takes 8-byte accesses.
    loop: reads(only(flatMap(form, 2), 1), 8),
  };
}

function* mapSizeCases(form: Form, count: number): Generator<Case> {
  const map = flatMap(form, count);
  const large = count === 10_000;
  yield {
    name: large ? TEN_THOUSAND : `read 4 bytes, ${formatCount(count)} regions at random`,
    role: large ? "headline" : "detail",
    description: `A map of ${formatCount(count)} devices, visited at random.`,
    loop: reads(map, 4),
  };
  if (!large) return;
  yield {
    name: TEN_THOUSAND_FLOOR,
    role: "control",
    description: "The callbacks of the same devices called directly: what the processor's caches cost alone.",
    loop: bareWalkLoop(map.probes, visits(count, "visits")),
  };
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

/** The same map, of which only one probe is visited. */
function only({ space, addresses, probes }: ProbeMap, index: number): ProbeMap {
  return { space, addresses: addresses.slice(index, index + 1), probes: probes.slice(index, index + 1) };
}

/** Times one case, warm, with the garbage of making it gone. */
async function time({ loop, ...timed }: Case, quick: boolean): Promise<Measurement> {
  const bench = new Bench({
    // The process is the sample: a thousand batches settle its median, more would only take longer.
    time: quick ? 30 : 100,
    iterations: 32,
    warmupTime: quick ? 20 : 50,
    // Large maps are walked several times before V8 has settled.
    warmupIterations: 100,
    retainSamples: true,
    throws: true,
    timestampProvider: "hrtimeNow",
    setup: (_task, phase) => {
      if (phase === "warmup") globalThis.gc?.();
    },
  });
  bench.add(timed.name, () => void loop(BATCH), { async: false });
  const [task] = await bench.run();
  const result = task?.result;
  if (!result || !("latency" in result) || !result.latency.samples)
    throw new Error(`${timed.name} was not timed`);
  const nanoseconds = result.latency.samples.map((milliseconds) => (milliseconds * 1e6) / BATCH);
  return measurement(definition(timed), nanoseconds);
}

function definition({ workload = "probes", name, role, description }: Omit<Case, "loop">): MetricDefinition {
  return {
    suite: "dispatch",
    workload,
    name,
    description,
    unit: "ns",
    quantity: "time",
    scale: "percent",
    margin: MARGIN_PERCENT,
    role,
  };
}

function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}
