/**
 * A table of what words mean. Unlike an object it has nothing but what is in it: names that every JavaScript object has,
 * such as `constructor`, are words like any other.
 */
export function tableOf<Value>(entries: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(entries));
}
