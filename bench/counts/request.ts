import type { Form } from "#results";

/** The request to a counted process, as JSON in its first argument. */
export interface CountRequest {
  readonly form: Form;
  /** Done one after the other, in this order. */
  readonly works: readonly RequestedWork[];
}

export interface RequestedWork {
  /** Name of a {@link import("./subjects.ts").CountWork}. */
  readonly name: string;
  /** Rounds done before the counted ones, to warm V8 up. */
  readonly warmUp: number;
  /** Counted rounds: there are marks before and after each of their steps. */
  readonly rounds: number;
  /** For the self-test: steps of extra work that are counted with each step; default: none. */
  readonly plant?: readonly number[];
}

/** The report of a counted process, as a line of JSON on {@link REPORT_FD}; its parent then kills it. */
export interface CountReport {
  readonly works: readonly DoneWork[];
}

export interface DoneWork {
  readonly name: string;
  readonly rounds: number;
  /** A text that depends on all of the work and is the same for both forms: proof that it was done. */
  readonly check: string;
}

/** File descriptor of the report; nothing is written to standard output. */
export const REPORT_FD = 3;
/**
 * Start of the report, written once everything is loaded. The process then waits for the file named by its second
 * argument.
 */
export const READY = "ready\n";
/**
 * The function of libuv whose call ends one interval and begins the next. It only queries the priority of a process,
 * and nothing else calls it.
 */
export const MARK = "uv_os_getpriority";
/** Number of empty intervals at the end of a process, which show the cost of a mark. */
export const EMPTY_INTERVALS = 3;

/** Steps for the test of the instrument, in which `owned` does 1 % more of the same work. */
export const PLANTED_STEPS: Readonly<Record<Form, number>> = { embedded: 100_000, owned: 101_000 };
