/** Lives of devices whose outcome was predicted before they were run, and the machine that they are run in. */
import type { RegionForm } from "#machine";
import { AddressSpace, MemoryRegion, WHOLE_ADDRESS_SPACE } from "#memory";
import { DeviceModel, type DeviceModelOptions } from "#qdev";
import type { UseAfterEnd } from "#qom";
import { Specimens } from "./specimens.ts";

/** What a life leaves, and what it touches too late. Exact: every round does the same. */
export interface LifetimeFigures {
  /** Blocks of the storage ledger that are not freed when the rounds are over. */
  readonly blocksUnfreed: number;
  /** Their size as C structures. */
  readonly bytesUnfreed: number;
  /**
   * Touches of objects whose finalizers have run while their storage still stands. Distinct ones: within a round, one field
   * or operation of one type counts once.
   */
  readonly usesAfterFinalize: number;
  /** The same of an object whose storage has been freed. */
  readonly usesAfterFree: number;
}

/** A life to be run in each form of the regions. */
export interface Lifetime {
  readonly name: string;
  /** What happens in a round, in a sentence. */
  readonly description: string;
  /** The rule of the object model that decides, in a sentence. */
  readonly rule: string;
  /** Rounds that all figures are of. */
  readonly rounds: number;
  /** Derived from the rules, over all rounds. */
  readonly expected: Readonly<Record<RegionForm, LifetimeFigures>>;
  run(form: RegionForm): LifetimeFigures;
}

/** A machine without a processor, in which devices of one form come and go. */
export class LifetimeMachine {
  readonly model: DeviceModel;
  /** What the guest sees: all addresses, and nothing there yet. */
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  readonly specimens: Specimens;

  constructor(form: RegionForm, options: DeviceModelOptions) {
    this.model = new DeviceModel(options);
    this.root = MemoryRegion.new(this.model.noOwner, "system", WHOLE_ADDRESS_SPACE);
    this.model.systemMemory = this.root;
    this.space = new AddressSpace(this.model, this.root, "memory");
    this.specimens = new Specimens(this.model, form);
  }

  /** Waits out the grace period: everything that was deferred happens now. */
  settle(): void {
    this.model.rcu.drain();
  }
}

/** What one round of a life must come to; what is left out is 0. */
export type PerRound = Partial<LifetimeFigures>;

export interface LifetimeDefinition extends Pick<Lifetime, "name" | "description" | "rule"> {
  /** Whether a container takes no reference on a subregion of its own owner; default: true, as in QEMU since 10.2. */
  readonly sameOwnerExemption?: boolean;
  /** By the rules. */
  readonly perRound: Readonly<Record<RegionForm, PerRound>>;
  /** Prepares a machine, and gives back what each round does in it. */
  start(machine: LifetimeMachine): () => void;
}

/** Every round does the same, so a few are enough; more than one, to show what accumulates. */
const ROUNDS = 10;

export function lifetime(definition: LifetimeDefinition): Lifetime {
  const { name, description, rule, perRound } = definition;
  return {
    name,
    description,
    rule,
    rounds: ROUNDS,
    expected: { embedded: overRounds(perRound.embedded), owned: overRounds(perRound.owned) },
    run: (form) => ({ ...countUnfreed(definition, form), ...countUses(definition, form) }),
  };
}

function overRounds(each: PerRound): LifetimeFigures {
  return {
    blocksUnfreed: ROUNDS * (each.blocksUnfreed ?? 0),
    bytesUnfreed: ROUNDS * (each.bytesUnfreed ?? 0),
    usesAfterFinalize: ROUNDS * (each.usesAfterFinalize ?? 0),
    usesAfterFree: ROUNDS * (each.usesAfterFree ?? 0),
  };
}

/** Reads the ledger in fast mode, as machines run. */
function countUnfreed(
  { sameOwnerExemption = true, start }: LifetimeDefinition,
  form: RegionForm,
): Pick<LifetimeFigures, "blocksUnfreed" | "bytesUnfreed"> {
  const machine = new LifetimeMachine(form, { sameOwnerExemption });
  const ledger = () => machine.model.heap.usage();
  const round = start(machine);
  round();
  machine.settle(); // what is made once, such as containers of the tree, is there now
  const before = ledger();
  for (let i = 0; i < ROUNDS; i++) {
    round();
    machine.settle();
  }
  const after = ledger();
  return {
    blocksUnfreed: after.live - before.live,
    bytesUnfreed: after.liveBytes - before.liveBytes,
  };
}

/** Counts touches in checked mode. */
function countUses(
  { sameOwnerExemption = true, start }: LifetimeDefinition,
  form: RegionForm,
): Pick<LifetimeFigures, "usesAfterFinalize" | "usesAfterFree"> {
  const machine = new LifetimeMachine(form, { sameOwnerExemption, checked: "count" });
  const found = machine.model.detector?.found ?? [];
  const round = start(machine);
  let usesAfterFinalize = 0;
  let usesAfterFree = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const before = found.length;
    round();
    machine.settle();
    const uses = found.slice(before);
    usesAfterFinalize += distinct(uses, "UseAfterFinalize");
    usesAfterFree += distinct(uses, "UseAfterFree");
  }
  return { usesAfterFinalize, usesAfterFree };
}

/** How often the code happens to read a field says more about the code than about the life. */
function distinct(uses: readonly UseAfterEnd[], kind: UseAfterEnd["name"]): number {
  return new Set(
    uses.filter(({ name }) => name === kind).map(({ typeName, touched }) => `${typeName} ${touched}`),
  ).size;
}
