/**
 * Phases of a device's life, in order. In the owned form, a use in a phase before the region's creation finds nothing,
 * and a use in `Finalize` finds it gone, because children are released before the finalizer runs.
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

/** Methods that other code calls to run hooks, and the phase that the device has reached when they return. */
const drivers: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ["plug", Phase.Realize],
  ["plugIntoSystemBus", Phase.Realize],
]);

/** Names of the methods that realize a device. */
export const driverNames: readonly string[] = [...drivers.keys()];

/** Phase that the device has reached after a call of this method; undefined if the method does not change the phase. */
export function phaseAfterCall(name: string): Phase | undefined {
  return phaseOfHook(name) ?? drivers.get(name);
}
