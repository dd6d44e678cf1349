import type { Emulation, Hardware } from "#machine";
import type { DetectionMode } from "#qom";

/** Setting that a scenario runs in. */
export interface ScenarioSetting {
  readonly hardware: Hardware;
  /** Checked mode; default: fast mode. */
  readonly checked?: DetectionMode;
}

/** A running scenario: each round ends in the state in which it began, except for leaks. */
export interface ScenarioRun {
  /** Runs one round. */
  round(): void;
  /** Milliseconds from each unplug to the release of the device's storage, in order; empty if nothing is unplugged. */
  readonly releaseTimes: readonly number[];
  /** The current state of the model's ledger and detector, summed over all machines of the run. */
  tally(): ScenarioTally;
  /** Ends the run. */
  finish(): ScenarioTally;
}

export interface ScenarioTally {
  /** Blocks, and their modelled bytes, that are allocated and not freed. */
  readonly liveBlocks: number;
  readonly liveBytes: number;
  /** The same by type. */
  readonly liveByType: Readonly<Record<string, number>>;
  /** Uses found in checked mode. */
  readonly usesAfterFinalize: number;
  readonly usesAfterFree: number;
}

/** A repeated lifecycle of devices or machines. */
export interface Scenario {
  readonly name: string;
  /** Events of a round, in one line. */
  readonly description: string;
  /** Blocks that one round must leak by the rules of the object model. If it is not 0, the scenario is a control. */
  readonly leaksPerRound: number;
  start(setting: ScenarioSetting): ScenarioRun;
}

/** Reads the ledger and the detector of a machine. */
export function tallyOf({ model }: Emulation): ScenarioTally {
  const usage = model.heap.usage();
  const found = model.detector?.found ?? [];
  const liveByType: Record<string, number> = {};
  for (const [name, { live }] of usage.byType) if (live > 0) liveByType[name] = live;
  return {
    liveBlocks: usage.live,
    liveBytes: usage.liveBytes,
    liveByType,
    usesAfterFinalize: found.filter((each) => each.name === "UseAfterFinalize").length,
    usesAfterFree: found.filter((each) => each.name === "UseAfterFree").length,
  };
}
