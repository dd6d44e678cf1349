/** How long a machine takes to be made, to boot a guest to its milestone, and to be torn down. */
import { Emulation, type EmulationOptions, type Hardware, loadHardware } from "#machine";
import type { GuestRecord, MetricDefinition } from "#results";
import { type FirmwareWorkload, locateFirmware, type Workload, workload } from "#workloads";
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
/** Time for boots in one process; a long one is made once. */
const BOOTING_MILLISECONDS = { quick: 100, full: 300 } as const;
/** A boot that goes wrong must end: far more than any workload takes. */
const MOST_INSTRUCTIONS = 4e9;
/** Start-up times of one program differ by this much between two builds of its runtime. */
const MARGIN_PERCENT = 3;

/** Measures one guest program, or without one the machine itself. Each in a fresh process, as a user starts it. */
export async function measureBoot({ form, subject, prove, quick }: SuiteRequest): Promise<SuiteReport> {
  const hardware = await loadHardware(form);
  if (subject === BARE_MACHINE) return { ...emptyReport, measurements: measureMachine(hardware, quick) };
  const program = workload(subject);
  const { hartCount } = program;
  const options: EmulationOptions = { hardware, ramBytes: RAM_BYTES, hartCount, files: filesOf(program) };
  if (prove) {
    return { ...emptyReport, proofs: [{ workload: subject, record: recordGuest(options, program) }] };
  }
  return bootRepeatedly(options, program, quick ? BOOTING_MILLISECONDS.quick : BOOTING_MILLISECONDS.full);
}

/** Boots the guest anew, as often as a short time allows, at least once. */
function bootRepeatedly(options: EmulationOptions, program: Workload, forMilliseconds: number): SuiteReport {
  const times: number[] = [];
  const checks: GuestCheck[] = [];
  const started = performance.now();
  do {
    const { milliseconds, check } = bootOnce(options, program);
    times.push(milliseconds);
    checks.push(check);
  } while (performance.now() - started < forMilliseconds);
  const [first = Number.NaN, ...later] = times;
  const metric = (name: string, role: MetricDefinition["role"], description: string) =>
    bootMetric(program.name, name, role, `${description} The guest's work: ${program.exercises}.`);
  const all = metric(
    BOOT,
    "headline",
    "From reset to the guest's last line, in warmed-up code where the time allows several boots.",
  );
  const cold = metric(`first ${BOOT}`, "detail", "The same for the first boot of a process.");
  return {
    ...emptyReport,
    measurements:
      later.length === 0 ? [measurement(all, times)] : [measurement(all, later), measurement(cold, [first])],
    checks,
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

/** Runs the guest once, as fast as it goes, from reset to its milestone. */
function bootOnce(options: EmulationOptions, program: Workload): { milliseconds: number; check: GuestCheck } {
  const emulation = new Emulation(options);
  const started = performance.now();
  runToMilestone(emulation, program);
  const milliseconds = performance.now() - started;
  const { instructions, console } = emulation;
  const check = { workload: program.name, instructions, consoleSha256: console.sha256() };
  emulation.destroy();
  return { milliseconds, check };
}

/** Runs the guest once more, recording every device access: slower, and never timed. */
function recordGuest(options: EmulationOptions, program: Workload): GuestRecord {
  const emulation = new Emulation({ ...options, trace: true });
  runToMilestone(emulation, program);
  const { trace, instructions, console } = emulation;
  if (!trace) throw new Error("the machine kept no trace although one was asked for");
  const record = {
    instructions,
    mmioAccesses: trace.accesses,
    mmioTraceSha256: trace.sha256(),
    consoleSha256: console.sha256(),
  };
  emulation.destroy();
  return record;
}

function runToMilestone(emulation: Emulation, { name, milestone }: Workload): void {
  const end = emulation.run({ until: milestone, maxInstructions: MOST_INSTRUCTIONS });
  if (end !== "milestone") {
    throw new Error(`workload ${name} ended by ${end} before it printed ${JSON.stringify(milestone)}`);
  }
}

function filesOf(program: Workload): NonNullable<EmulationOptions["files"]> {
  return program.kind === "bare-metal" ? { kernel: program.kernel } : firmwareFiles(program);
}

function firmwareFiles({ name }: FirmwareWorkload): { bios: string; kernel: string } {
  const firmware = locateFirmware();
  if (!firmware.found) throw new Error(`workload ${name}: ${firmware.reason}`);
  return { bios: firmware.bios, kernel: firmware.kernel };
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
