import { errorFunction, wilcoxonRankSum } from "simple-statistics";

export interface MannWhitney {
  /** Number of pairs in which the value of the first group is the larger one, ties counting half. */
  readonly u: number;
  /** Two-sided probability of a `u` at least as far from its expectation, if both groups came from one population. */
  readonly pValue: number;
}

/** Up to this many pairs the null distribution is counted out; beyond, the normal approximation is as good. */
const EXACT_PAIRS = 900;

/**
 * Mann-Whitney test (H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18, 1947).
 *
 * Exact, also under ties, for groups up to 30 by 30: the probability is over all ways to deal the observed ranks to
 * the groups. Larger groups take the normal approximation with tie and continuity corrections.
 *
 * @throws Error when a group is empty
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): MannWhitney {
  const rankSum = wilcoxonRankSum([...a], [...b]);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const ranks = doubledMidranks([...a, ...b]);
  const pValue =
    a.length * b.length <= EXACT_PAIRS
      ? exactProbability(ranks, a.length, 2 * rankSum)
      : normalProbability(ranks, a.length, b.length, u);
  return { u, pValue: Math.min(1, pValue) };
}

/** Twice the midrank of every value: whole numbers, also under ties. */
function doubledMidranks(pooled: readonly number[]): number[] {
  const sorted = [...pooled].sort((x, y) => x - y);
  const ranks: number[] = [];
  for (let first = 0; first < sorted.length; ) {
    let end = first;
    while (end < sorted.length && sorted[end] === sorted[first]) end++;
    for (let i = first; i < end; i++) ranks.push(first + end + 1);
    first = end;
  }
  return ranks;
}

/** Share of the ways to choose `size` of the ranks whose sum is at least as far from the expected one as `observed`. */
function exactProbability(ranks: readonly number[], size: number, observed: number): number {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const width = total + 1;
  // ways[k * width + s]: number of ways to choose k of the ranks seen so far with sum s.
  const ways = new Float64Array((size + 1) * width);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let k = size; k >= 1; k--) {
      for (let s = total; s >= rank; s--) {
        const added = ways[(k - 1) * width + s - rank] ?? 0;
        if (added !== 0) ways[k * width + s] = (ways[k * width + s] ?? 0) + added;
      }
    }
  }
  const expected = (total * size) / ranks.length;
  let all = 0;
  let extreme = 0;
  for (let s = 0; s < width; s++) {
    const count = ways[size * width + s] ?? 0;
    all += count;
    if (Math.abs(s - expected) >= Math.abs(observed - expected) - 1e-9) extreme += count;
  }
  return extreme / all;
}

function normalProbability(ranks: readonly number[], n1: number, n2: number, u: number): number {
  const n = n1 + n2;
  let ties = 0;
  for (let first = 0; first < n; ) {
    let end = first;
    while (end < n && ranks[end] === ranks[first]) end++;
    ties += (end - first) ** 3 - (end - first);
    first = end;
  }
  const variance = ((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  const distance = Math.max(0, Math.abs(u - (n1 * n2) / 2) - 0.5);
  return 1 - errorFunction(distance / Math.sqrt(2 * variance));
}
