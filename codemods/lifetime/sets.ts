/**
 * Long lists of small sets, of which each step changes one and most are the same in any two: kept in chunks that lists
 * share, so that changing and joining them does not cost their length.
 */
const CHUNK = 32;

type Chunk = readonly number[];
/** A set is a sum of bits; 0 stands for the initial one, which the caller knows. */
export type Sets = readonly (Chunk | undefined)[];

export const EMPTY_SETS: Sets = [];
const NO_CHUNK: Chunk = new Array<number>(CHUNK).fill(0);

export function setAt(sets: Sets, index: number): number {
  return sets[Math.floor(index / CHUNK)]?.[index % CHUNK] ?? 0;
}

export function withSet(sets: Sets, index: number, set: number): Sets {
  const place = Math.floor(index / CHUNK);
  const copy = sets.slice();
  while (copy.length <= place) copy.push(undefined);
  const chunk = (copy[place] ?? NO_CHUNK).slice();
  chunk[index % CHUNK] = set;
  copy[place] = chunk;
  return copy;
}

/** Unions, place by place. The first list itself if the other adds nothing. */
export function unitedSets(one: Sets, other: Sets, initial: (index: number) => number): Sets {
  if (one === other) return one;
  const length = Math.max(one.length, other.length);
  let result: (Chunk | undefined)[] | undefined;
  for (let place = 0; place < length; place++) {
    const joined = unitedChunk(one[place], other[place], place * CHUNK, initial);
    if (joined === one[place]) continue;
    result ??= one.slice();
    while (result.length < place) result.push(undefined);
    result[place] = joined;
  }
  return result ?? one;
}

function unitedChunk(
  one: Chunk | undefined,
  other: Chunk | undefined,
  first: number,
  initial: (index: number) => number,
): Chunk | undefined {
  if (one === other) return one;
  const [a, b] = [one ?? NO_CHUNK, other ?? NO_CHUNK];
  let result: number[] | undefined;
  for (let index = 0; index < CHUNK; index++) {
    const [left = 0, right = 0] = [a[index], b[index]];
    if (left === right) continue;
    const joined = (left || initial(first + index)) | (right || initial(first + index));
    if (joined === (left || initial(first + index))) continue;
    result ??= a.slice();
    result[index] = joined;
  }
  return result ?? one;
}

export function sameSets(one: Sets, other: Sets, initial: (index: number) => number): boolean {
  if (one === other) return true;
  for (let place = 0; place < Math.max(one.length, other.length); place++) {
    const [a, b] = [one[place], other[place]];
    if (a === b) continue;
    for (let index = 0; index < CHUNK; index++) {
      const missing = initial(place * CHUNK + index);
      if ((a?.[index] || missing) !== (b?.[index] || missing)) return false;
    }
  }
  return true;
}
