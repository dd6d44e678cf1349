import { escapeJson } from "#host";
import type { Run } from "../schema.ts";
import { serializeRun } from "../store.ts";
import { serializeSummary } from "../summary.ts";

/** One run as it is stored, or an array of several. Characters that would act on a terminal are escaped. */
export function renderJson(runs: readonly Run[]): string {
  return escapeJson(oneOrArray(runs.map(serializeRun)));
}

/** One summary, or an array of several. */
export function renderSummary(runs: readonly Run[]): string {
  return oneOrArray(runs.map(serializeSummary));
}

function oneOrArray(texts: readonly string[]): string {
  const [only, ...others] = texts;
  if (only !== undefined && others.length === 0) return only;
  return `[\n${texts.map((text) => text.trimEnd()).join(",\n")}\n]\n`;
}
