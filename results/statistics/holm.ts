/**
 * Holm's correction (S. Holm, Scand. J. Statist. 6, 1979): probabilities adjusted so that, over all tests together and
 * however they depend on each other, the chance of even one false finding at level 0.05 is at most 0.05.
 *
 * @returns in the order of the input
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  order.forEach(({ p, index }, rank) => {
    largest = Math.max(largest, Math.min(1, p * (order.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}
