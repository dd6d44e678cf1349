/**
 * Boots in lockstep. Guest time is counted in instructions, so a slice of a boot is the same work in every arm. The
 * arms take turns at the same slice, boot after boot; the time of a boot is the sum over slices of the fastest in all
 * boots.
 */
import { Emulation, type Hardware } from "#machine";
import type { MetricDefinition, PerArm } from "#results";
import { BOOT, OTHER_MARGIN_PERCENT } from "#results";
import { summarize } from "#results/statistics";
import { type Workload, workload } from "#workloads";
import type { BootFigures, BootingWork } from "../trio/boots.ts";
import { guestOf, MOST_INSTRUCTIONS, phasesOf } from "./guest.ts";
import { type Measurement, perArm } from "./measurement.ts";

/** Guest instructions per slice: some tenths of a millisecond, or a millisecond for the billions of a distribution. */
const SLICE_INSTRUCTIONS = { small: 20_000, distribution: 200_000 } as const;

/** Time for the boots of one process, which boots at least once; a distribution takes longer than this. */
const BOOTING_MILLISECONDS = { quick: 600, full: 4000 } as const;

/**
 * The boot of a guest in one arm, slice by slice.
 * @param sliceInstructions guest instructions per slice; default: by the kind of guest
 */
export function bootingWork(name: string, hardware: Hardware, sliceInstructions?: number): BootingWork {
  const guest = guestOf(name, hardware);
  const { phases, program } = guest;
  const usual = program.kind === "distribution" ? SLICE_INSTRUCTIONS.distribution : SLICE_INSTRUCTIONS.small;
  const instructions = sliceInstructions ?? usual;
  let emulation: Emulation | null = null;
  let phase = 0;
  // Once per phase, not per slice: a text may begin in one slice and end in the next.
  const watch = ({ console }: Emulation) => {
    const next = phases[phase];
    if (next !== undefined) console.watchFor(next.until);
  };
  return {
    begin() {
      emulation = new Emulation(guest.options);
      phase = 0;
      watch(emulation);
    },
    slice(): BootFigures {
      if (emulation === null) throw new Error("a boot begins before its first slice");
      const maxInstructions = Math.min(emulation.instructions + instructions, MOST_INSTRUCTIONS);
      const started = performance.now();
      const end = emulation.run({ maxInstructions });
      const nanoseconds = 1e6 * (performance.now() - started);
      const sliced = { nanoseconds, phase, over: false };
      if (end === "instructions" && emulation.instructions < MOST_INSTRUCTIONS) return sliced;
      if (end !== "milestone") {
        const until = JSON.stringify(phases[phase]?.until);
        throw new Error(`workload ${name} ended by ${end} before it printed ${until}`);
      }
      phase++;
      watch(emulation);
      return { ...sliced, over: phase === phases.length };
    },
    finish() {
      if (emulation === null) throw new Error("a boot begins before it ends");
      const check = {
        workload: name,
        instructions: emulation.instructions,
        consoleSha256: emulation.console.sha256(),
      };
      emulation.destroy();
      emulation = null;
      return check;
    },
  };
}

/** Time for the boots of one process, in milliseconds. */
export function bootingTime(quick: boolean): number {
  return quick ? BOOTING_MILLISECONDS.quick : BOOTING_MILLISECONDS.full;
}

/** The slices of one boot by arm; all boots of a process have the same number. */
export type BootSlices = PerArm<readonly BootFigures[]>;

/** Measurements of a guest from its boots: of the whole, and of each phase if there are several. */
export function fromBoots(name: string, boots: readonly BootSlices[], quick: boolean): Measurement[] {
  const program = workload(name);
  const phases = phasesOf(program);
  const [first] = boots;
  if (first === undefined) throw new RangeError(`${name} was not booted`);
  const fastest = perArm((arm) =>
    first[arm].map(({ phase }, k) => ({
      phase,
      nanoseconds: Math.min(...boots.map((boot) => boot[arm][k]?.nanoseconds ?? Number.NaN)),
    })),
  );
  const sumOf = (of: (slice: { phase: number }) => boolean) => ({
    estimates: perArm((arm) => milliseconds(fastest[arm].filter(of))),
    distributions: perArm((arm) => summarize(boots.map((boot) => milliseconds(boot[arm].filter(of))))),
  });
  return [
    {
      // A quick run has no time for the deciding counts of boots, and shows their times as details.
      definition: bootMetric(
        program,
        BOOT,
        quick ? "detail" : "headline",
        "From reset to the guest's last line.",
      ),
      ...sumOf(() => true),
    },
    ...(phases.length === 1
      ? []
      : phases.map((each, i) => ({
          definition: bootMetric(
            program,
            `phase: ${each.name}`,
            "detail",
            "A part of the boot, by what the guest prints at its end.",
          ),
          ...sumOf(({ phase }) => phase === i),
        }))),
  ];
}

function milliseconds(slices: readonly { readonly nanoseconds: number }[]): number {
  return slices.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) / 1e6;
}

function bootMetric(
  program: Workload,
  name: string,
  role: "headline" | "detail",
  description: string,
): MetricDefinition {
  return {
    suite: "boot",
    workload: program.name,
    name,
    quantity: "time",
    source: "regionlab",
    description: `${description} The guest's work: ${program.exercises}.`,
    unit: "ms",
    scale: "percent",
    margin: OTHER_MARGIN_PERCENT,
    role,
    estimator: "sum over slices of the fastest of all boots",
    // Each isolate settles into its own state of compiled code and memory, which repeated boots do not change. Where
    // the work can be counted exactly, the count decides.
    decides: program.kind === "distribution",
    byConstruction: null,
  };
}
