/** What a snapshot does with a backend, which cannot see those who write snapshots: copies the fields it declares. */

interface Fields {
  readonly [field: string]: string | Fields;
}

interface Stateful {
  readonly vmState: { readonly fields: Fields; postLoad?(backend: never): void };
}

/** Makes `target` what `source` is, as far as it declares a state. */
export function move<T extends Stateful>(source: T, target: T): void {
  copy(source.vmState.fields, source, target);
  const { postLoad } = target.vmState as { postLoad?(backend: T): void }; // it takes what declares it
  postLoad?.(target);
}

function copy(fields: Fields, source: object, target: object): void {
  for (const [name, kind] of Object.entries(fields)) {
    const value: unknown = Reflect.get(source, name);
    if (value === undefined) throw new Error(`there is no field ${name}`);
    if (typeof kind === "string") Reflect.set(target, name, structuredClone(value));
    else copy(kind, value as object, Reflect.get(target, name)); // fields of its own are an object's
  }
}
