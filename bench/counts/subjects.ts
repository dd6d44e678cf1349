/** What is counted, with the questions that the counts answer beside times. */
import {
  BOARD_CREATION,
  BOOT,
  countDecides,
  FIRST_READ,
  MACHINE_CREATION,
  MACHINE_SUBJECT,
  type MetricDefinition,
  PLUG_AND_UNPLUG,
  PROBES,
  SECTION_HIT,
  SECTION_HIT_WRITE,
  SECTIONS_BY_TURNS,
  TEAR_DOWN,
} from "#results";
import { PLUGGED } from "#workloads/lifecycle";
import { COUNT_MARGIN_PERCENT } from "../suites/margins.ts";

/** One figure: a step of some work. */
export interface CountSubject {
  readonly definition: MetricDefinition;
  /** What the step does so many times; the figure is for one of them. */
  readonly perStep: number;
}

/** Work that is repeated; what of it is counted, in the order in which a round does it. */
export interface CountWork {
  readonly name: string;
  readonly subjects: readonly CountSubject[];
  /** Rounds before those that are counted. */
  readonly warmUp: number;
  /** Counted rounds. */
  readonly rounds: number;
}

/** Works that are counted in one process, one after the other: most of its time goes into its start. */
export interface CountGroup {
  readonly name: string;
  readonly works: readonly CountWork[];
  /** Options of V8, beside those of all counted processes. */
  readonly flags: readonly string[];
  /** Samples of each arm, at most. */
  readonly mostRepeats: number;
  /** Whether a single process takes minutes. */
  readonly takesMinutes: boolean;
  /** Whether a quick run counts it. */
  readonly quick: boolean;
  /** The guest program whose files it needs; null where it runs none. */
  readonly guest: string | null;
}

/**
 * V8 on one thread: what it compiles and collects, it then compiles and collects at the same place of the program. It has room
 * for all that a process ever allocates, so that none of the counted rounds pays for a collection: whether one falls into them
 * weighed as much as a fifth of what there was to count.
 */
export const COUNTING_FLAGS = [
  "--single-threaded",
  "--predictable",
  "--min-semi-space-size=512",
  "--max-semi-space-size=512",
  "--initial-old-space-size=2048",
] as const;
/**
 * V8's interpreter only. A board is made once in a process, long before V8 compiles what makes it; what it compiles in the middle
 * of a boot takes as many instructions as the boot; and whatever it compiles or first takes notes for, it does a round earlier in
 * one form than in the other, which can weigh more than the forms differ by.
 */
const INTERPRETED = ["--no-opt", "--no-maglev", "--no-sparkplug", "--no-lazy-feedback-allocation"] as const;
/** Else WebAssembly is compiled a second time wherever a budget of calls runs out: 15 % between two runs of one program. */
const ONE_TIER = "--no-wasm-dynamic-tiering";

/** Accesses of a round: the loop around them is entered once. */
export const ACCESSES_PER_ROUND = 4096;
/** Regions of the map that is committed, each of which is then accessed once. */
export const COMMITTED_REGIONS = 1024;

/** All groups, in the order in which they are counted. */
export function countGroups(): readonly CountGroup[] {
  const nowhere = { quick: false, guest: null, mostRepeats: 5, takesMinutes: false };
  return [
    {
      ...nowhere,
      name: "board",
      quick: true,
      // How names of the two forms collide in V8's hash tables differs by half of what the forms do.
      mostRepeats: 8,
      flags: [...INTERPRETED, ONE_TIER],
      works: [
        work("board", { warmUp: 4, rounds: 3 }, [BOARD_CREATED, BOARD_TORN_DOWN]),
        work("lifecycle/plug-unplug", { warmUp: 4, rounds: 3, perStep: PLUGGED.length }, [
          PLUGGED_AND_UNPLUGGED,
        ]),
      ],
    },
    ...GUESTS.map(({ guest, warmUp, rounds, mostRepeats, flags }) => ({
      ...nowhere,
      name: `boot/${guest}`,
      guest,
      mostRepeats,
      takesMinutes: guest === "u-boot",
      flags: [...flags, ONE_TIER],
      works: [work(`boot/${guest}`, { warmUp, rounds }, [booted(guest)])],
    })),
    {
      ...nowhere,
      name: "machine",
      flags: ["--expose-gc", ...INTERPRETED, ONE_TIER],
      works: [work("create", { warmUp: 7, rounds: 3 }, [MACHINE_CREATED])],
    },
    {
      ...nowhere,
      name: "probes",
      mostRepeats: 3,
      flags: [],
      works: PROBE_SUBJECTS.map(([name, subject, rounds]) => work(`probes/${name}`, rounds, [subject])),
    },
  ].map((group) => ({ ...group, works: group.works.map((each) => withEstimator(each, group.flags)) }));
}

/** What a group counts, in the order in which its processes give it. */
export function definitionsOf({ works }: Pick<CountGroup, "works">): MetricDefinition[] {
  return works.flatMap(({ subjects }) => subjects.map(({ definition }) => definition));
}

const COUNTED = {
  quantity: "count",
  source: "regionlab",
  unit: "instructions",
  scale: "percent",
  margin: COUNT_MARGIN_PERCENT,
  role: "headline",
  estimator: "",
  byConstruction: null,
} as const;
const BOARD = { ...COUNTED, suite: "boot", workload: MACHINE_SUBJECT, decides: true } as const;

const BOARD_CREATED: MetricDefinition = {
  ...BOARD,
  name: BOARD_CREATION,
  description: "A board's objects, realize, first flat view, reset; no processors, no fresh memory.",
};
const BOARD_TORN_DOWN: MetricDefinition = {
  ...BOARD,
  name: TEAR_DOWN,
  description: "Address spaces, RCU callbacks, the object tree of a board that has not run.",
};
const MACHINE_CREATED: MetricDefinition = {
  ...BOARD,
  name: MACHINE_CREATION,
  description: "A whole machine: host memory, objects, realize, first flat view, processor, console.",
};
const PLUGGED_AND_UNPLUGGED: MetricDefinition = {
  ...COUNTED,
  suite: "retention",
  workload: "plug-unplug",
  name: PLUG_AND_UNPLUG,
  description:
    "A device is plugged into a running machine, used, and unplugged; the guest runs on meanwhile.",
  decides: true,
};

/** A guest's boots: how often, and in which mode of V8. */
interface GuestPlan {
  readonly guest: string;
  readonly warmUp: number;
  readonly rounds: number;
  readonly mostRepeats: number;
  readonly flags: readonly string[];
}

/**
 * The long ones vary by less than the short, and take most of a minute as it is; U-Boot takes minutes. Two run for so long that V8
 * optimises all that matters in their first tenth, which the interpreter alone would not end in this time.
 */
const GUESTS: readonly GuestPlan[] = [
  { guest: "hello", warmUp: 3, rounds: 5, mostRepeats: 3, flags: INTERPRETED },
  { guest: "interrupts", warmUp: 1, rounds: 1, mostRepeats: 3, flags: INTERPRETED },
  { guest: "smp", warmUp: 1, rounds: 1, mostRepeats: 3, flags: INTERPRETED },
  { guest: "flash", warmUp: 1, rounds: 2, mostRepeats: 3, flags: INTERPRETED },
  { guest: "bus-errors", warmUp: 1, rounds: 1, mostRepeats: 3, flags: INTERPRETED },
  { guest: "mmio-storm", warmUp: 0, rounds: 1, mostRepeats: 3, flags: [] },
  { guest: "u-boot", warmUp: 0, rounds: 1, mostRepeats: 2, flags: [] },
];

function booted(guest: string): MetricDefinition {
  return {
    ...COUNTED,
    suite: "boot",
    workload: guest,
    name: BOOT,
    description: "From reset to the guest's last line, on a machine that has not run before; not its making.",
    decides: true,
  };
}

const ACCESS = {
  ...COUNTED,
  suite: "dispatch",
  workload: PROBES,
  decides: countDecides("dispatch"),
} as const;
const ACCESS_ROUNDS = { warmUp: 150, rounds: 20, perStep: ACCESSES_PER_ROUND };

const PROBE_SUBJECTS: readonly (readonly [name: string, MetricDefinition, Rounds])[] = [
  [
    "read hit",
    {
      ...ACCESS,
      name: SECTION_HIT,
      description: "One read; the section of the access before is the one needed.",
    },
    ACCESS_ROUNDS,
  ],
  [
    "write hit",
    {
      ...ACCESS,
      name: SECTION_HIT_WRITE,
      description: "One write; the section of the access before is the one needed.",
    },
    ACCESS_ROUNDS,
  ],
  [
    "after commit",
    {
      ...ACCESS,
      name: FIRST_READ,
      description: "The first read of a region since the map was committed, without the commit itself.",
    },
    { warmUp: 20, rounds: 20, perStep: COMMITTED_REGIONS },
  ],
  [
    "by turns",
    {
      ...ACCESS,
      name: SECTIONS_BY_TURNS,
      description: "Six devices at random: the section of the access before is rarely the one needed.",
      role: "detail",
    },
    ACCESS_ROUNDS,
  ],
];

interface Rounds {
  readonly warmUp: number;
  readonly rounds: number;
  /** Default: 1. */
  readonly perStep?: number;
}

function work(
  name: string,
  { warmUp, rounds, perStep = 1 }: Rounds,
  steps: readonly MetricDefinition[],
): CountWork {
  return { name, warmUp, rounds, subjects: steps.map((definition) => ({ definition, perStep })) };
}

function withEstimator(counted: CountWork, flags: readonly string[]): CountWork {
  const subjects = counted.subjects.map((subject) => ({
    ...subject,
    definition: { ...subject.definition, estimator: estimatorText(counted, subject.perStep, flags) },
  }));
  return { ...counted, subjects };
}

function estimatorText({ warmUp, rounds }: CountWork, perStep: number, flags: readonly string[]): string {
  const each = perStep === 1 ? "" : `, for each of the ${perStep} of a round`;
  const before = warmUp === 0 ? "" : ` after ${warmUp} to warm up`;
  const counted = rounds === 1 ? "one round" : `median of ${rounds} rounds`;
  return (
    `host instructions by callgrind, V8 with ${[...COUNTING_FLAGS, ...flags].join(" ")}: ` +
    `${counted}${before}${each}`
  );
}
