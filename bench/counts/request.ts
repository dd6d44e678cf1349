import type { Form } from "#results";

/** What a counted process is asked to do, as JSON in its only argument. */
export interface CountRequest {
  /** Name of a {@link import("./subjects.ts").CountSubject}. */
  readonly subject: string;
  readonly form: Form;
  /** Rounds done before the counted ones, so that V8 has compiled what they run. */
  readonly warmUp: number;
  /** Rounds whose instructions are wanted. */
  readonly rounds: number;
  /**
   * Rounds that any process of this subject counts at most. All of them prepare for so many: what preparing costs is then
   * the same in each, and falls out of the difference.
   */
  readonly mostRounds: number;
}

/** What it says afterwards, as JSON on {@link REPORT_FD}. */
export interface CountReport {
  readonly rounds: number;
  /** Something that depends on all of the work, and is the same whichever the form: proof that it was done. */
  readonly check: string;
}

/** File descriptor of the report; standard output stays silent. */
export const REPORT_FD = 3;

/** Steps of the instrument's own test, in which `owned` is given 1 % more of the same work. */
export const PLANTED_STEPS: Readonly<Record<Form, number>> = { embedded: 100_000, owned: 101_000 };
