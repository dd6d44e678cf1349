/** Lifetime scenarios: run in one form, combined for both forms, and compared with the prediction. */
import { type Form, LIFETIME_FIGURES, type LifetimeFigures, type LifetimeScenario } from "#results";
import { lifetimes } from "#workloads/lifecycle";

/** The outcome of a lifetime scenario in one form. */
export interface LifetimeMeasurement
  extends Pick<LifetimeScenario, "scenario" | "description" | "rule" | "rounds"> {
  readonly expected: LifetimeFigures;
  readonly observed: LifetimeFigures;
}

/**
 * Runs all lifetime scenarios in one form. The figures are exact, so one run is enough; it takes well under a second.
 */
export function measureLifetimes(form: Form): LifetimeMeasurement[] {
  return lifetimes().map(({ name, description, rule, rounds, expected, run }) => ({
    scenario: name,
    description,
    rule,
    rounds,
    expected: expected[form],
    observed: run(form),
  }));
}

/**
 * Combines the lifetime scenarios of two forms.
 * @throws RangeError when they are not the same scenarios, because the processes ran different versions
 */
export function combineLifetimes(arms: {
  readonly A: readonly LifetimeMeasurement[];
  readonly B: readonly LifetimeMeasurement[];
}): LifetimeScenario[] {
  if (arms.A.length !== arms.B.length) throw new RangeError("the arms ran different numbers of lifetimes");
  return arms.A.map((a, i) => {
    const b = arms.B[i];
    if (b === undefined || b.scenario !== a.scenario || b.rounds !== a.rounds)
      throw new RangeError(`the arms ran different lifetimes: A ${a.scenario}, B ${b?.scenario}`);
    const { scenario, description, rule, rounds } = a;
    return { scenario, description, rule, rounds, arms: { A: outcomeOf(a), B: outcomeOf(b) } };
  });
}

function outcomeOf({ expected, observed }: LifetimeMeasurement): LifetimeScenario["arms"]["A"] {
  return { expected, observed };
}

/** One line for every figure that differs from its prediction. */
export function surprises(scenarios: readonly LifetimeScenario[]): string[] {
  return scenarios.flatMap(({ scenario, arms }) =>
    (["A", "B"] as const).flatMap((arm) =>
      LIFETIME_FIGURES.flatMap((figure) => {
        const expected = arms[arm].expected[figure];
        const observed = arms[arm].observed[figure];
        return expected === observed
          ? []
          : [`${scenario}, arm ${arm}: ${figure} is ${observed}, not ${expected}`];
      }),
    ),
  );
}
