/** Stands in for snapshots, which backends cannot import: copies the fields that a backend declares. */

interface Fields {
  readonly [field: string]: string | Fields;
}

interface Stateful {
  readonly vmState: { readonly fields: Fields; postLoad?(backend: never): void };
}

/** Copies the declared state of `source` to `target`. */
export function move<T extends Stateful>(source: T, target: T): void {
  copy(source.vmState.fields, source, target);
  const { postLoad } = target.vmState as { postLoad?(backend: T): void }; // its argument is the declaring backend
  postLoad?.(target);
}

function copy(fields: Fields, source: object, target: object): void {
  for (const [name, kind] of Object.entries(fields)) {
    const value: unknown = Reflect.get(source, name);
    if (value === undefined) throw new Error(`there is no field ${name}`);
    if (typeof kind === "string") Reflect.set(target, name, structuredClone(value));
    else copy(kind, value as object, Reflect.get(target, name)); // only objects have nested fields
  }
}
