/**
 * Phases of a device's life, in order. A region exists from its creation; a use in an earlier phase finds nothing there
 * in the owned form, and a use in `Finalize` finds it gone, because children go before the finalizer runs.
 */
export const Phase = { Construct: 0, Init: 1, Realize: 2, Run: 3, TearDown: 4, Finalize: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

const hooks: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ["constructor", Phase.Construct],
  ["instanceInit", Phase.Init],
  ["realize", Phase.Realize],
  ["unrealize", Phase.TearDown],
  ["exit", Phase.TearDown],
  ["onUnparent", Phase.TearDown],
  ["instanceFinalize", Phase.Finalize],
]);

/** Phase of the lifecycle hook of this name; undefined for any other method. */
export function phaseOfHook(name: string): Phase | undefined {
  return hooks.get(name);
}

/** Methods that others call to run hooks, and the phase that the device has reached when they return. */
const drivers: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ["plug", Phase.Realize],
  ["plugIntoSystemBus", Phase.Realize],
]);

/** Phase that a call of this method brings the device to; undefined for methods that leave it where it is. */
export function phaseAfterCall(name: string): Phase | undefined {
  return phaseOfHook(name) ?? drivers.get(name);
}
