/** What remains of devices and machines after many rounds of creating and destroying them. */
import { setTimeout } from "node:timers/promises";
import v8 from "node:v8";
import type { Hardware } from "#machine";
import { FlatView, MemoryRegion } from "#memory";
import { DeviceModel } from "#qdev";
import { QomObject } from "#qom";
import type { HeapPoint } from "#results";
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

/** Rounds before the first count: lazily made objects, and V8's own tables, are then there. */
const WARM_UP_ROUNDS = 60;
/** Rounds before the heap is followed: V8 makes notes of what runs for some hundred rounds, and keeps them. */
const ROUNDS_BEFORE_HEAP = 600;
/** Rounds between the two counts, which repeat exactly: more rounds only make a rare leak more likely to show. */
const COUNTED_ROUNDS = { quick: 100, full: 600 } as const;
/** Rounds in checked mode, where every touch of a dead object is found and nothing is timed. */
const CHECKED_ROUNDS = 30;

/** A hundredth of what V8 spends on one leaked region, about 1 500 bytes. */
const MARGIN_BYTES = 16;
/** As much for each of the regions of a board. */
const REGIONS_PER_MACHINE = 16;

/** Counts what the rounds of each scenario leave. All are warmed up first: one count then ends a scenario and begins the next. */
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

/** @throws Error when a leak that was made on purpose is not found */
function checkControl({ name }: Scenario, expected: number, found: number): void {
  if (expected === 0 || found === expected) return;
  throw new Error(
    `control scenario ${name} must leak ${expected} blocks, the ledger shows ${found}: ` +
      "leaks are not found reliably, so none of its zeros can be believed",
  );
}

/** What each round keeps alive, where the self-test plants a leak. */
const planted: object[] = [];

/**
 * How the heap grows over the rounds of one scenario.
 * @param extraLeaks objects that a round leaks unseen, for the self-test
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
    margin: marginOf(followed),
    heap: await followHeap(followed, hardware, quick, extraLeaks),
  };
}

/** Heap in use over the rounds, from when lazily made objects are there. */
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
  await heapInUse(); // the first collections of a process find what loading it has left
  const heap: HeapPoint[] = [{ round: 0, bytes: await heapInUse() }];
  for (let checkpoint = 1; checkpoint <= checkpoints; checkpoint++) {
    repeat(run, between);
    heap.push({ round: checkpoint * between, bytes: await heapInUse() });
  }
  run.finish();
  return heap;
}

/** The same rounds, each of which leaks so many objects more. */
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
