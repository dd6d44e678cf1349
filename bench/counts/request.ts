import type { Form } from "#results";

/** What a counted process is asked to do, as JSON in its first argument. */
export interface CountRequest {
  readonly form: Form;
  /** In this order, one after the other. */
  readonly works: readonly RequestedWork[];
}

export interface RequestedWork {
  /** Name of a {@link import("./subjects.ts").CountWork}. */
  readonly name: string;
  /** Rounds done before the counted ones, so that V8 has learnt what they run. */
  readonly warmUp: number;
  /** Rounds whose instructions are wanted: marks stand before and after each of their steps. */
  readonly rounds: number;
  /** For the instrument's self-test: steps of other work that are counted with each step; default: none. */
  readonly plant?: readonly number[];
}

/** What it says afterwards, as a line of JSON on {@link REPORT_FD}; its parent then ends it. */
export interface CountReport {
  readonly works: readonly DoneWork[];
}

export interface DoneWork {
  readonly name: string;
  readonly rounds: number;
  /** Something that depends on all of the work, and is the same whichever the form: proof that it was done. */
  readonly check: string;
}

/** File descriptor of the report; standard output stays silent. */
export const REPORT_FD = 3;
/** The report begins with it, as soon as all is loaded; the process then waits for the file that its second argument names. */
export const READY = "ready\n";
/**
 * Function of the runtime (of libuv) that ends one interval and begins the next. What asks for a process's priority does
 * nothing else, and nothing else asks for it.
 */
export const MARK = "uv_os_getpriority";
/** Intervals with nothing in them at the end of a process: they tell what a mark costs. */
export const EMPTY_INTERVALS = 3;

/** Steps of the instrument's own test, in which `owned` is given 1 % more of the same work. */
export const PLANTED_STEPS: Readonly<Record<Form, number>> = { embedded: 100_000, owned: 101_000 };
