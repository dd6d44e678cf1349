import { generateInterpreter, type Interpret } from "./generate.ts";

/** Compiled interpreters by the offset of the hart's block, which is a constant in them. Immutable, so shared. */
const compiled = new Map<number, WebAssembly.Module>();

/** An interpreter for the hart whose block is at `stateOffset` in `memory`. Only the first of an offset is compiled. */
export function instantiateInterpreter(memory: WebAssembly.Memory, stateOffset: number): Interpret {
  let module = compiled.get(stateOffset);
  if (module === undefined) {
    module = new WebAssembly.Module(generateInterpreter(stateOffset));
    compiled.set(stateOffset, module);
  }
  const instance = new WebAssembly.Instance(module, { guest: { memory } });
  return instance.exports.interpret as Interpret; // the generator exports exactly this
}
