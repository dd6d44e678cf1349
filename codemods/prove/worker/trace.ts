/** What passes between the prover and its worker: plain data. */

/** A value that a field or a property of a device can be given. */
export type Plain = string | number | boolean;

/** A method of a device that anybody may call, with a kind for each parameter. */
export interface MethodFacts {
  readonly name: string;
  readonly parameters: readonly ("number" | "boolean" | "string")[];
}

/** What a board can do with objects of a class, besides what it can do with every device. */
export interface ClassFacts {
  /** Name under which its module exports it for the prover. */
  readonly exportName: string;
  readonly className: string;
  readonly getters: readonly string[];
  readonly methods: readonly MethodFacts[];
}

/** How a device lives in one run. */
export interface Life {
  readonly name: string;
  readonly kind: "plain" | "never plugged" | "removed while mapped" | "pair" | "realized again" | "methods";
  /** Public fields that the board sets before it plugs the device. */
  readonly fields: Readonly<Record<string, Plain>>;
  /** Whether properties get other values than their defaults. */
  readonly variesProperties: boolean;
  /** The allocation of guest memory that fails, counted from 1; 0: none. */
  readonly failingRam: number;
  readonly hotplugged: boolean;
  /** Whether a reader of the memory map stays active while the device goes. */
  readonly reader: boolean;
}

/** One event of a life, and the state of the machine after it. Lines are compared as text. */
export interface Step {
  readonly name: string;
  /** `done`, or the exception. */
  readonly outcome: string;
  /** What the device logged, guest errors, interrupt levels, values read, and events of the machine. */
  readonly events: readonly string[];
  /** Every region: path, kind, place, size and flags, in the order of the composition tree. */
  readonly regions: readonly string[];
  /** Windows that the device declared, in order, and where they are mapped. */
  readonly windows: readonly string[];
  /** The flat view of every address space. */
  readonly view: readonly string[];
  /** Objects alive, with their reference counts. */
  readonly objects: readonly string[];
  /** Uses of objects after their end. */
  readonly uses: readonly string[];
  /** Whether storage was initialised again while it held a live object. */
  readonly startedOver: boolean;
}

export interface LifeTrace {
  readonly life: string;
  readonly steps: readonly Step[];
  /** Storage that nothing can free any more, after the machine has ended. */
  readonly leaks: readonly string[];
  /** What could not be driven, in words. */
  readonly undriven: readonly string[];
}

/** A module as CommonJS text. */
export interface ModuleText {
  /** Absolute path. */
  readonly id: string;
  readonly code: string;
  /** Module of each specifier that the code requires: an id, `node:…`, or a path for Node's own `require`. */
  readonly imports: Readonly<Record<string, string>>;
}

/** Ids of the components that devices are built on, as the devices themselves import them. */
export interface RoomIds {
  readonly qom: string;
  readonly memory: string;
  readonly qdev: string;
}

/** Drives one class in one form. */
export interface Job {
  readonly modules: readonly ModuleText[];
  /** Id of the module that exports the class. */
  readonly entry: string;
  /** Ids of modules that register types or declare buses. */
  readonly companions: readonly string[];
  readonly facts: ClassFacts;
  /** Whether the module's `exercise` is meant for this class. */
  readonly exercises: boolean;
  readonly lives: readonly Life[];
  readonly seed: number;
}

export interface JobResult {
  readonly traces: readonly LifeTrace[];
  /** Why the class could not be driven at all; null if it was. */
  readonly impossible: string | null;
}
