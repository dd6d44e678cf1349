import type { ts } from "ts-morph";

/** States in which a function is left other than at its end. */
export interface Exits<State> {
  returned: State | undefined;
  thrown: State | undefined;
  /** At an `await`: the caller goes on from here. */
  suspended: State | undefined;
  readonly broken: Map<ts.Node, State>;
  readonly continued: Map<ts.Node, State>;
}

export function newExits<State>(): Exits<State> {
  return {
    returned: undefined,
    thrown: undefined,
    suspended: undefined,
    broken: new Map(),
    continued: new Map(),
  };
}
