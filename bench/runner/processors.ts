/**
 * Which processor a measured process runs on. Arms that take turns have to do so on one: where a neighbour of a virtual machine keeps
 * one of its processors busy, an arm that the system leaves there is slower by half for as long as it lives.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Numbers of the processors that this process may use and give to others; empty where the system has no such notion, or no `taskset`. */
export function assignableProcessors(): readonly number[] {
  known ??= findProcessors();
  return known;
}

let known: readonly number[] | undefined;

function findProcessors(): readonly number[] {
  let status: string;
  try {
    status = readFileSync("/proc/self/status", "utf8");
  } catch {
    return []; // no Linux
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
  const processors = parseProcessors(list);
  if (processors.length === 0) return [];
  // Changes nothing, but shows whether the system lets this process choose.
  return taskset(list).status === 0 ? processors : [];
}

/** Parses a list as the kernel writes it: `0-2,5`. */
export function parseProcessors(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

/** The processor of a process that has to stay on one: by turns, so that none of them matters. null: any */
export function processorOf(repeat: number): number | null {
  const processors = assignableProcessors();
  return processors[repeat % processors.length] ?? null;
}

/** Keeps all threads of this process to a processor. @throws Error where the system does not allow it */
export function keepToProcessor(processor: number): void {
  const { status, stderr } = taskset(String(processor));
  if (status !== 0) throw new Error(`taskset could not choose processor ${processor}: ${stderr}`);
}

/** Keeps all threads of this process to a list of processors. */
function taskset(list: string): { readonly status: number | null; readonly stderr: string } {
  return spawnSync("taskset", ["-a", "-c", "-p", list, String(process.pid)], { encoding: "utf8" });
}

/** For the report: how processes of slices are placed. */
export function describePlacement(): string {
  return assignableProcessors().length > 0
    ? "slices: all arms of a process on one processor (taskset)"
    : "slices: arms on any processor";
}
