/** Device lifecycles whose outcome was predicted before they were run, and the machine that they run in. */
import type { RegionForm } from "#machine";
import { AddressSpace, MemoryRegion, type ReferencePolicy, WHOLE_ADDRESS_SPACE } from "#memory";
import { DeviceModel, type DeviceModelOptions } from "#qdev";
import { type LifetimeError, QomAbort } from "#qom";
import { isHeldByTree } from "./composition.ts";
import { Specimens } from "./specimens.ts";

/** Leaks and late uses of a lifecycle. Exact, since every round does the same. */
export interface LifetimeFigures {
  /** Rounds that ended where QEMU aborts. What is left then does not count: its process would have ended. */
  readonly aborts: number;
  /** Blocks of the storage ledger that are not freed by the end of all rounds, and that no parent will free. */
  readonly blocksUnfreed: number;
  /** Their size as C structures. */
  readonly bytesUnfreed: number;
  /** Blocks added by the rounds that are freed only with their parent, which lives on. */
  readonly blocksHeld: number;
  readonly bytesHeld: number;
  /**
   * Uses of objects whose finalizers have run but whose storage still exists. Only distinct uses: within a round, a
   * field or operation of a type counts once.
   */
  readonly usesAfterFinalize: number;
  /** The same for objects whose storage has been freed. */
  readonly usesAfterFree: number;
}

/** A lifecycle to run in each form of the regions. */
export interface Lifetime {
  readonly name: string;
  /** Events of a round, in one sentence. */
  readonly description: string;
  /** The rule of the object model that determines the outcome, in one sentence. */
  readonly rule: string;
  /** Number of rounds that the figures cover. */
  readonly rounds: number;
  /** Derived from the rules, over all rounds. */
  readonly expected: Readonly<Record<RegionForm, LifetimeFigures>>;
  run(form: RegionForm): LifetimeFigures;
}

/** A machine without a processor, for creating and removing devices of one form. */
export class LifetimeMachine {
  readonly model: DeviceModel;
  /** The guest's memory: covers all addresses, initially empty. */
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

  /** Ends the grace period and runs everything that was deferred. */
  settle(): void {
    this.model.rcu.drain();
  }
}

/** Expected figures of one round; omitted figures are 0. */
export type PerRound = Partial<LifetimeFigures>;

export interface LifetimeDefinition extends Pick<Lifetime, "name" | "description" | "rule"> {
  /** What references to regions count on; default: `owner`, as in QEMU since 10.2. */
  readonly references?: ReferencePolicy;
  /** Derived from the rules. */
  readonly perRound: Readonly<Record<RegionForm, PerRound>>;
  /** Prepares a machine, and returns the function that runs a round in it. */
  start(machine: LifetimeMachine): () => void;
}

/** Every round does the same, so a few are enough; more than one is needed to show what accumulates. */
const ROUNDS = 10;

export function lifetime(definition: LifetimeDefinition): Lifetime {
  const { name, description, rule, perRound } = definition;
  return {
    name,
    description,
    rule,
    rounds: ROUNDS,
    expected: { embedded: overRounds(perRound.embedded), owned: overRounds(perRound.owned) },
    run: (form) => ({ ...countLeft(definition, form), ...countUses(definition, form) }),
  };
}

function overRounds(each: PerRound): LifetimeFigures {
  return {
    aborts: ROUNDS * (each.aborts ?? 0),
    blocksUnfreed: ROUNDS * (each.blocksUnfreed ?? 0),
    bytesUnfreed: ROUNDS * (each.bytesUnfreed ?? 0),
    blocksHeld: ROUNDS * (each.blocksHeld ?? 0),
    bytesHeld: ROUNDS * (each.bytesHeld ?? 0),
    usesAfterFinalize: ROUNDS * (each.usesAfterFinalize ?? 0),
    usesAfterFree: ROUNDS * (each.usesAfterFree ?? 0),
  };
}

/** Reads the ledger in fast mode, as machines run. */
function countLeft(
  { references = "owner", start }: LifetimeDefinition,
  form: RegionForm,
): Omit<LifetimeFigures, "usesAfterFinalize" | "usesAfterFree"> {
  const machine = new LifetimeMachine(form, { references });
  const round = start(machine);
  lives(round);
  machine.settle(); // by now everything that is allocated only once exists, such as containers of the tree
  const before = ledgerOf(machine.model);
  let aborts = 0;
  for (let i = 0; i < ROUNDS; i++) {
    if (!lives(round)) aborts++;
    machine.settle();
  }
  const after = ledgerOf(machine.model);
  const more = (figure: keyof Ledger) => (aborts > 0 ? 0 : after[figure] - before[figure]);
  return {
    aborts,
    blocksUnfreed: more("blocks") - more("heldBlocks"),
    bytesUnfreed: more("bytes") - more("heldBytes"),
    blocksHeld: more("heldBlocks"),
    bytesHeld: more("heldBytes"),
  };
}

/** Live blocks, and those of them that will be freed with a parent. */
interface Ledger {
  readonly blocks: number;
  readonly bytes: number;
  readonly heldBlocks: number;
  readonly heldBytes: number;
}

function ledgerOf(model: DeviceModel): Ledger {
  const { live: blocks, liveBytes: bytes } = model.heap.usage();
  const held = [...model.heap.live()].filter((block) => isHeldByTree(model, block));
  return {
    ...{ blocks, bytes },
    heldBlocks: held.length,
    heldBytes: held.reduce((sum, block) => sum + block.bytes, 0),
  };
}

/** False if QEMU's process would end; the machine is left as it was at that moment. */
function lives(round: () => void): boolean {
  try {
    round();
    return true;
  } catch (failure) {
    if (failure instanceof QomAbort) return false;
    throw failure;
  }
}

/** Counts uses in checked mode. */
function countUses(
  { references = "owner", start }: LifetimeDefinition,
  form: RegionForm,
): Pick<LifetimeFigures, "usesAfterFinalize" | "usesAfterFree"> {
  const machine = new LifetimeMachine(form, { references, checked: "count" });
  const found = machine.model.detector?.found ?? [];
  const round = start(machine);
  let usesAfterFinalize = 0;
  let usesAfterFree = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const before = found.length;
    lives(round);
    machine.settle();
    const uses = found.slice(before);
    usesAfterFinalize += distinct(uses, "UseAfterFinalize");
    usesAfterFree += distinct(uses, "UseAfterFree");
  }
  return { usesAfterFinalize, usesAfterFree };
}

/** Counts distinct uses: how often the code happens to read a field says little about the lifecycle. */
function distinct(uses: readonly LifetimeError[], kind: LifetimeError["name"]): number {
  return new Set(
    uses.filter(({ name }) => name === kind).map(({ typeName, touched }) => `${typeName} ${touched}`),
  ).size;
}
