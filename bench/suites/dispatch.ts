/** How long one access to a device takes, from the address space to the device's callback and back. */
import { Bench } from "tinybench";
import type { AccessSize } from "#memory";
import type { Form, MetricDefinition } from "#results";
import { bareReadLoop, bareWalkLoop, type Loop, readLoop, writeLoop } from "./dispatch-loops.ts";
import { aliasMap, flatMap, nestedMap, type ProbeMap, visits, walk } from "./dispatch-maps.ts";
import { FLOOR, SECTION_HIT, TEN_THOUSAND } from "./limits.ts";
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

/** Regions on maps of growing size; the last takes seconds to build and is left out of quick runs. */
const MAP_SIZES = [10, 100, 1_000, 10_000, 100_000];

interface Case {
  readonly name: string;
  readonly role: MetricDefinition["role"];
  readonly description: string;
  readonly loop: Loop;
}

export async function measureDispatch({ form, quick }: SuiteRequest): Promise<SuiteReport> {
  const cases = [...simpleCases(form), ...sizeCases(form, quick ? MAP_SIZES.slice(0, -1) : MAP_SIZES)];
  return { ...emptyReport, measurements: await timeAll(cases, quick) };
}

function simpleCases(form: Form): Case[] {
  const one = flatMap(form, 1);
  const all = flatMap(form, VARIANTS);
  const read = (map: ProbeMap, size: AccessSize) =>
    readLoop(map.space, walk(map.addresses, size, "simple"), size);
  const write = (map: ProbeMap, size: AccessSize) =>
    writeLoop(map.space, walk(map.addresses, size, "simple"), size);
  // The dispatcher and the floor must have seen every kind of device before either is timed.
  for (const loop of [read(all, 4), write(all, 4), ...floors(all)]) loop(20 * BATCH);
  const [floor] = floors(one);
  if (!floor) throw new RangeError("one probe has one floor");
  const hit = "the section of the access before is the one needed";
  return [
    {
      name: FLOOR,
      role: "control",
      description: "The device's callback called through a variable: what dispatch cannot go below.",
      loop: floor,
    },
    {
      name: SECTION_HIT,
      role: "headline",
      description: `One read; ${hit}.`,
      loop: read(one, 4),
    },
    {
      name: "write 4 bytes, last section hit",
      role: "headline",
      description: `One write; ${hit}.`,
      loop: write(one, 4),
    },
    { name: "read 1 byte", role: "detail", description: `One read; ${hit}.`, loop: read(one, 1) },
    { name: "read 2 bytes", role: "detail", description: `One read; ${hit}.`, loop: read(one, 2) },
    {
      name: "read 8 bytes",
      role: "detail",
      description: "Split into two calls, because the device's registers have 4 bytes.",
      // The second kind of probe takes 8-byte accesses.
      loop: read(only(all, 1), 8),
    },
    {
      name: "read 4 bytes, sections by turns",
      role: "detail",
      description: "Six devices at random: the section of the access before is rarely the one needed.",
      loop: read(all, 4),
    },
    {
      name: "read 4 bytes, nested 16 deep",
      role: "detail",
      description: "The device sits inside 16 containers, which the flat view dissolves.",
      loop: read(nestedMap(form, 16), 4),
    },
    {
      name: "read 4 bytes, through 8 aliases",
      role: "detail",
      description: "The device is seen through a chain of 8 aliases, which the flat view dissolves.",
      loop: read(aliasMap(form, 8), 4),
    },
  ];
}

function sizeCases(form: Form, sizes: readonly number[]): Case[] {
  return sizes.flatMap((count) => {
    const map = flatMap(form, count);
    const label = `size ${count}`;
    const timed: Case = {
      name: count === 10_000 ? TEN_THOUSAND : `read 4 bytes, ${formatCount(count)} regions at random`,
      role: count === 10_000 ? "headline" : "detail",
      description: `A map of ${formatCount(count)} devices, visited at random.`,
      loop: readLoop(map.space, walk(map.addresses, 4, label), 4),
    };
    if (count !== 10_000) return [timed];
    const floor: Case = {
      name: "bare indirect calls, 10 000 devices at random",
      role: "control",
      description:
        "The callbacks of the same devices called directly: what the processor's caches cost alone.",
      loop: bareWalkLoop(map.probes, visits(count, label)),
    };
    return [timed, floor];
  });
}

/** One floor per probe, at the offsets that the walk visits. */
function floors({ probes }: ProbeMap): Loop[] {
  const offsets = walk([0], 4, "simple");
  return probes.map((probe) => bareReadLoop(probe, offsets));
}

/** The same map, of which only one probe is visited. */
function only({ space, addresses, probes }: ProbeMap, index: number): ProbeMap {
  return { space, addresses: addresses.slice(index, index + 1), probes: probes.slice(index, index + 1) };
}

async function timeAll(cases: readonly Case[], quick: boolean): Promise<Measurement[]> {
  const bench = new Bench({
    time: quick ? 40 : 150,
    warmupTime: quick ? 20 : 60,
    iterations: 16,
    warmupIterations: 4,
    retainSamples: true,
    throws: true,
    timestampProvider: "hrtimeNow",
  });
  for (const { name, loop } of cases) bench.add(name, () => void loop(BATCH), { async: false });
  await bench.run();
  return cases.map(({ name, role, description }) => {
    const result = bench.getTask(name)?.result;
    if (!result || !("latency" in result) || !result.latency.samples)
      throw new Error(`${name} was not timed`);
    const nanoseconds = result.latency.samples.map((milliseconds) => (milliseconds * 1e6) / BATCH);
    return measurement(definition(name, role, description), nanoseconds);
  });
}

function definition(name: string, role: MetricDefinition["role"], description: string): MetricDefinition {
  return {
    suite: "dispatch",
    workload: "address space",
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
