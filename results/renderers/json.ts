import type { Run } from "../schema.ts";
import { serializeRun } from "../store.ts";

/** One run as it is stored; several as an array of them. */
export function renderJson(runs: readonly Run[]): string {
  const [only, ...others] = runs;
  if (only && others.length === 0) return serializeRun(only);
  return `[\n${runs.map((run) => serializeRun(run).trimEnd()).join(",\n")}\n]\n`;
}
