import { QomError } from "#qom";

/** Backends that devices find by name; each serves one device at a time. */
export class NamedBackends<T> {
  /** The option that creates one, without the dash. */
  readonly option: string;
  private readonly backends = new Map<string, T>();
  private readonly taken = new Set<string>();

  /** @param option the device option that names one, for messages. */
  constructor(option: string) {
    this.option = option;
  }

  /** @throws QomError when the name is taken. */
  add(name: string, backend: T): void {
    if (this.backends.has(name))
      throw new QomError(`the name "${name}" of a ${this.option} is taken; give another`);
    this.backends.set(name, backend);
  }

  /** All backends by name, in use or not. */
  entries(): IterableIterator<[string, T]> {
    return this.backends.entries();
  }

  /** Names of the backends that no device uses. */
  get unused(): readonly string[] {
    return [...this.backends.keys()].filter((name) => !this.taken.has(name));
  }

  has(name: string): boolean {
    return this.backends.has(name);
  }

  /** Takes a backend until `giveBack`. @throws QomError when there is no such backend, or it is in use. */
  take(name: string): T {
    const backend = this.backends.get(name);
    if (backend === undefined)
      throw new QomError(
        `property ${this.option} is ${name}, which does not exist; give -${this.option} …,id=${name}`,
      );
    if (this.taken.has(name))
      throw new QomError(
        `property ${this.option} is ${name}, which another device uses; give the device one of its own`,
      );
    this.taken.add(name);
    return backend;
  }

  giveBack(name: string): void {
    this.taken.delete(name);
  }
}
