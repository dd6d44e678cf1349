/** Changes to plain data at a path, for tests of code that reads it. */
import { isRecord } from "../reader.ts";

export type Path = readonly (string | number)[];

/** Sets the value at a path of keys and indices; undefined removes the member when the data are written as JSON. */
export function setAt(target: unknown, path: Path, value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) throw new Error("empty path");
  if (!isRecord(target) && !Array.isArray(target)) throw new Error(`nothing at ${key}`);
  if (rest.length > 0) setAt(Reflect.get(target, key), rest, value);
  else Reflect.set(target, key, value);
}

/** Paths of all strings in plain data. */
export function stringPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    stringPaths(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
