/** What remains of devices and machines after many rounds of creating and destroying them. */
import { setTimeout } from "node:timers/promises";
import v8 from "node:v8";
import { type Hardware, loadHardware } from "#machine";
import { FlatView, MemoryRegion } from "#memory";
import { QomObject } from "#qom";
import type { HeapPoint, MetricDefinition } from "#results";
import { type Scenario, type ScenarioRun, type ScenarioTally, scenarios } from "#workloads/lifecycle";
import { RELEASES } from "./limits.ts";
import {
  emptyReport,
  type HeapCurve,
  type Measurement,
  measurement,
  type Remains,
  type SuiteReport,
  type SuiteRequest,
} from "./measurement.ts";

/** Classes whose instances are counted, subclasses included: all objects of the model, regions, flat views. */
const COUNTED = [QomObject, MemoryRegion, FlatView] as const;

/** Rounds before the first count: lazily made objects, and V8's own tables, are then there. */
const WARM_UP_ROUNDS = 60;
/** Rounds before the heap is followed: V8 makes notes of what runs for some hundred rounds, and keeps them. */
const ROUNDS_BEFORE_HEAP = 600;
/** Rounds between the two counts, which repeat exactly: more rounds only make a rare leak more likely to show. */
const COUNTED_ROUNDS = { quick: 100, full: 600 } as const;
/** Rounds in checked mode, where every touch of a dead object is found and nothing is timed. */
const CHECKED_ROUNDS = 30;

/** Unplugs before the first that is timed: after so many V8 has compiled what they run. */
const WARM_UP_UNPLUGS = { quick: 1000, full: 1500 } as const;
const TIMED_UNPLUGS = { quick: 200, full: 700 } as const;

/** The scenario whose release time is a headline. */
const PLAIN_UNPLUG = "plug-unplug";

/** A hundredth of what V8 spends on one leaked region, about 1 500 bytes. */
const MARGIN_BYTES = 16;
/** As much for each of the regions of a board. */
const REGIONS_PER_MACHINE = 16;

/** Unplugging takes microseconds, of which one grace period is most. */
const RELEASE_MARGIN_PERCENT = 5;

/**
 * Counts what is left (to prove), or else measures how long releases take or how the heap grows: two subjects, because the
 * heap is followed with V8's optimising compilers off.
 */
export async function measureRetention({ form, quick, prove, subject }: SuiteRequest): Promise<SuiteReport> {
  const hardware = await loadHardware(form);
  if (prove) return { ...emptyReport, remains: await countRemains(hardware, quick) };
  if (subject === RELEASES) return { ...emptyReport, measurements: timeReleases(hardware, quick) };
  const curves: HeapCurve[] = [];
  for (const scenario of scenarios()) {
    const heap = await followHeap(scenario, hardware, quick);
    curves.push({
      scenario: scenario.name,
      control: scenario.leaksPerRound > 0,
      margin: marginOf(scenario),
      heap,
    });
  }
  return { ...emptyReport, curves };
}

/** Times unplugs in every scenario that has them; in a quick run in the plain one only. */
function timeReleases(hardware: Hardware, quick: boolean): Measurement[] {
  return scenarios().flatMap((scenario) => {
    if (quick && scenario.name !== PLAIN_UNPLUG) return [];
    const run = scenario.start({ hardware });
    run.round();
    if (run.releaseTimes.length === 0) {
      run.finish(); // nothing is unplugged here, and a thousand machines take seconds
      return [];
    }
    const extent = quick ? "quick" : "full";
    repeat(run, WARM_UP_UNPLUGS[extent]);
    const warm = run.releaseTimes.length;
    repeat(run, TIMED_UNPLUGS[extent]);
    run.finish();
    return [measurement(releaseMetric(scenario), run.releaseTimes.slice(warm).map(toMicroseconds))];
  });
}

/** Counts what the rounds of each scenario leave. All are warmed up first: one count then ends a scenario and begins the next. */
async function countRemains(hardware: Hardware, quick: boolean): Promise<Remains[]> {
  const runs = scenarios().map((scenario) => {
    const { usesAfterFinalize, usesAfterFree } = runChecked(scenario, hardware);
    const run = scenario.start({ hardware });
    repeat(run, roundsOf(scenario, WARM_UP_ROUNDS));
    return { scenario, run, uses: { usesAfterFinalize, usesAfterFree } };
  });
  const remains: Remains[] = [];
  let objectsBefore = await countObjects();
  for (const { scenario, run, uses } of runs) {
    const rounds = roundsOf(scenario, quick ? COUNTED_ROUNDS.quick : COUNTED_ROUNDS.full);
    const ledgerBefore = run.tally();
    repeat(run, rounds);
    const ledgerAfter = run.tally();
    const objectsAfter = await countObjects();
    const blocksUnfreed = ledgerAfter.liveBlocks - ledgerBefore.liveBlocks;
    checkControl(scenario, scenario.leaksPerRound * rounds, blocksUnfreed);
    remains.push({
      scenario: scenario.name,
      description: scenario.description,
      rounds,
      objects: COUNTED.map(({ name }, i) => ({
        className: name,
        alive: (objectsAfter[i] ?? 0) - (objectsBefore[i] ?? 0),
      })),
      blocksUnfreed,
      modelledLeakedBytes: ledgerAfter.liveBytes - ledgerBefore.liveBytes,
      ...uses,
    });
    objectsBefore = objectsAfter;
  }
  for (const { run } of runs) run.finish();
  return remains;
}

/** @throws Error when a leak that was made on purpose is not found */
function checkControl({ name }: Scenario, expected: number, found: number): void {
  if (expected === 0 || found === expected) return;
  throw new Error(
    `control scenario ${name} must leak ${expected} blocks, the ledger shows ${found}: ` +
      "leaks are not found reliably, so none of its zeros can be believed",
  );
}

/** Heap in use over the rounds, from when lazily made objects are there. */
async function followHeap(scenario: Scenario, hardware: Hardware, quick: boolean): Promise<HeapPoint[]> {
  const checkpoints = quick ? 8 : 40;
  const between = roundsOf(scenario, quick ? 30 : 100);
  const run = scenario.start({ hardware });
  repeat(run, roundsOf(scenario, ROUNDS_BEFORE_HEAP));
  await heapInUse(); // the first collections of a process find what loading it has left
  const heap: HeapPoint[] = [{ round: 0, bytes: await heapInUse() }];
  for (let checkpoint = 1; checkpoint <= checkpoints; checkpoint++) {
    repeat(run, between);
    heap.push({ round: checkpoint * between, bytes: await heapInUse() });
  }
  run.finish();
  return heap;
}

function marginOf(scenario: Scenario): number {
  return isWholeMachine(scenario) ? MARGIN_BYTES * REGIONS_PER_MACHINE : MARGIN_BYTES;
}

function isWholeMachine({ name }: Scenario): boolean {
  return name === "create-destroy";
}

/** A machine takes a hundred times longer than a device: fewer rounds show as much. */
function roundsOf(scenario: Scenario, rounds: number): number {
  return isWholeMachine(scenario) ? Math.ceil(rounds / 15) : rounds;
}

function repeat(run: ScenarioRun, rounds: number): void {
  for (let round = 0; round < rounds; round++) run.round();
}

function runChecked(scenario: Scenario, hardware: Hardware): ScenarioTally {
  const run = scenario.start({ hardware, checked: "count" });
  repeat(run, roundsOf(scenario, CHECKED_ROUNDS));
  return run.finish();
}

/**
 * Heap in use after two forced collections with a timer turn before each, in which what the first one found is released.
 * One value jitters by some hundred kilobytes: only slopes over many rounds mean something.
 */
async function heapInUse(): Promise<number> {
  const { gc } = globalThis;
  if (!gc) throw new Error("retention needs --expose-gc");
  for (let i = 0; i < 2; i++) {
    await setTimeout(0);
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/**
 * Instances that V8 still reaches, per class, prototypes of subclasses included: only differences of two counts mean
 * something. A timer turn lets weak references and finalization callbacks settle first.
 */
async function countObjects(): Promise<number[]> {
  await setTimeout(0);
  return COUNTED.map((type) => v8.queryObjects(type, { format: "count" }));
}

function toMicroseconds(milliseconds: number): number {
  return 1000 * milliseconds;
}

function releaseMetric({ name, description }: Scenario): MetricDefinition {
  return {
    suite: "retention",
    workload: name,
    name: "unplug to release",
    description: `From the unplug to the release of the device's storage: ${description}.`,
    unit: "µs",
    quantity: "time",
    scale: "percent",
    margin: RELEASE_MARGIN_PERCENT,
    role: name === PLAIN_UNPLUG ? "headline" : "detail",
  };
}
