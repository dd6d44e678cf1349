import { QomError } from "#qom";

/** Host sides that devices find by name; each serves one device at a time. */
export class NamedBackends<T> {
  /** The option that makes one, without its dash. */
  readonly option: string;
  private readonly backends = new Map<string, T>();
  private readonly taken = new Set<string>();

  /** @param option the device's option that names one, for messages. */
  constructor(option: string) {
    this.option = option;
  }

  /** @throws QomError when the name is taken. */
  add(name: string, backend: T): void {
    if (this.backends.has(name))
      throw new QomError(`the name "${name}" of a ${this.option} is taken; give another`);
    this.backends.set(name, backend);
  }

  /** All of them, by name, whether a device uses them or not. */
  entries(): IterableIterator<[string, T]> {
    return this.backends.entries();
  }

  /** Names of those that no device has taken. */
  get unused(): readonly string[] {
    return [...this.backends.keys()].filter((name) => !this.taken.has(name));
  }

  has(name: string): boolean {
    return this.backends.has(name);
  }

  /** The backend, which is the caller's until it gives it back. @throws QomError when there is none, or it is taken. */
  take(name: string): T {
    const backend = this.backends.get(name);
    if (backend === undefined)
      throw new QomError(
        `property ${this.option} is ${name}, which does not exist; give -${this.option} …,id=${name}`,
      );
    if (this.taken.has(name))
      throw new QomError(
        `property ${this.option} is ${name}, which another device uses; give one of its own`,
      );
    this.taken.add(name);
    return backend;
  }

  giveBack(name: string): void {
    this.taken.delete(name);
  }
}
