/** What is left after many rounds of creating and destroying devices and machines. */
import { setTimeout } from "node:timers/promises";
import v8 from "node:v8";
import type { Hardware } from "#machine";
import { FlatView, MemoryRegion } from "#memory";
import { DeviceModel } from "#qdev";
import { QomObject } from "#qom";
import { type HeapPoint, termsOf, WHOLE_MACHINE } from "#results";
import {
  type Scenario,
  type ScenarioRun,
  type ScenarioTally,
  scenario,
  scenarios,
} from "#workloads/lifecycle";
import type { HeapCurve, Remains } from "./measurement.ts";

/** Classes whose instances are counted, subclasses included: all objects of the model, regions, flat views. */
const COUNTED = [QomObject, MemoryRegion, FlatView] as const;

/** Rounds before the first count, for lazily created objects and V8's own tables. */
const WARM_UP_ROUNDS = 60;
/** Rounds before the heap is followed: V8 collects type feedback for some hundred rounds, and keeps it. */
const ROUNDS_BEFORE_HEAP = 600;
/** Rounds between the two counts. These repeat exactly; more rounds only make a rare leak more likely to show. */
const COUNTED_ROUNDS = { quick: 100, full: 600 } as const;
/** Untimed rounds in checked mode, which finds every access to a dead object. */
const CHECKED_ROUNDS = 30;

/**
 * Counts what the rounds of each scenario leave. All are warmed up first, so that one count ends a scenario and starts
 * the next.
 */
export async function countRemains(hardware: Hardware, quick: boolean): Promise<Remains[]> {
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

/** @throws Error when an intentional leak is not found */
function checkControl({ name }: Scenario, expected: number, found: number): void {
  if (expected === 0 || found === expected) return;
  throw new Error(
    `control scenario ${name} must leak ${expected} blocks, the ledger shows ${found}: ` +
      "leaks are not found reliably, so none of its zeros can be believed",
  );
}

/** The objects leaked by rounds into which the self-test plants a leak. */
const planted: object[] = [];

/**
 * Measures how the heap grows over the rounds of one scenario.
 * @param extraLeaks objects that each round leaks in addition, for the self-test
 */
export async function followScenario(
  { scenario: name, extraLeaks }: { readonly scenario: string; readonly extraLeaks: number },
  hardware: Hardware,
  quick: boolean,
): Promise<HeapCurve> {
  const followed = scenario(name);
  return {
    scenario: name,
    control: followed.leaksPerRound > 0,
    margin: termsOf({ suite: "retention", workload: name, quantity: "memory" }).margin,
    heap: await followHeap(followed, hardware, quick, extraLeaks),
  };
}

/** Heap in use over the rounds, after a warm-up in which lazily created objects are made. */
async function followHeap(
  scenario: Scenario,
  hardware: Hardware,
  quick: boolean,
  extraLeaks: number,
): Promise<HeapPoint[]> {
  const checkpoints = quick ? 8 : 40;
  const between = roundsOf(scenario, quick ? 30 : 100);
  const run = leaking(scenario.start({ hardware }), extraLeaks);
  repeat(run, roundsOf(scenario, ROUNDS_BEFORE_HEAP));
  await heapInUse(); // the first collections of a process free what loading has left
  const heap: HeapPoint[] = [{ round: 0, bytes: await heapInUse() }];
  for (let checkpoint = 1; checkpoint <= checkpoints; checkpoint++) {
    repeat(run, between);
    heap.push({ round: checkpoint * between, bytes: await heapInUse() });
  }
  run.finish();
  return heap;
}

/** The same run, but each round leaks this many additional objects. */
function leaking(run: ScenarioRun, objects: number): ScenarioRun {
  if (objects === 0) return run;
  const model = new DeviceModel();
  return Object.assign(Object.create(run) as ScenarioRun, {
    round: () => {
      run.round();
      for (let i = 0; i < objects; i++) planted.push(model.create(MemoryRegion));
    },
  });
}

/** A machine takes a hundred times as long as a device, so it gets fewer rounds. */
function roundsOf(scenario: Scenario, rounds: number): number {
  return scenario.name === WHOLE_MACHINE ? Math.ceil(rounds / 15) : rounds;
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
 * Heap in use after two forced collections, each preceded by a turn of the event loop in which finalizers run. Single
 * values vary by some hundred kilobytes: only slopes over many rounds are meaningful.
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
 * Reachable instances per class according to V8. Prototypes of subclasses are included, so only differences of two
 * counts are meaningful. A turn of the event loop lets weak references and finalization callbacks settle first.
 */
async function countObjects(): Promise<number[]> {
  await setTimeout(0);
  return COUNTED.map((type) => v8.queryObjects(type, { format: "count" }));
}
