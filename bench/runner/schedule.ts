import { Random } from "#results/statistics";
import type { Task } from "../suites/measurement.ts";

/** A task for which processes are planned. */
export interface PlannedTask {
  /** The times that a report asks for first, of those that the task yields; undefined for a task that yields only details. */
  readonly times?: readonly { readonly workload: string; readonly name: string }[];
  /** `suite/subject`. */
  readonly name: string;
  readonly task: Task;
  /** Node options of its processes. */
  readonly execArgv: readonly string[];
  /**
   * Fixed number of processes, for tasks that hardly vary or take very long; default: until the metrics are decided.
   */
  readonly mostRepeats?: number;
  /** Whether all its figures are details, so that no headline is missing without them. */
  readonly isDetail?: boolean;
}

/** One process to be measured. */
export interface Trial {
  readonly task: string;
  /** Counts from 0. */
  readonly repeat: number;
}

/** Seed of one process, independent of all other processes. */
export function seedOf({ task, repeat }: Trial, seed: number, shard: number): number {
  return Random.seeded(seed, `${task}/${repeat}/${shard}`).uint32();
}

/**
 * The order of a pass, in which every unfinished task gets one process. Shuffled, so that no task always follows the
 * same other one.
 */
export function passOrder<T>(tasks: readonly T[], pass: number, seed: number): T[] {
  return Random.seeded(seed, `pass ${pass}`).shuffled(tasks);
}

export function describeTrial({ task, repeat }: Trial): string {
  return `${task}, process ${repeat + 1}`;
}
