import type { Planted, Rate, SelfTest } from "#results";
import type { PlantedEstimate } from "./self-test.ts";

/** Largest acceptable rate of false alarms. */
const MOST_FALSE_ALARMS = 0.05;
/** Smallest acceptable rates of detection. In dispatch, 0.5 % must be found as often as 1 % elsewhere. */
const PROMISES: readonly { readonly of: (planted: Planted) => boolean; readonly least: number }[] = [
  { of: ({ suite, percent }) => percent === (suite === "dispatch" ? 0.5 : 1), least: 0.8 },
  { of: ({ percent }) => percent === 2, least: 0.95 },
];

/** Distance from what was planted, in percent, that is put down to the difference between isolates. */
const ISOLATES_DIFFER = 0.3;

/** Requirements that are not met by the rates of many comparisons, one sentence each. */
export function judgeRates({ falseAlarms, planted, leaks }: SelfTest): string[] {
  return [
    ...(exceeds(falseAlarms, MOST_FALSE_ALARMS) ? [complainOfAlarms(falseAlarms)] : []),
    ...missedTooOften(planted, () => true),
    ...missedLeaks(leaks),
  ];
}

/**
 * The same for few comparisons, on whichever machine this is: a rate fails only if its probability by chance alone is
 * below 0.1 %. How much extra time a few processes find depends on how noisy the machine is, and comparisons that share
 * processes find it or miss it together. So what is judged of times is whether the estimates are true: the interval,
 * as wide as the noise makes it, must include what was planted. Dispatch is not judged by its times: isolates that
 * read a device differ by up to 5 %, which takes more processes to average out.
 */
export function judgeShort(
  { falseAlarms, planted, leaks }: SelfTest,
  estimates: readonly PlantedEstimate[],
): string[] {
  const unlikely = (missed: Rate, limit: number) => chanceOfAtLeast(missed, limit) < 0.001;
  return [
    ...(exceeds(falseAlarms, MOST_FALSE_ALARMS) && unlikely(falseAlarms, MOST_FALSE_ALARMS)
      ? [complainOfAlarms(falseAlarms)]
      : []),
    ...missedTooOften(
      planted.filter(({ quantity }) => quantity === "count"),
      unlikely,
    ),
    ...estimates
      .filter(({ suite, percent, measured: { low, high } }) => {
        const nearest = Math.min(Math.max(percent, low), high);
        return suite !== "dispatch" && Math.abs(nearest - percent) > ISOLATES_DIFFER;
      })
      .map((estimate) => `${describeEstimate(estimate)}, which does not include what was planted`),
    ...missedLeaks(leaks),
  ];
}

/** What was planted, and what was measured. */
export function describeEstimate({ suite, workload, name, percent, measured }: PlantedEstimate): string {
  const [estimate, low, high] = [measured.estimate, measured.low, measured.high].map((part) =>
    part.toFixed(2),
  );
  return `${suite}, ${workload}, ${name}: planted ${percent} %, measured ${estimate} % (${low} to ${high})`;
}

/** @param matters whether a rate of misses above the limit is more than chance */
function missedTooOften(
  planted: readonly Planted[],
  matters: (missed: Rate, limit: number) => boolean,
): string[] {
  return PROMISES.flatMap(({ of, least }) =>
    planted
      .filter(of)
      .filter((each) => {
        const missed: Rate = { found: each.of - each.found, of: each.of };
        return exceeds(missed, 1 - least) && matters(missed, 1 - least);
      })
      .map(
        (each) =>
          `${each.suite}, ${each.quantity}: ${each.percent} % extra work was found in ${say(each)}; ${100 * least} % must be`,
      ),
  );
}

function complainOfAlarms(falseAlarms: Rate): string {
  return `${say(falseAlarms)} comparisons of a form with itself claim a difference; at most 5 % may`;
}

function missedLeaks(leaks: Rate): string[] {
  return leaks.found < leaks.of ? [`a planted leak was found in ${say(leaks)}; all must be`] : [];
}

function say({ found, of }: Rate): string {
  return `${found} of ${of}`;
}

function exceeds({ found, of }: Rate, limit: number): boolean {
  return found > limit * of + 1e-9;
}

/** Binomial probability of at least `found` successes of `of` trials. */
export function chanceOfAtLeast({ found, of }: Rate, probability: number): number {
  let chance = 0;
  let weight = (1 - probability) ** of;
  for (let k = 0; k <= of; k++) {
    if (k >= found) chance += weight;
    weight *= ((of - k) / (k + 1)) * (probability / (1 - probability));
  }
  return Math.min(1, chance);
}
