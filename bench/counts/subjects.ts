/** What is counted, with the questions that the counts answer beside times. */
import type { MetricDefinition, Role, Suite } from "#results";
import { BOOT, MACHINE_CREATION, SECTION_HIT } from "../suites/limits.ts";

/** One figure, and how it is counted. */
export interface CountSubject {
  /** Names its work in counted processes, and the subject in the schedule. */
  readonly name: string;
  readonly definition: MetricDefinition;
  /** Rounds before those that are counted. */
  readonly warmUp: number;
  /** The smaller number of counted rounds; the larger one is {@link MANY} times as many. */
  readonly rounds: number;
  /** What a round does so many times; the figure is for one of them. */
  readonly perRound: number;
  /** Options of V8, beside those of all counted processes. */
  readonly flags: readonly string[];
  /** Whether a quick run counts it. */
  readonly quick: boolean;
  /** The guest program whose files it needs; null where it runs none. */
  readonly guest: string | null;
}

/** The slope is drawn through two numbers of rounds, n and so many times n. */
export const MANY = 4;

/** Counts of less difference than this are alike for all purposes: stated before the run. */
export const COUNT_MARGIN_PERCENT = 0.2;

/**
 * V8 on one thread, whose compiling and collecting then happens at the same places of the program each time; collections
 * are due by bytes allocated, not by how fast memory was seen to fill.
 */
export const COUNTING_FLAGS = ["--single-threaded", "--predictable", "--predictable-gc-schedule"] as const;
/** Else WebAssembly is compiled a second time wherever a budget of calls runs out: 15 % between two runs of one program. */
const ONE_TIER = "--no-wasm-dynamic-tiering";

interface Plan extends Omit<CountSubject, "definition" | "perRound" | "flags" | "quick" | "guest"> {
  readonly suite: Suite;
  readonly workload: string;
  readonly question: string;
  readonly description: string;
  readonly role: Role;
  readonly decides: boolean;
  readonly perRound?: number;
  readonly flags?: readonly string[];
  readonly quick?: boolean;
  readonly guest?: string;
}

/** All subjects, in the order in which they are counted. */
export function countSubjects(): readonly CountSubject[] {
  return [...board(), ...boots(), ...dispatch(), ...retention()].map(subjectOf);
}

function board(): Plan[] {
  const common = { suite: "boot", workload: "virt board", role: "headline" } as const;
  return [
    {
      ...common,
      name: "create",
      question: MACHINE_CREATION,
      description: "A whole machine: host memory, objects, realize, first flat view, processor, console.",
      decides: true,
      warmUp: 6,
      rounds: 6,
    },
    {
      ...common,
      name: "objects",
      question: "objects and first flat view",
      description: "What of a machine's creation can differ: objects, realize, reset, first flat view.",
      decides: false,
      warmUp: 20,
      rounds: 10,
    },
    {
      ...common,
      name: "tear-down",
      question: "tear-down",
      description: "Address spaces, RCU callbacks, the object tree of a board that has not run.",
      decides: false,
      warmUp: 20,
      rounds: 20,
    },
  ];
}

/** Rounds by guest: the short ones need many boots before their slope stands out of the noise. */
const GUESTS: readonly {
  readonly guest: string;
  readonly warmUp: number;
  readonly rounds: number;
  readonly quick?: boolean;
}[] = [
  { guest: "hello", warmUp: 5, rounds: 5 },
  { guest: "interrupts", warmUp: 2, rounds: 2 },
  { guest: "smp", warmUp: 2, rounds: 2 },
  { guest: "flash", warmUp: 2, rounds: 2 },
  { guest: "bus-errors", warmUp: 2, rounds: 2 },
  { guest: "mmio-storm", warmUp: 1, rounds: 1 },
  { guest: "u-boot", warmUp: 0, rounds: 1 },
];

function boots(): Plan[] {
  return GUESTS.map(({ guest, ...rounds }) => ({
    suite: "boot",
    workload: guest,
    name: `boot/${guest}`,
    question: BOOT,
    description: "From reset to the guest's last line, on a machine that has not run before; not its making.",
    role: "headline",
    decides: true,
    flags: [ONE_TIER],
    guest,
    ...rounds,
  }));
}

function dispatch(): Plan[] {
  const common = { suite: "dispatch", workload: "probes", decides: false } as const;
  const accesses = { warmUp: 100, rounds: 50, perRound: ACCESSES_PER_ROUND };
  return [
    {
      ...common,
      ...accesses,
      name: "probes/read hit",
      question: SECTION_HIT,
      description: "One read; the section of the access before is the one needed.",
      role: "headline",
    },
    {
      ...common,
      ...accesses,
      name: "probes/write hit",
      question: "write 4 bytes, last section hit",
      description: "One write; the section of the access before is the one needed.",
      role: "headline",
    },
    {
      ...common,
      name: "probes/after commit",
      question: "first read after a commit",
      description: "The first read of a region since the map was committed, without the commit itself.",
      role: "headline",
      warmUp: 20,
      rounds: 10,
      perRound: COMMITTED_REGIONS,
    },
    {
      ...common,
      ...accesses,
      name: "probes/by turns",
      question: "read 4 bytes, sections by turns",
      description: "Six devices at random: the section of the access before is rarely the one needed.",
      role: "detail",
    },
  ];
}

function retention(): Plan[] {
  return [
    {
      suite: "retention",
      workload: "plug-unplug",
      name: "lifecycle/plug-unplug",
      question: "plug and unplug",
      description:
        "A device is plugged into a running machine, used, and unplugged; the guest runs on meanwhile.",
      role: "headline",
      decides: false,
      warmUp: 300,
      rounds: 150,
    },
  ];
}

/** Accesses of a round: the loop around them is entered once. */
export const ACCESSES_PER_ROUND = 4096;
/** Regions of the map that is committed, each of which is then accessed once. */
export const COMMITTED_REGIONS = 1024;

function subjectOf(plan: Plan): CountSubject {
  const { name, warmUp, rounds, perRound = 1, flags = [], quick = false, guest = null } = plan;
  const definition: MetricDefinition = {
    suite: plan.suite,
    workload: plan.workload,
    name: plan.question,
    quantity: "count",
    source: "regionlab",
    description: plan.description,
    unit: "instructions",
    scale: "percent",
    margin: COUNT_MARGIN_PERCENT,
    role: plan.role,
    estimator: estimatorText(plan),
    decides: plan.decides,
    byConstruction: null,
  };
  return { name, definition, warmUp, rounds, perRound, flags, quick, guest };
}

function estimatorText({ warmUp, rounds, perRound = 1, flags = [] }: Plan): string {
  const each = perRound === 1 ? "" : `, for each of the ${perRound} accesses of a round`;
  return (
    `host instructions by cachegrind, V8 with ${[...COUNTING_FLAGS, ...flags].join(" ")}: ` +
    `slope between ${rounds} and ${MANY * rounds} rounds after ${warmUp} to warm up${each}`
  );
}
