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
