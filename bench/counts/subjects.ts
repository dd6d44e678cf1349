/** What is counted, and which questions the counts answer. */
import {
  BOARD_CREATION,
  BOOT,
  COUNT_MARGIN_PERCENT,
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

/** One figure: a step of a work. */
export interface CountSubject {
  readonly definition: MetricDefinition;
  /** Number of operations in the step; the figure is for one operation. */
  readonly perStep: number;
}

/** Work that is repeated in rounds, with its counted steps in order. */
export interface CountWork {
  readonly name: string;
  readonly subjects: readonly CountSubject[];
  /** Uncounted rounds before the counted ones. */
  readonly warmUp: number;
  /** Counted rounds. */
  readonly rounds: number;
}

/** Works that are counted in one process, one after the other, because starting a process takes most of its time. */
export interface CountGroup {
  readonly name: string;
  readonly works: readonly CountWork[];
  /** V8 options in addition to those of all counted processes. */
  readonly flags: readonly string[];
  /** Largest number of samples per arm. */
  readonly mostRepeats: number;
  /** Whether a single process takes minutes. */
  readonly takesMinutes: boolean;
  /** Whether a quick run counts it. */
  readonly quick: boolean;
  /** The guest program whose files it needs; null if it runs none. */
  readonly guest: string | null;
}

/**
 * V8 on a single thread, so that it compiles and collects at the same point of the program every time. The heap has
 * room for everything that a process allocates, so that no counted round pays for a collection, which weighed up to a
 * fifth of what was counted.
 */
export const COUNTING_FLAGS = [
  "--single-threaded",
  "--predictable",
  "--min-semi-space-size=512",
  "--max-semi-space-size=512",
  "--initial-old-space-size=2048",
] as const;
/**
 * V8's interpreter only. A board is normally created once per process, long before V8 would compile its code;
 * compilation in the middle of a boot takes as many instructions as the boot; and V8 may compile, or allocate feedback,
 * a round earlier in one form than in the other, which can weigh more than the difference between the forms.
 */
const INTERPRETED = ["--no-opt", "--no-maglev", "--no-sparkplug", "--no-lazy-feedback-allocation"] as const;
/**
 * Otherwise WebAssembly tiers up when a call budget runs out, which changed counts by 15 % between runs of one program.
 */
const ONE_TIER = "--no-wasm-dynamic-tiering";

/** Accesses per round, in one call of the loop. */
export const ACCESSES_PER_ROUND = 4096;
/** Regions of the committed map, each of which is then accessed once. */
export const COMMITTED_REGIONS = 1024;

/** All groups, in the order in which they are counted. */
export function countGroups(): readonly CountGroup[] {
  const nowhere = { quick: false, guest: null, mostRepeats: 5, takesMinutes: false };
  return [
    {
      ...nowhere,
      name: "board",
      quick: true,
      // Collisions of names in V8's hash tables vary between the forms by half as much as the forms differ.
      mostRepeats: 8,
      flags: [...INTERPRETED, ONE_TIER],
      works: [
        work("board", { warmUp: 4, rounds: 3 }, [BOARD_CREATED, BOARD_TORN_DOWN]),
        // Tables that grow fall into the fifth or sixth round, where they would weigh ten times as much as the difference.
        work("lifecycle/plug-unplug", { warmUp: 6, rounds: 3, perStep: PLUGGED.length }, [
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

/** The figures of a group, in the order in which its processes report them. */
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

/** How often a guest is booted, and with which V8 options. */
interface GuestPlan {
  readonly guest: string;
  readonly warmUp: number;
  readonly rounds: number;
  readonly mostRepeats: number;
  readonly flags: readonly string[];
}

/**
 * Long boots vary less than short ones and take most of a minute anyway; U-Boot takes minutes. The last two run with
 * V8's compilers, because the interpreter alone would take too long; V8 optimises everything important in their first
 * tenth.
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
