/** Finds where two sides diverge, and the shortest script that makes them diverge. */
import { describeStep, type Observation, type Step } from "./script.ts";

/** Index of the first step whose observations differ; -1 if there is none. */
export function firstDifference(ours: readonly Observation[], theirs: readonly Observation[]): number {
  return ours.findIndex((mine, index) => {
    const other = theirs[index];
    return mine.value !== other?.value || mine.interrupts !== other.interrupts || mine.map !== other.map;
  });
}

/**
 * Shrinks a script that makes the sides diverge, until no single step can be removed or the time is up.
 * @param differs runs a script on both sides; returns the index of the first difference.
 * @param milliseconds time limit.
 */
export async function shrink(
  script: readonly Step[],
  differs: (script: readonly Step[]) => Promise<number>,
  milliseconds: number,
): Promise<Step[]> {
  const end = Date.now() + milliseconds;
  let shortest = [...script];
  for (let chunk = Math.ceil(shortest.length / 2); chunk >= 1; chunk = Math.floor(chunk / 2)) {
    for (let start = shortest.length - chunk; start > -chunk && Date.now() < end; start -= chunk) {
      const candidate = shortest.filter((_, index) => index < start || index >= start + chunk);
      const at = await differs(candidate);
      if (at >= 0) shortest = candidate.slice(0, at + 1);
    }
  }
  return shortest;
}

/** The script with the observations of both sides, marking differences. */
export function report(
  script: readonly Step[],
  ours: readonly Observation[],
  theirs: readonly Observation[],
): string {
  return script
    .map((step, index) => {
      const [mine, other] = [describe(ours[index]), describe(theirs[index])];
      return `${describeStep(step).padEnd(40)} ${mine}${mine === other ? "" : `   the other side: ${other}`}`;
    })
    .join("\n");
}

function describe(seen: Observation | undefined): string {
  if (seen === undefined) return "nothing";
  const took = seen.elapsed > 0 ? `, ${seen.elapsed} ns` : "";
  const map = seen.map === undefined ? "" : `\n${seen.map}\n`;
  return `0x${seen.value.toString(16)}, mip 0x${seen.interrupts.toString(16)}${took}${map}`;
}
