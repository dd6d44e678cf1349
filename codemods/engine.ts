/** What V8 need not know of a process that runs once, for some seconds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytecodes that a function runs before V8 considers optimising it; its own value is some 67 000 to 135 000. */
const BUDGET = 400_000;

/** V8 that does not know the budget any more: it counts invocations, and has Maglev for functions that run a few times. */
const WITHOUT_BUDGET = 12;

/**
 * Has V8 optimise less, where it would overdo it. It otherwise spends a third of the processor time on machine code, in
 * threads beside those that work, for functions that are hardly needed afterwards.
 */
export function optimiseLess(): void {
  if (Number.parseInt(process.versions.v8, 10) >= WITHOUT_BUDGET) return;
  setFlagsFromString(`--interrupt-budget=${BUDGET}`);
}

/** Frees what is no longer used now, rather than when there is half as much again. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
}
