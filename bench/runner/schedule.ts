import { Random } from "#results/statistics";
import type { Task } from "../suites/measurement.ts";

/** What processes are planned for. */
export interface PlannedTask {
  /** `suite/subject`. */
  readonly name: string;
  readonly task: Task;
  /** Options of the runtime for its processes. */
  readonly execArgv: readonly string[];
  /** Processes after which the task is left out, for what hardly varies or takes very long; default: as all others. */
  readonly mostRepeats?: number;
}

/** One process to be measured. */
export interface Trial {
  readonly task: string;
  /** Counts from 0. */
  readonly repeat: number;
}

/** Seed of one process: of its own, whatever else runs. */
export function seedOf({ task, repeat }: Trial, seed: number, shard: number): number {
  return Random.seeded(seed, `${task}/${repeat}/${shard}`).uint32();
}

/**
 * The order of a pass, in which every task that is not done yet gets one process. Shuffled, so that no task always follows
 * the same other one.
 */
export function passOrder<T>(tasks: readonly T[], pass: number, seed: number): T[] {
  return Random.seeded(seed, `pass ${pass}`).shuffled(tasks);
}

export function describeTrial({ task, repeat }: Trial): string {
  return `${task}, process ${repeat + 1}`;
}
