/**
 * Finds which of `units` cause a problem, by trying the program without some of them: `without` says whether the problem
 * is gone once the given units are reverted. The units in `reverted` are reverted in every trial. The result is
 * empty if the problem remains even without all units.
 */
export function blame<U>(
  units: readonly U[],
  reverted: ReadonlySet<U>,
  without: (reverted: ReadonlySet<U>) => boolean,
): U[] {
  const candidates = units.filter((unit) => !reverted.has(unit));
  if (!without(new Set([...reverted, ...candidates]))) return [];
  return narrow(candidates, reverted, without);
}

/** Precondition: the problem is gone once all candidates are reverted. Postcondition: so it is without the result. */
function narrow<U>(
  candidates: readonly U[],
  reverted: ReadonlySet<U>,
  without: (reverted: ReadonlySet<U>) => boolean,
): U[] {
  if (candidates.length <= 1) return [...candidates];
  const middle = candidates.length >> 1;
  const halves = [candidates.slice(0, middle), candidates.slice(middle)] as const;
  for (const half of halves) {
    if (without(new Set([...reverted, ...half]))) return narrow(half, reverted, without);
  }
  // Either half alone causes it, so there is a cause in both.
  const [first, second] = halves;
  const inSecond = narrow(second, new Set([...reverted, ...first]), without);
  return [...narrow(first, new Set([...reverted, ...inSecond]), without), ...inSecond];
}
