import { generateInterpreter, type Interpret, USUAL } from "./generate.ts";
import { readReadyMade } from "./ready-made.ts";

/** An interpreter, and the functions that units leave for. */
export interface Interpreter {
  readonly interpret: Interpret;
  readonly jump: () => number;
  readonly finish: () => number;
}

/** What translated code needs in addition to the memory. */
export interface UnitLinks {
  readonly table: WebAssembly.Table;
  /** Arrivals that make a place worth translating: 1 to 32767. */
  readonly hotArrivals: number;
}

/** Compiled interpreters, by the constants in them. They are immutable, and therefore shared. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * Creates an interpreter for the hart whose block is at `stateOffset` in `memory`. Compiles only the first of a kind.
 */
export function instantiateInterpreter(
  memory: WebAssembly.Memory,
  stateOffset: number,
  links?: UnitLinks,
): Interpreter {
  const key = `${stateOffset}:${links?.hotArrivals}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(bytesOf(stateOffset, links?.hotArrivals));
    compiled.set(key, module);
  }
  const imports = links === undefined ? { memory } : { memory, units: links.table };
  const { exports } = new WebAssembly.Instance(module, { guest: imports });
  return exports as unknown as Interpreter; // the generator exports exactly these
}

function bytesOf(stateOffset: number, hotArrivals: number | undefined): Uint8Array<ArrayBuffer> {
  const isUsual = stateOffset === USUAL.stateOffset && hotArrivals === USUAL.hotArrivals;
  return (isUsual ? readReadyMade() : undefined) ?? generateInterpreter(stateOffset, hotArrivals);
}
