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
  /** The two numbers of counted rounds that the slope is drawn through, as a rule n and 4n. */
  readonly fewRounds: number;
  readonly manyRounds: number;
  /** What a round does so many times; the figure is for one of them. */
  readonly perRound: number;
  /** Options of V8, beside those of all counted processes. */
  readonly flags: readonly string[];
  /** Whether a quick run counts it. */
  readonly quick: boolean;
  /** The guest program whose files it needs; null where it runs none. */
  readonly guest: string | null;
}

/** Counts of less difference than this are alike for all purposes: stated before the run. */
export const COUNT_MARGIN_PERCENT = 0.2;

/** V8 on one thread: what it compiles and collects, it then compiles and collects at the same place of the program. */
export const COUNTING_FLAGS = ["--single-threaded", "--predictable"] as const;
/** Collections are due by bytes allocated, not by how fast memory was seen to fill. */
const COLLECTING = ["--predictable-gc-schedule"] as const;
/**
 * Room for all that a process ever allocates: none of the counted rounds pays for a collection. One that begins within the
 * many rounds but not within the few weighed as much as a fifth of what there was to count.
 */
const UNCOLLECTED = [
  "--min-semi-space-size=512",
  "--max-semi-space-size=512",
  "--initial-old-space-size=2048",
] as const;
/**
 * V8's interpreter and baseline code only. A board is made once in a process, long before V8 optimises what makes it; and
 * after hundreds of boards it still compiles a function here and there, in one process a round later than in another.
 */
const UNOPTIMISED = "--no-opt";
/** Else WebAssembly is compiled a second time wherever a budget of calls runs out: 15 % between two runs of one program. */
const ONE_TIER = "--no-wasm-dynamic-tiering";

interface Plan extends Omit<CountSubject, "definition" | "perRound" | "quick" | "guest"> {
  readonly suite: Suite;
  readonly workload: string;
  readonly question: string;
  readonly description: string;
  readonly role: Role;
  readonly decides: boolean;
  readonly perRound?: number;
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
      quick: true,
      flags: [...COLLECTING, UNOPTIMISED],
      warmUp: 3,
      fewRounds: 3,
      manyRounds: 12,
    },
    {
      ...common,
      name: "objects",
      question: "objects and first flat view",
      description: "What of a machine's creation can differ: objects, realize, reset, first flat view.",
      decides: false,
      flags: [...UNCOLLECTED, UNOPTIMISED],
      warmUp: 5,
      fewRounds: 10,
      manyRounds: 40,
    },
    {
      ...common,
      name: "tear-down",
      question: "tear-down",
      description: "Address spaces, RCU callbacks, the object tree of a board that has not run.",
      decides: false,
      flags: [...UNCOLLECTED, UNOPTIMISED],
      warmUp: 5,
      fewRounds: 10,
      manyRounds: 40,
    },
  ];
}

/**
 * Guests with their boots: warm-up, few, many. All machines of a process are made before the first boots, and live: more than
 * about a dozen do not fit the address space that valgrind leaves to a process. U-Boot's first boot is counted, once.
 */
const GUESTS: readonly (readonly [guest: string, warmUp: number, few: number, many: number])[] = [
  ["hello", 2, 2, 8],
  ["interrupts", 2, 2, 8],
  ["smp", 1, 1, 4],
  ["flash", 2, 2, 8],
  ["bus-errors", 2, 2, 8],
  ["mmio-storm", 1, 1, 4],
  ["u-boot", 0, 0, 1],
];

function boots(): Plan[] {
  return GUESTS.map(([guest, warmUp, fewRounds, manyRounds]) => ({
    suite: "boot",
    workload: guest,
    name: `boot/${guest}`,
    question: BOOT,
    description: "From reset to the guest's last line, on a machine that has not run before; not its making.",
    role: "headline",
    decides: true,
    flags: [...COLLECTING, ONE_TIER],
    guest,
    warmUp,
    fewRounds,
    manyRounds,
  }));
}

function dispatch(): Plan[] {
  const common = { suite: "dispatch", workload: "probes", decides: false, flags: UNCOLLECTED } as const;
  const accesses = { warmUp: 100, fewRounds: 50, manyRounds: 200, perRound: ACCESSES_PER_ROUND };
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
      fewRounds: 10,
      manyRounds: 40,
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
      flags: [...UNCOLLECTED, UNOPTIMISED, ONE_TIER],
      warmUp: 30,
      fewRounds: 30,
      manyRounds: 120,
    },
  ];
}

/** Accesses of a round: the loop around them is entered once. */
export const ACCESSES_PER_ROUND = 4096;
/** Regions of the map that is committed, each of which is then accessed once. */
export const COMMITTED_REGIONS = 1024;

function subjectOf(plan: Plan): CountSubject {
  const { suite, workload, question, description, role, decides, ...counting } = plan;
  const { perRound = 1, quick = false, guest = null } = counting;
  const definition: MetricDefinition = {
    suite,
    workload,
    name: question,
    quantity: "count",
    source: "regionlab",
    description,
    unit: "instructions",
    scale: "percent",
    margin: COUNT_MARGIN_PERCENT,
    role,
    estimator: estimatorText(plan),
    decides,
    byConstruction: null,
  };
  const { name, warmUp, fewRounds, manyRounds, flags } = counting;
  return { name, definition, warmUp, fewRounds, manyRounds, flags, perRound, quick, guest };
}

function estimatorText({ warmUp, fewRounds, manyRounds, perRound = 1, flags }: Plan): string {
  const each = perRound === 1 ? "" : `, for each of the ${perRound} accesses of a round`;
  return (
    `host instructions by cachegrind, V8 with ${[...COUNTING_FLAGS, ...flags].join(" ")}: ` +
    `slope between ${fewRounds} and ${manyRounds} rounds after ${warmUp} to warm up${each}`
  );
}
