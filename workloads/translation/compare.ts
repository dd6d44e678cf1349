/** Runs a guest in several configurations, and finds where they first differ. */
import { describeWay, type Guest, REFERENCE, type Way } from "./guests.ts";
import type { Sight } from "./run.ts";
import type { Runners } from "./runners.ts";

/** Maximum distance between comparison points of a long run, so that a difference stays easy to locate. */
const LONGEST_STRETCH = 2 ** 29;
/** Number of parts that a stretch with a difference is divided into, repeatedly, down to one instruction. */
const DIVISIONS = 16;
/** Maximum number of differences listed. */
const MOST_LINES = 24;

/** States of the guest in each of its configurations. */
export interface Comparison {
  readonly guest: Guest;
  /** States under the interpreter. */
  readonly reference: readonly Sight[];
  readonly others: readonly { readonly way: Way; readonly sights: readonly Sight[] }[];
}

/** Powers of two, since most faults show early, at most `LONGEST_STRETCH` apart; the last is `last`. */
export function pointsUpTo(last: number): number[] {
  const points: number[] = [];
  for (let point = 1024; point < last; point += Math.min(point, LONGEST_STRETCH)) points.push(point);
  return [...points, last];
}

/** Runs a guest in all of its configurations. @throws Error if a process fails */
export async function runAllWays(guest: Guest, runners: Runners): Promise<Comparison> {
  const points = pointsUpTo(guest.maxInstructions);
  const ways = [REFERENCE, ...guest.ways];
  const [reference = [], ...others] = await runners.runAll(ways.map((way) => ({ guest, way, points })));
  return { guest, reference, others: guest.ways.map((way, index) => ({ way, sights: others[index] ?? [] })) };
}

/**
 * Describes where the states of a configuration first differ from the interpreter's; null if they do not. Runs both
 * again, with ever closer points, to find the instruction.
 */
export async function explainDifference(
  { guest, reference }: Comparison,
  way: Way,
  sights: readonly Sight[],
  runners: Runners,
): Promise<string | null> {
  let difference = firstDifference(reference, sights);
  if (difference === null) return null;
  while (difference.to - difference.from > 1) {
    const points = between(difference.from, difference.to);
    const [expected = [], found = []] = await runners.runAll(
      [REFERENCE, way].map((each) => ({ guest, way: each, points })),
    );
    const closer = firstDifference(expected, found);
    if (closer === null) break; // it disappears when the run is stopped in between
    difference = closer;
  }
  return describe(guest, way, difference);
}

/** Two differing states at the same point, and the last point before it at which they agreed. */
interface Difference {
  readonly from: number;
  readonly to: number;
  readonly before: Sight | undefined;
  readonly expected: Sight | undefined;
  readonly found: Sight | undefined;
}

function firstDifference(expected: readonly Sight[], found: readonly Sight[]): Difference | null {
  for (let index = 0; index < Math.max(expected.length, found.length); index++) {
    const [ours, theirs] = [found[index], expected[index]];
    if (ours !== undefined && theirs !== undefined && differences(theirs, ours).length === 0) continue;
    const before = expected[index - 1];
    const to = Math.max(ours?.instructions ?? 0, theirs?.instructions ?? 0);
    return { from: before?.instructions ?? 0, to, before, expected: theirs, found: ours };
  }
  return null;
}

function between(from: number, to: number): number[] {
  const points = Array.from({ length: DIVISIONS }, (_, index) =>
    Math.round(from + ((to - from) * (index + 1)) / DIVISIONS),
  );
  return [from, ...points].filter((point, index, all) => point > 0 && point !== all[index - 1]);
}

/** Lines that describe the differences. */
function differences(expected: Sight, found: Sight): string[] {
  const lines: string[] = [];
  if (found.end !== expected.end) lines.push(`ended by ${found.end}, not ${expected.end}`);
  for (const name of new Set([...Object.keys(expected.fingerprint), ...Object.keys(found.fingerprint)])) {
    const [theirs, ours] = [expected.fingerprint[name], found.fingerprint[name]];
    if (theirs !== ours) lines.push(`${name}: ${ours}, not ${theirs}`);
  }
  return lines;
}

function describe(guest: Guest, way: Way, { from, to, before, expected, found }: Difference): string {
  const lines =
    expected === undefined || found === undefined
      ? [`${found === undefined ? "this run" : "the interpreter"} had ended before`]
      : differences(expected, found);
  const next = Object.entries(before?.fingerprint ?? {}).filter(([name]) =>
    / (pc|next instruction)$/.test(name),
  );
  return [
    `${guest.name}, ${describeWay(way)}: as interpreted after ${from} instructions, but not after ${to}`,
    ...lines.slice(0, MOST_LINES).map((line) => `  ${line}`),
    ...(lines.length > MOST_LINES ? [`  and ${lines.length - MOST_LINES} more`] : []),
    ...next.map(([name, value]) => `  before: ${name} ${value}`),
  ].join("\n");
}
