/**
 * Probability of groups at least as different as these if all come from one population (W. H. Kruskal and W. A. Wallis,
 * J. Amer. Stat. Assoc. 47, 1952), by the chi-squared approximation with correction for ties. 1 for fewer than two
 * groups.
 */
export function kruskalWallis(groups: readonly (readonly number[])[]): number {
  const values = groups.flatMap((group, g) => group.map((value) => ({ value, g })));
  const n = values.length;
  if (groups.length < 2 || n < 3) return 1;
  values.sort((a, b) => a.value - b.value);
  const rankSums = groups.map(() => 0);
  let ties = 0;
  for (let first = 0; first < n; ) {
    let next = first + 1;
    while (next < n && values[next]?.value === values[first]?.value) next++;
    const rank = (first + next + 1) / 2; // the mean of first + 1 … next
    for (let i = first; i < next; i++) {
      const g = values[i]?.g ?? 0;
      rankSums[g] = (rankSums[g] ?? 0) + rank;
    }
    ties += (next - first) ** 3 - (next - first);
    first = next;
  }
  const correction = 1 - ties / (n ** 3 - n);
  if (correction === 0) return 1; // all values are the same
  const sum = groups.reduce((total, group, g) => total + (rankSums[g] ?? 0) ** 2 / group.length, 0);
  const h = ((12 / (n * (n + 1))) * sum - 3 * (n + 1)) / correction;
  return chiSquaredTail(h, groups.length - 1);
}

/** The smallest probability that groups of these sizes can have: that of values of which no group overlaps another. */
export function leastOfKruskalWallis(sizes: readonly number[]): number {
  let next = 0;
  return kruskalWallis(sizes.map((size) => Array.from({ length: size }, () => next++)));
}

/**
 * Upper tail probability of chi squared at `x`, for an integer number of degrees of freedom: closed forms of Abramowitz
 * and Stegun, Handbook of Mathematical Functions, 1964, 26.4.4 and 26.4.5.
 */
export function chiSquaredTail(x: number, degreesOfFreedom: number): number {
  if (x <= 0) return 1;
  const even = degreesOfFreedom % 2 === 0;
  let term = even ? Math.exp(-x / 2) : Math.sqrt((2 * x) / Math.PI) * Math.exp(-x / 2);
  let sum = even ? 0 : 2 * normalTail(Math.sqrt(x));
  for (let k = even ? 0 : 1; k <= degreesOfFreedom - 2; k += 2) {
    sum += term;
    term *= x / (k + 2);
  }
  return Math.min(1, sum);
}

/** Upper tail of the standard normal at `z`: a continued fraction (ibid., 26.2.14), or a series near zero (26.2.10). */
function normalTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / (z + fraction);
    return density / (z + fraction);
  }
  let term = z;
  let sum = z;
  for (let k = 1; k < 60; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}
