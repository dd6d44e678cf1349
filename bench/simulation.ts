/**
 * How often the stopping rule is wrong, found by trying it on simulated processes whose true difference is known.
 *
 * A trial is one headline metric among sixteen; in the others, the forms do not differ. At each look the real `judge`
 * gives its verdict, and the first decided verdict ends the trial, as it would end a run.
 */
import {
  ARMS,
  type Arm,
  type Comparison,
  isDecided,
  isDifference,
  judge,
  type Measured,
  type MetricDefinition,
  type Verdict,
} from "#results";
import { lookOf, type Random, sequentialRule } from "#results/statistics";
import { perArm } from "./suites/measurement.ts";

/** Deviation of one isolate from the true time, as a logarithm. */
export type Noise = (random: Random) => number;

/** A tenth of a percent: a dispatch loop on an idle machine. */
const QUIET = 0.001;

/** The normal distribution, and shapes of noise that were seen in measurements. */
export const SHAPES: readonly { readonly name: string; readonly noise: Noise }[] = [
  { name: "normal", noise: (random) => 0.005 * random.normal() },
  {
    name: "wild: 1 isolate in 20 is 8 % off",
    noise: (random) => QUIET * random.normal() + (random.below(20) === 0 ? Math.log(1.08) : 0),
  },
  {
    name: "bimodal: 1 isolate in 3 is 5 % off",
    noise: (random) => QUIET * random.normal() + (random.below(3) === 0 ? Math.log(1.05) : 0),
  },
];

/** True differences of B from A, in units of the margin. */
export const EFFECTS = [0, 0.5, 1, 2] as const;

/** Number of headline metrics of a run, which Holm's correction takes into account. */
const HEADLINES = 16;
const MARGIN_PERCENT = 1;

export interface Rates {
  readonly trials: number;
  /** Verdicts at the end of each trial. */
  readonly verdicts: ReadonlyMap<Verdict, number>;
  /** Number of wrong claims, see {@link isWrong}. */
  readonly wrong: number;
  /** Total number of processes over all trials. */
  readonly processes: number;
}

/** Tries the rule. @param effect true difference in units of the margin */
export function simulate(
  looks: readonly number[],
  noise: Noise,
  effect: number,
  trials: number,
  random: Random,
): Rates {
  const verdicts = new Map<Verdict, number>();
  let wrong = 0;
  let processes = 0;
  for (let trial = 0; trial < trials; trial++) {
    const end = runTrial(looks, noise, effect, random);
    verdicts.set(end.verdict, (verdicts.get(end.verdict) ?? 0) + 1);
    if (isWrong(end.verdict, effect)) wrong++;
    processes += end.processes;
  }
  return { trials, verdicts, wrong, processes };
}

/**
 * Whether a verdict is a wrong claim: a difference where there is none or in the wrong direction, or equivalence where
 * the difference is as large as the margin. B is never faster here.
 */
export function isWrong(verdict: Verdict, effect: number): boolean {
  if (verdict === "faster") return true;
  if (verdict === "slower") return effect === 0;
  return verdict === "equivalent" && effect >= 1;
}

function runTrial(
  looks: readonly number[],
  noise: Noise,
  effect: number,
  random: Random,
): { readonly verdict: Verdict; readonly processes: number } {
  const slowdown = Math.log1p((effect * MARGIN_PERCENT) / 100);
  const most = Math.max(...looks);
  const asked = drawMetric(most, noise, slowdown, random);
  let others: Samples[] | null = null;
  let verdict: Verdict = "inconclusive";
  for (const processes of looks) {
    const measured = measuredAt(asked, processes, looks);
    let [comparison] = judge([measured]);
    // Correction for other metrics can only withdraw differences: if there is none, the others need not be judged.
    if (comparison && claims(comparison, processes === most)) {
      others ??= Array.from({ length: HEADLINES - 1 }, () => drawMetric(most, noise, 0, random));
      [comparison] = judge([measured, ...others.map((each) => measuredAt(each, processes, looks))]);
    }
    if (comparison === undefined) throw new RangeError("one comparison per metric");
    verdict = comparison.verdict;
    if (isDecided(comparison)) return { verdict, processes };
  }
  return { verdict, processes: most };
}

/** Whether correction may change a verdict that matters; `no difference` matters only at the last look. */
function claims({ verdict, aaVerdict }: Comparison, last: boolean): boolean {
  return isDifference(verdict) || isDifference(aaVerdict) || (last && verdict === "no difference");
}

type Samples = Measured["samples"];

/** Draws the samples of one metric; the noise of every isolate is independent. */
function drawMetric(processes: number, noise: Noise, slowdown: number, random: Random): Samples {
  const drawn: Record<Arm, number[]> = { A: [], B: [], A2: [] };
  for (let process = 0; process < processes; process++) {
    for (const arm of ARMS) drawn[arm].push(Math.exp((arm === "B" ? slowdown : 0) + noise(random)));
  }
  return drawn;
}

function measuredAt(samples: Samples, processes: number, looks: readonly number[]): Measured {
  return {
    definition: HEADLINE,
    samples: perArm((arm) => samples[arm].slice(0, processes)),
    machines: new Array<number>(processes).fill(0),
    look: lookOf(sequentialRule(looks)),
  };
}

const HEADLINE: MetricDefinition = {
  suite: "dispatch",
  workload: "simulation",
  name: "a headline",
  quantity: "time",
  source: "regionlab",
  description: "",
  unit: "ns",
  scale: "percent",
  margin: MARGIN_PERCENT,
  role: "headline",
  estimator: "",
  decides: true,
  byConstruction: null,
};
