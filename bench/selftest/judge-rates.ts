import type { Planted, Rate, SelfTest } from "#results";

/** Largest acceptable rate of false alarms. */
const MOST_FALSE_ALARMS = 0.05;
/** Smallest acceptable rates of detection. In dispatch, 0.5 % must be found as often as 1 % elsewhere. */
const PROMISES: readonly { readonly of: (planted: Planted) => boolean; readonly least: number }[] = [
  { of: ({ suite, percent }) => percent === (suite === "dispatch" ? 0.5 : 1), least: 0.8 },
  { of: ({ percent }) => percent === 2, least: 0.95 },
];

/**
 * Requirements that are not met, one sentence each.
 * @param short whether there are few comparisons: then a rate fails only if its probability by chance alone is below
 *   0.1 %
 */
export function judgeRates({ falseAlarms, planted, leaks }: SelfTest, short: boolean): string[] {
  const complaints: string[] = [];
  const tolerated = short ? 0.001 : 1;
  if (
    exceeds(falseAlarms, MOST_FALSE_ALARMS) &&
    chanceOfAtLeast(falseAlarms, MOST_FALSE_ALARMS) < tolerated
  ) {
    complaints.push(
      `${say(falseAlarms)} comparisons of a form with itself claim a difference; at most 5 % may`,
    );
  }
  for (const { of, least } of PROMISES) {
    for (const each of planted.filter(of)) {
      // Isolates that read a device differ by up to 5 %: twenty processes are too few, forty are usually enough.
      if (short && each.suite === "dispatch") continue;
      const missed: Rate = { found: each.of - each.found, of: each.of };
      if (exceeds(missed, 1 - least) && chanceOfAtLeast(missed, 1 - least) < tolerated) {
        complaints.push(
          `${each.suite}, ${each.quantity}: ${each.percent} % extra work was found in ${say(each)}; ${100 * least} % must be`,
        );
      }
    }
  }
  if (leaks.found < leaks.of) complaints.push(`a planted leak was found in ${say(leaks)}; all must be`);
  return complaints;
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
