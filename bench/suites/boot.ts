/** How long a machine takes to be made, to boot a guest to its milestone, and to be torn down. */
import { Emulation, type EmulationOptions, type Hardware, loadHardware } from "#machine";
import type { GuestPhase, GuestRecord, MetricDefinition } from "#results";
import { type BootPhase, locateDebian, locateFirmware, type Workload, workload } from "#workloads";
import { BARE_MACHINE, BOOT, MACHINE_CREATION } from "./limits.ts";
import {
  emptyReport,
  type GuestCheck,
  type Measurement,
  measurement,
  type SuiteReport,
  type SuiteRequest,
} from "./measurement.ts";

const RAM_BYTES = 128 * 2 ** 20;
/** Time for boots in one process, in which small guests come to run in optimised code; a long one is made once. */
const BOOTING_MILLISECONDS = { quick: 150, full: 1000 } as const;
/** A boot that goes wrong must end: far more than any workload takes. */
const MOST_INSTRUCTIONS = 4e10;
/** Start-up times of one program differ by this much between two builds of its runtime. */
const MARGIN_PERCENT = 3;

/** Measures one guest program, or without one the machine itself. Each in a fresh process, as a user starts it. */
export async function measureBoot({ form, subject, prove, quick }: SuiteRequest): Promise<SuiteReport> {
  const hardware = await loadHardware(form);
  if (subject === BARE_MACHINE) return { ...emptyReport, measurements: measureMachine(hardware, quick) };
  const program = workload(subject);
  const options: EmulationOptions = { hardware, hartCount: program.hartCount, ...machineOf(program) };
  if (prove) {
    return { ...emptyReport, proofs: [{ workload: subject, record: recordGuest(options, program) }] };
  }
  return bootRepeatedly(options, program, quick ? BOOTING_MILLISECONDS.quick : BOOTING_MILLISECONDS.full);
}

/** Boots the guest anew, as often as a short time allows, at least once. */
function bootRepeatedly(options: EmulationOptions, program: Workload, forMilliseconds: number): SuiteReport {
  const boots: Boot[] = [];
  const started = performance.now();
  do boots.push(bootOnce(options, program));
  while (performance.now() - started < forMilliseconds);
  const [first, ...later] = boots;
  if (first === undefined) throw new Error("a loop that ends with its test runs at least once");
  const warm = later.length === 0 ? [first] : later;
  const metric = (name: string, role: MetricDefinition["role"], description: string) =>
    bootMetric(program.name, name, role, `${description} The guest's work: ${program.exercises}.`);
  const times = (of: readonly Boot[]) => of.map(({ milliseconds }) => milliseconds);
  const whole = measurement(
    metric(
      BOOT,
      "headline",
      "From reset to the guest's last line, in warmed-up code where the time allows several boots.",
    ),
    times(warm),
  );
  const cold = metric(`first ${BOOT}`, "detail", "The same for the first boot of a process.");
  return {
    ...emptyReport,
    measurements: [
      whole,
      ...(later.length === 0 ? [] : [measurement(cold, times([first]))]),
      ...first.phases.map(({ name }, i) =>
        measurement(
          metric(`phase: ${name}`, "detail", "A part of the boot, by what the guest prints at its end."),
          warm.map(({ phases }) => phases[i]?.milliseconds ?? Number.NaN),
        ),
      ),
    ],
    checks: boots.map(({ check }) => check),
  };
}

/** Creates and destroys machines, the first of them cold. */
function measureMachine(hardware: Hardware, quick: boolean): Measurement[] {
  const create: number[] = [];
  const destroy: number[] = [];
  for (let round = 0; round < (quick ? 15 : 60); round++) {
    const emulation = new Emulation({ hardware, ramBytes: RAM_BYTES });
    create.push(emulation.creation.create);
    destroy.push(emulation.destroy());
  }
  const [first = Number.NaN, ...later] = create;
  const metric = (name: string, role: MetricDefinition["role"], description: string) =>
    bootMetric("virt board", name, role, description);
  return [
    measurement(
      metric(
        MACHINE_CREATION,
        "headline",
        "Objects, realize, first flat view; median of the later machines.",
      ),
      later,
    ),
    measurement(
      metric(
        "first machine creation",
        "detail",
        "The same for the first machine of a process, before V8 has optimised anything.",
      ),
      [first],
    ),
    measurement(
      metric("tear-down", "headline", "Address spaces, RCU callbacks, the object tree; median of all."),
      destroy,
    ),
  ];
}

/** One boot as it was timed. */
interface Boot {
  /** From reset to the milestone. */
  readonly milliseconds: number;
  /** The making of the machine, then the guest's own phases; none where the guest has none. */
  readonly phases: readonly { readonly name: string; readonly milliseconds: number }[];
  readonly check: GuestCheck;
}

/** Runs the guest once, as fast as it goes, from reset to its milestone. */
function bootOnce(options: EmulationOptions, program: Workload): Boot {
  const emulation = new Emulation(options);
  const { create, load } = emulation.creation;
  const started = performance.now();
  let phaseStart = started;
  const guestPhases = phasesOf(program).map(({ name, until }) => {
    runTo(emulation, program, until);
    const phase = { name, milliseconds: performance.now() - phaseStart };
    phaseStart = performance.now();
    return phase;
  });
  const milliseconds = performance.now() - started;
  const { instructions, console } = emulation;
  const check = { workload: program.name, instructions, consoleSha256: console.sha256() };
  emulation.destroy();
  const phases =
    guestPhases.length > 1 ? [{ name: "create", milliseconds: create + load }, ...guestPhases] : [];
  return { milliseconds, phases, check };
}

/** Runs the guest once more, recording every device access: slower, and never timed. */
function recordGuest(options: EmulationOptions, program: Workload): GuestRecord {
  const emulation = new Emulation({ ...options, trace: true });
  const phases = phasesOf(program).map(({ name, until }): GuestPhase => {
    const before = emulation.instructions;
    runTo(emulation, program, until);
    return { name, instructions: emulation.instructions - before };
  });
  const { trace, instructions, console } = emulation;
  if (!trace) throw new Error("the machine kept no trace although one was asked for");
  const record = {
    instructions,
    mmioAccesses: trace.accesses,
    mmioTraceSha256: trace.sha256(),
    consoleSha256: console.sha256(),
    phases: phases.length > 1 ? phases : [],
  };
  emulation.destroy();
  return record;
}

/** The phases of a boot; where a guest has none, one that is all of it. */
function phasesOf(program: Workload): readonly BootPhase[] {
  return program.kind === "bare-metal" ? [{ name: "all", until: program.milestone }] : program.phases;
}

function runTo(emulation: Emulation, { name }: Workload, until: string): void {
  const end = emulation.run({ until, maxInstructions: MOST_INSTRUCTIONS });
  if (end !== "milestone") {
    throw new Error(`workload ${name} ended by ${end} before it printed ${JSON.stringify(until)}`);
  }
}

/** Memory and files of the machine that runs a guest. */
function machineOf(program: Workload): Pick<EmulationOptions, "ramBytes" | "files"> {
  if (program.kind === "bare-metal") return { ramBytes: RAM_BYTES, files: { kernel: program.kernel } };
  const firmware = locateFirmware();
  if (!firmware.found) throw new Error(`workload ${program.name}: ${firmware.reason}`);
  const { bios, kernel } = firmware;
  if (program.kind === "firmware") return { ramBytes: RAM_BYTES, files: { bios, kernel } };
  const debian = locateDebian();
  if (!debian.found) throw new Error(`workload ${program.name}: ${debian.reason}`);
  const { append, ramBytes } = program;
  return { ramBytes, files: { bios, kernel: debian.kernel, initrd: debian.initrd, append } };
}

function bootMetric(
  subject: string,
  name: string,
  role: MetricDefinition["role"],
  description: string,
): MetricDefinition {
  const [suite, unit, quantity, scale] = ["boot", "ms", "time", "percent"] as const;
  return {
    suite,
    workload: subject,
    name,
    description,
    unit,
    quantity,
    scale,
    margin: MARGIN_PERCENT,
    role,
  };
}
