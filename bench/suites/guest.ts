/** Guests as the boot suite runs them: machine, phases, and the record that proves what they did. */
import { Emulation, type EmulationOptions, type Hardware } from "#machine";
import type { GuestPhase, GuestRecord } from "#results";
import { type BootPhase, locateDebian, locateFirmware, type Workload, workload } from "#workloads";

const RAM_BYTES = 128 * 2 ** 20;
/** Far more than any workload takes, so that a boot that goes wrong ends. */
export const MOST_INSTRUCTIONS = 4e10;

/** A guest, and the machine that runs it. */
export interface Guest {
  readonly program: Workload;
  readonly options: EmulationOptions;
  /** Phases of its boot: at least one. */
  readonly phases: readonly BootPhase[];
}

export function guestOf(name: string, hardware: Hardware): Guest {
  const program = workload(name);
  return {
    program,
    options: { hardware, hartCount: program.hartCount, ...machineOf(program) },
    phases: phasesOf(program),
  };
}

/** Phases of a guest's boot; for a bare-metal guest, a single one. */
export function phasesOf(program: Workload): readonly BootPhase[] {
  return program.kind === "bare-metal" ? [{ name: "all", until: program.milestone }] : program.phases;
}

/** Runs the guest once and records every device access. Slow, and never timed. */
export function recordGuest({ options, program, phases }: Guest): GuestRecord {
  const emulation = new Emulation({ ...options, trace: true });
  const counted = phases.map(({ name, until }): GuestPhase => {
    const before = emulation.instructions;
    const end = emulation.run({ until, maxInstructions: MOST_INSTRUCTIONS });
    if (end !== "milestone") {
      throw new Error(`workload ${program.name} ended by ${end} before it printed ${JSON.stringify(until)}`);
    }
    return { name, instructions: emulation.instructions - before };
  });
  const { trace, instructions, console } = emulation;
  if (!trace) throw new Error("the machine kept no trace although one was asked for");
  const record = {
    instructions,
    mmioAccesses: trace.accesses,
    mmioTraceSha256: trace.sha256(),
    consoleSha256: console.sha256(),
    phases: counted.length > 1 ? counted : [],
  };
  emulation.destroy();
  return record;
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
