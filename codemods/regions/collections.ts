/** What the methods of arrays, sets and maps do with the elements. */
import { tableOf } from "#host";

interface CollectionStep {
  /** Position of the element among the parameters of the callback; undefined if there is no callback. */
  readonly element?: number;
  /** Depth of the result against that of the collection; undefined if the result has no element in it. */
  readonly result?: number;
}

const steps = tableOf<CollectionStep>({
  forEach: { element: 0 },
  some: { element: 0 },
  every: { element: 0 },
  map: { element: 0 },
  flatMap: { element: 0 },
  findIndex: { element: 0 },
  findLastIndex: { element: 0 },
  filter: { element: 0, result: 0 },
  sort: { element: 0, result: 0 },
  toSorted: { element: 0, result: 0 },
  find: { element: 0, result: -1 },
  findLast: { element: 0, result: -1 },
  reduce: { element: 1, result: -1 },
  reduceRight: { element: 1, result: -1 },
  at: { result: -1 },
  pop: { result: -1 },
  shift: { result: -1 },
  get: { result: -1 },
  slice: { result: 0 },
  splice: { result: 0 },
  concat: { result: 0 },
  reverse: { result: 0 },
  toReversed: { result: 0 },
  values: { result: 0 },
  flat: { result: 0 },
  next: { result: 0 },
  entries: { result: 1 },
  keys: {},
  join: {},
  push: {},
  unshift: {},
  add: {},
  set: {},
  clear: {},
});

/** What a method does with the elements of a collection of this type; undefined if it is not known. */
export function collectionStep(method: string, typeName: string | undefined): CollectionStep | undefined {
  // The elements of a map are pairs already.
  if (method === "entries" && typeName === "Map") return { result: 0 };
  if (method === "get" || method === "values")
    return typeName === "Map" ? shallower(method) : steps.get(method);
  return steps.get(method);
}

function shallower(method: string): CollectionStep {
  return { result: method === "get" ? -2 : -1 };
}

/** Methods that put an argument into the collection. */
export const storingMethods: ReadonlySet<string> = new Set([
  "push",
  "unshift",
  "add",
  "set",
  "splice",
  "fill",
  "with",
]);
